"""What requests carry beside their bodies: ids in paths, query parameters, the Idempotency-Key."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime

from aiohttp import web

from web.auth import Principal
from web.problems import Problem, invalid, not_found
from web.texts import read_date, read_instant

MAX_WAIT_S = 60.0
MAX_KEY = 255
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ZONE_AFTER_SPACE = re.compile(r"(?<=\d) (\d{2}:\d{2})$", re.ASCII)


def id_in_path(request: web.Request, name: str, what: str) -> str:
    """An id, of ours or as another program gave it; what cannot be one names nothing: 404."""
    given = request.match_info[name]
    if not 1 <= len(given) <= 100 or not given.isprintable():
        raise not_found(what)
    return canonical(given)


def canonical(given: str) -> str:
    """An id as rows are kept under it: a UUID is the same in capitals, any other text is taken as it is."""
    return given.lower() if _UUID.fullmatch(given) else given


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


def at_of(request: web.Request) -> datetime | None:
    """`?at=TIME`, None when absent."""
    given = request.query.get("at")
    if given is None:
        return None
    try:
        # An unescaped "+" of a time's zone arrives as a space.
        return read_instant(_ZONE_AFTER_SPACE.sub(r"+\1", given))
    except ValueError as error:
        raise invalid("at", str(error)) from None


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
