"""What news says to those outside: what the catalogue's document shows of it, and nothing that is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import orjson

from streams.events import ENCODER, Event


def shown(event: Event) -> dict[str, Any]:
    """An event's fields as JSON has them, less what is ours beside the document and what is sealed."""
    said: dict[str, Any] = orjson.loads(ENCODER.encode(event))
    hidden = event.beyond | _sealed(type(event))
    return {name: _clean(getattr(event, name), value) for name, value in said.items() if name not in hidden}


#: What somebody wrote in words, or put there as they liked: it may say who a guest is.
_WORDS = ("cancellation_reason", "reason", "error_message")
_FREE = frozenset({"metadata", "location"})
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}", re.ASCII)


def without_words(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of an event, less what people wrote: of reasons codes such as "sold_out" stay, others are null."""
    reasons = {name: _code(said[name]) for name in _WORDS if name in said}
    return {name: value for name, value in said.items() if name not in _FREE} | reasons


def _code(text: object) -> str | None:
    return text if isinstance(text, str) and _CODE.fullmatch(text) else None


def _clean(part: object, said: Any) -> Any:
    """The same of a struct within an event: a sealed text in it is no more to be shown."""
    if isinstance(part, msgspec.Struct) and isinstance(said, dict):
        hidden = _sealed(type(part))
        return {name: _clean(getattr(part, name, None), value) for name, value in said.items() if name not in hidden}
    if isinstance(part, tuple | list):
        return [_clean(each, value) for each, value in zip(part, said, strict=True)]
    return said


@cache
def _sealed(model: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a struct that are declared as sealed (`streams.events.base.Sealed`)."""
    hints = get_type_hints(model, include_extras=True)
    return frozenset(name for name in model.__struct_fields__ if any(_marks(hints[name])))


def _marks(hint: Any) -> Iterator[bool]:
    if get_origin(hint) is Annotated:
        yield any(isinstance(each, msgspec.Meta) and (each.extra or {}).get("sealed", False) for each in get_args(hint))
    for part in get_args(hint):
        yield from _marks(part)
