"""Reads a request's JSON body: bounded in size, depth and time, exact in its numbers, then checked by its model."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from web.card_numbers import refuse_card_numbers
from web.problems import FieldError, Problem, unprocessable

MAX_DEPTH = 20
READ_TIMEOUT = 10.0

M = TypeVar("M", bound=BaseModel)


async def read_json(request: web.Request) -> Any:
    """The body as Python values, its numbers as `int` and `Decimal`; raises `Problem` 400, 408, 413, 415, and 422 for a
    card number in it."""
    value = parse(await read_body(request))
    refuse_card_numbers(value)
    return value


async def read_body(request: web.Request) -> bytes:
    """The bytes of a JSON body; raises `Problem` 400, 408, 413 or 415."""
    limit = request.client_max_size
    if request.content_length is not None and request.content_length > limit:
        raise Problem(413, "too-large", "The body is too large", f"A body has at most {limit} bytes.")
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            body = await request.read()
    except TimeoutError:
        raise Problem(408, "too-slow", "The body took too long") from None
    if not body:
        raise _malformed("the body is empty")
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Problem(415, "not-json", "Send JSON", "The Content-Type must be application/json.")
    return body


def parse(body: bytes) -> Any:
    """JSON, strictly: UTF-8, no NaN, no key twice, no lone surrogates, at most `MAX_DEPTH` levels."""
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_float=_decimal, parse_constant=_no_constant, object_pairs_hook=_unique)
        if "\\u" in text:  # the only way to write a lone surrogate
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeError:
        raise _malformed("it is not UTF-8 text") from None
    except ValueError as error:
        raise _malformed(str(error)) from None
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise _malformed(f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def check(model: type[M], value: Any) -> M:
    """`value` as `model`; raises `Problem` 422 naming every field that was refused."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise unprocessable([_field_error(each) for each in error.errors(include_input=False)]) from None


def _field_error(error: Any) -> FieldError:
    path = ".".join(str(part) for part in error["loc"]) or "body"
    return FieldError(path, error["msg"].removeprefix("Value error, "))


def _malformed(why: str) -> Problem:
    return Problem(400, "malformed", "The body is not valid JSON", f"The body cannot be read: {why}.")


def _decimal(text: str) -> Decimal:
    if len(text) > 64:
        raise ValueError("a number is too long")
    return Decimal(text)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for each in level for child in _children(each)]
    return any(isinstance(each, dict | list) for each in level)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
