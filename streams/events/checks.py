"""What msgspec leaves to us once a message is read: times in UTC, sums that are numbers, ids without controls."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from streams.events.base import Amount, Id, Instant, NonNegativeAmount, PositiveAmount

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What a JSON number of other programs can hold (IEEE 754 binary64).
_LARGEST_EXPONENT = 307


class Unfit(ValueError):
    """A field that no message of ours may have. `field` is its path, the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class _Check(NamedTuple):
    """What holds of a field of every message of ours."""

    field: str
    holds: Callable[[Any], bool]
    otherwise: str


class _Plan(NamedTuple):
    """The fields of a struct that are to be looked at."""

    instants: tuple[str, ...]
    sums: tuple[_Check, ...]
    #: The sums and the ids.
    all: tuple[_Check, ...]
    parts: tuple[tuple[str, type[msgspec.Struct]], ...]


def settle(found: msgspec.Struct, *, ids: bool = True, place: str = "data") -> None:
    """Checks a struct just read and puts its times in UTC, in place: nobody else has it yet.

    `ids` is False where the bytes it was read from cannot hold a control character.

    Raises:
        Unfit: a sum that is no number or not one of its kind, an id with a control character, a time that UTC's
            calendar does not have.
    """
    plan = _plan(type(found))
    for name in plan.instants:
        value = getattr(found, name)
        if value is not None and value.tzinfo is not UTC:
            _put_in_utc(found, name, value, place)
    for name, holds, otherwise in plan.all if ids else plan.sums:
        value = getattr(found, name)
        if value is not None and not (all(map(holds, value)) if type(value) is tuple else holds(value)):
            raise Unfit(f"{place}.{name}", otherwise)
    for name, _ in plan.parts:
        value = getattr(found, name)
        if type(value) is tuple:
            for number, each in enumerate(value):
                settle(each, ids=ids, place=f"{place}.{name}.{number}")
        elif value is not None:
            settle(value, ids=ids, place=f"{place}.{name}")


def with_times(body: Mapping[str, Any], model: type[msgspec.Struct]) -> dict[str, Any]:
    """What another program says, its times read as ISO 8601 has them: java.time leaves out seconds that are 0."""
    plan, found = _plan(model), dict(body)
    for name in plan.instants:
        if isinstance(found.get(name), str):
            with contextlib.suppress(ValueError):
                found[name] = datetime.fromisoformat(found[name])
    for name, part in plan.parts:
        value = found.get(name)
        if isinstance(value, list):
            found[name] = [with_times(each, part) if isinstance(each, dict) else each for each in value]
        elif isinstance(value, dict):
            found[name] = with_times(value, part)
    return found


def _put_in_utc(found: msgspec.Struct, name: str, value: datetime, place: str) -> None:
    try:
        msgspec.structs.force_setattr(found, name, value.astimezone(UTC))
    except OverflowError:
        raise Unfit(f"{place}.{name}", "no time of UTC's calendar") from None


def _is_sum(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() <= _LARGEST_EXPONENT


_NO_SUM = "no sum of money"
_CHECKS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    Amount: (_is_sum, _NO_SUM),
    NonNegativeAmount: (lambda value: _is_sum(value) and value >= 0, f"{_NO_SUM} of 0 or more"),
    PositiveAmount: (lambda value: _is_sum(value) and value > 0, f"{_NO_SUM} above 0"),
    Id: (lambda value: _CONTROL.search(value) is None, "has a control character"),
}


@cache
def _plan(model: type[msgspec.Struct]) -> _Plan:
    hints = get_type_hints(model, include_extras=True)
    kinds = {name: tuple(_kinds(hints[name])) for name in model.__struct_fields__}
    checks = [(kind, _Check(name, *_CHECKS[kind])) for name in kinds for kind in kinds[name] if kind in _CHECKS]
    return _Plan(
        instants=tuple(name for name, found in kinds.items() if Instant in found),
        sums=tuple(check for kind, check in checks if kind is not Id),
        all=tuple(check for _, check in checks),
        parts=tuple((name, each) for name, found in kinds.items() for each in found if _is_struct(each)),
    )


def _kinds(hint: Any) -> Iterator[Any]:
    """The types a field may have: of a union its members, of a tuple its items'."""
    if hint in (Instant, *_CHECKS):
        yield hint
    elif get_origin(hint) in (Union, UnionType, tuple, Annotated):
        for each in get_args(hint):
            yield from _kinds(each)
    elif isinstance(hint, type):
        yield hint


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
