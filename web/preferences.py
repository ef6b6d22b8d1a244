"""What a user wants to hear on which channel."""

from __future__ import annotations

import msgspec
from aiohttp import web
from pydantic import ConfigDict, StrictBool

from domain.preferences import EVERYTHING, Preferences
from streams.events.notices import SetPreferences
from streams.services import NOTIFICATION
from tables.notifications import preferences_key
from web.answers import Answer
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of
from web.models import Request
from web.operations import Operation
from web.requests import name_in_path
from web.shapes import as_json
from web.texts import LocaleIn

_preferences = msgspec.json.Decoder(Preferences)


class PreferencesRequest(Request):
    """All channels are named: what is left out of a replacement is easily lost."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mail": True, "sms": False, "app": True, "locale": "de-CH"}]}
    )

    mail: StrictBool
    sms: StrictBool
    app: StrictBool
    #: The language to write in; null is the property's choice.
    locale: LocaleIn | None = None


class PreferencesOut(Answer):
    """Which channels a user wants to hear on; who never said anything hears on all of them."""

    user_id: str
    mail: bool
    sms: bool
    app: bool
    locale: str | None = None


async def get_preferences(request: web.Request) -> web.Response:
    user_id = name_in_path(request, "user_id")
    return _answer(user_id, await _known(context_of(request), user_id))


async def set_preferences(request: web.Request) -> web.Response:
    """Answers once the row says so; asked again, it answers the same."""
    user_id = name_in_path(request, "user_id")
    asked = check(PreferencesRequest, await read_json(request))
    choice = SetPreferences(user_id=user_id, mail=asked.mail, sms=asked.sms, app=asked.app, locale=asked.locale or "")
    return _answer(user_id, await choose(request, choice))


async def choose(request: web.Request, choice: SetPreferences) -> Preferences:
    """The preferences once the row has decided on `choice`."""
    context = context_of(request)
    appended = await context.log.append(choice, source=SOURCE, correlation_id=correlation_of(request))
    return await _known(context, choice.user_id, after=appended.offset)


async def _known(context: Context, user_id: str, after: int | None = None) -> Preferences:
    raw = await context.rows.row(NOTIFICATION.name, user_id, preferences_key(user_id), after=after)
    return _preferences.decode(raw) if raw is not None else EVERYTHING


def _answer(user_id: str, known: Preferences) -> web.Response:
    body = PreferencesOut(user_id=user_id, mail=known.mail, sms=known.sms, app=known.app, locale=known.locale)
    return as_json(body)


OPERATIONS = (
    Operation(
        "GET",
        "/api/users/{user_id}/preferences",
        get_preferences,
        "On which channels a user wants to hear",
        "notifications",
        {200: PreferencesOut},
        problems=(422, 503),
    ),
    Operation(
        "PUT",
        "/api/users/{user_id}/preferences",
        set_preferences,
        "Choose the channels a user hears on",
        "notifications",
        {200: PreferencesOut},
        request=PreferencesRequest,
        problems=(503,),
    ),
)
