"""What requests carry beside their bodies: ids in paths, query parameters, the Idempotency-Key."""

from __future__ import annotations

import uuid
from datetime import date

from aiohttp import web

from web.auth import Principal
from web.problems import Problem, invalid, not_found
from web.texts import read_date

MAX_WAIT_S = 60.0
MAX_KEY = 255


def id_in_path(request: web.Request, name: str, what: str) -> str:
    """An id of ours, in its canonical form; what is no UUID names nothing: 404."""
    given = request.match_info[name]
    try:
        found = str(uuid.UUID(given))
    except ValueError:
        raise not_found(what) from None
    if found != given.lower():  # braces, urn: and missing dashes are other spellings, not ids of ours
        raise not_found(what)
    return found


def name_in_path(request: web.Request, name: str) -> str:
    """An opaque id chosen by the caller, as 422 names it when it cannot be one."""
    given = request.match_info[name]
    if not 1 <= len(given) <= 100 or not given.isprintable() or not given.strip():
        raise invalid(name, "should have 1 to 100 printable characters")
    return given


def wait_of(request: web.Request) -> float:
    """`?wait=SECONDS`, 0 when absent."""
    given = request.query.get("wait", "0")
    if not given.replace(".", "", 1).isdecimal() or not given.isascii() or float(given) > MAX_WAIT_S:
        raise invalid("wait", f"should be a number of seconds from 0 to {MAX_WAIT_S:.0f}")
    return float(given)


def query_name(request: web.Request, name: str) -> str:
    given = request.query.get(name, "")
    if not 1 <= len(given) <= 100 or not given.isprintable():
        raise invalid(name, "is needed, 1 to 100 printable characters")
    return given


def query_date(request: web.Request, name: str) -> date:
    try:
        return read_date(request.query.get(name, ""))
    except ValueError as error:
        raise invalid(name, str(error)) from None


def id_of_request(request: web.Request, principal: Principal) -> tuple[str, bool]:
    """The id a POST gives to what it makes, and whether it came from the caller's Idempotency-Key."""
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return str(uuid.uuid4()), False
    key = keys[0]
    if len(keys) > 1 or not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            400,
            "malformed-idempotency-key",
            "The Idempotency-Key cannot be used",
            f"Send one Idempotency-Key of 1 to {MAX_KEY} printable ASCII characters.",
        )
    return str(uuid.uuid5(principal.id, key)), True
