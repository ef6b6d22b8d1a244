"""No request may carry the number of a payment card: whoever sends one is told which field, and never reads it again.

Nothing of such a request is appended, and neither answers nor logs repeat what was sent. Fields for phone numbers may
hold any digits; UUIDs, dates and our own numbers are no card numbers (`domain.card_numbers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from domain.card_numbers import REMOVED, has_card_number
from web.problems import FieldError, Handler, Problem

#: The headers that are read and kept; the API key is compared only.
_HEADERS = ("Idempotency-Key", "X-Correlation-Id", "User-Agent")
#: Where a telephone number is asked for.
_RECEIVER = ("/dev/inbox", "to")
_MESSAGE = "has a card number; send a token of the payment provider, never a card number"


def refuse_card_numbers(body: Any) -> None:
    """Raises Problem 422 naming every field of a JSON body with a card number, in its value or its name."""
    _refuse(list(_fields(body, "")))


@web.middleware
async def refuse_cards_beside_the_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The path, the query and the headers, before anything reads them. Raises Problem 422."""
    asked = [
        ("query." + _shown(name), f"{name} {value}")
        for name, value in request.query.items()
        if (request.path, name) != _RECEIVER
    ]
    sent = [(name, value) for name in _HEADERS for value in request.headers.getall(name, [])]
    _refuse([field for field, text in [("path", request.path), *asked, *sent] if has_card_number(text)])
    return await handler(request)


def _refuse(fields: list[str]) -> None:
    if fields:
        errors = [FieldError(field, _MESSAGE) for field in dict.fromkeys(fields)]
        raise Problem(
            422, "card-number", "Send no card numbers", "; ".join(f"{e.field}: {e.message}" for e in errors), errors
        )


def _fields(value: Any, field: str) -> Iterator[str]:
    """The fields with a card number in them. Depth is bounded by whoever read the body."""
    match value:
        case dict():
            for name, each in value.items():
                path = f"{field}.{_shown(name)}" if field else _shown(name)
                if has_card_number(name):
                    yield path
                elif name != "phone" or not isinstance(each, str):
                    yield from _fields(each, path)
        case list():
            yield from (
                found for n, each in enumerate(value) for found in _fields(each, f"{field}.{n}" if field else str(n))
            )
        case str() if has_card_number(value):
            yield field or "body"
        case int() if not isinstance(value, bool) and has_card_number(str(value)):
            yield field or "body"


def _shown(name: str) -> str:
    return REMOVED if has_card_number(name) else name
