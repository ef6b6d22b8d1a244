"""Users: registered once, changed revision by revision. Personal data is sealed before it goes anywhere."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from pydantic import ConfigDict

from domain.users import User
from streams.events import Event
from streams.events.users import ChangeUser, RegisterUser
from streams.identity import user_id_of
from streams.services import USER
from tables.users import row_key
from web.answers import Answer
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.models import Request
from web.operations import AT, IDEMPOTENCY_KEY, Operation
from web.owners import OwnerUnavailable
from web.problems import Problem, invalid, not_found
from web.requests import at_of, id_of_request, name_in_path
from web.shapes import as_json
from web.texts import Email, IdIn, LocaleIn, Phone, Text

_canonical = msgspec.json.Encoder(order="sorted").encode
_user = msgspec.json.Decoder(User)


class UserRequest(Request):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"}]}
    )

    email: Email
    first_name: Text
    last_name: Text
    phone: Phone | None = None
    locale: LocaleIn | None = None
    #: By default it follows from the e-mail.
    user_id: IdIn | None = None


class UserChange(Request):
    """What is named is changed; a `phone` or `locale` of null is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"phone": "+31 20 555 0100"}]})

    email: Email | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    phone: Phone | None = None
    locale: LocaleIn | None = None


class UserLinks(Answer):
    self: str
    notifications: str


class UserOut(Answer):
    """A user as its row stands. The personal fields are null once the user was erased."""

    user_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    locale: str | None = None
    revision: int
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None = None
    links: UserLinks


async def register_user(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked, context = check(UserRequest, body), context_of(request)
    user_id = asked.user_id or user_id_of(asked.email)
    key, keyed = id_of_request(request, principal_of(request))
    asked_for = hashlib.sha256(_canonical(body)).hexdigest()
    personal = asked.model_dump(exclude={"user_id"}, exclude_none=True)
    sealed = await context.keyring.seal(user_id, json.dumps(personal, ensure_ascii=False))
    event = RegisterUser(user_id=user_id, personal=sealed, fingerprint=f"{key if keyed else ''}:{asked_for}")
    row = await _appended(request, event, user_id)
    _check_same(row.fingerprint, key if keyed else "", asked_for)
    return await _answer(context, row, 201)


def _check_same(fingerprint: str, key: str, asked_for: str) -> None:
    """Whether the row was registered by this very request. A fingerprint is `Idempotency-Key's id:body`."""
    known_key, _, known = fingerprint.partition(":")
    if known == asked_for:
        return
    if key and known_key == key:
        raise Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another request")
    raise Problem(409, "user-exists", "There is such a user", "PATCH it to change it, or choose another user_id.")


async def change_user(request: web.Request) -> web.Response:
    """Answers once the row has the change; one that came at the same time as another is 409, and safe to repeat."""
    user_id = name_in_path(request, "user_id")
    asked, context = check(UserChange, await read_json(request)), context_of(request)
    named = asked.model_dump(exclude_unset=True)
    if not named:
        raise invalid("body", "has nothing to change; send one of email, first_name, last_name, phone, locale")
    for field in ("email", "first_name", "last_name"):
        if field in named and named[field] is None:
            raise invalid(field, "cannot be taken away")
    row = await _known(context, user_id)
    before = await _clear(context, row)
    if before is None:
        raise Problem(409, "user-erased", "The user was erased", "Nothing can be changed any more.")
    personal = {name: value for name, value in (json.loads(before) | named).items() if value is not None}
    sealed = await context.keyring.seal(user_id, json.dumps(personal, ensure_ascii=False))
    change = ChangeUser(user_id=user_id, personal=sealed, revision=row.revision + 1)
    row = await _appended(request, change, user_id)
    if (row.revision, row.personal) != (change.revision, sealed):
        raise Problem(409, "changed-meanwhile", "Another change was faster", "Look at the user and retry.")
    return await _answer(context, row, 200)


async def get_user(request: web.Request) -> web.Response:
    user_id, at, context = name_in_path(request, "user_id"), at_of(request), context_of(request)
    found = await context.rows.row(USER.name, user_id, row_key(user_id), at=at)
    if found is None:
        raise not_found("user")
    return await _answer(context, _user.decode(found), 200)


async def _known(context: Context, user_id: str) -> User:
    found = await context.rows.row(USER.name, user_id, row_key(user_id))
    if found is None:
        raise not_found("user")
    return _user.decode(found)


async def _appended(request: web.Request, event: Event, user_id: str) -> User:
    """The row once it has decided on `event`."""
    context = context_of(request)
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    found = await context.rows.row(USER.name, user_id, row_key(user_id), after=appended.offset)
    if found is None:  # decided and yet not there: the request itself was refused as poison, which is our fault
        raise OwnerUnavailable(user_id)
    return _user.decode(found)


async def _answer(context: Context, row: User, status: int) -> web.Response:
    clear = await _clear(context, row)
    told: dict[str, Any] = json.loads(clear) if clear is not None else {}
    # Another program may have told anything of a user: what is no text is not shown.
    personal = {name: told[name] for name in UserChange.model_fields if isinstance(told.get(name), str)}
    itself = f"/api/users/{quote(row.user_id, safe='')}"
    body = UserOut(
        user_id=row.user_id,
        **personal,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        erased_at=row.erased_at,
        links=UserLinks(self=itself, notifications=f"{itself}/notifications"),
    )
    headers = {"Location": itself} if status == 201 else {}
    return as_json(body, status, headers)


async def _clear(context: Context, row: User) -> str | None:
    """The personal data as JSON; None once the user was erased."""
    return await context.keyring.unseal(row.user_id, row.personal) if row.personal else None


OPERATIONS = (
    Operation(
        "POST",
        "/api/users",
        register_user,
        "Register a user",
        "users",
        {201: UserOut},
        request=UserRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/users/{user_id}",
        get_user,
        "A user as it stands",
        "users",
        {200: UserOut},
        parameters=(AT,),
        problems=(404, 422, 503),
    ),
    Operation(
        "PATCH",
        "/api/users/{user_id}",
        change_user,
        "Change a user",
        "users",
        {200: UserOut},
        request=UserChange,
        problems=(404, 409, 503),
    ),
)
