"""Plausible values for any event, so that a document's own words for it can be shown."""

from __future__ import annotations

import types
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from streams.events import Envelope, Event
from streams.events.about import About, Kind

_WHEN = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)
_ID = uuid.UUID("6f0c2a52-3b1e-5d0a-9c44-7d2f6f1f8a10")
#: What a reader of a document would expect to find under these names.
_KNOWN: dict[str, Any] = {
    "provider_id": "PROP-001",
    "product_id": "standard",
    "price_currency": "EUR",
    "currency": "EUR",
    "refund_currency": "EUR",
    "time_zone": "Europe/Amsterdam",
    "confirmation_number": "RSV-2026-000123",
    "provider": "sandbox",
    "slot": "2026-12-24",
    "end": datetime(2026, 12, 26, 10, 0, tzinfo=UTC),
    "end_time": datetime(2026, 12, 26, 10, 0, tzinfo=UTC),
}
_PLAIN: dict[Any, Any] = {
    datetime: _WHEN,
    date: _WHEN.date(),
    Decimal: Decimal("100.00"),
    int: 1,
    float: 1.0,
    bool: False,
}
#: The personal data in clear of whoever a sample is about.
PERSON = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest", "phone": "+31 6 1234 5678"}

M = TypeVar("M", bound=msgspec.Struct)


def envelope_of(model: type[Event], kind: Kind = "stay") -> Envelope:
    """A message of this type, where it is news of a booking of this kind. Raises ValueError where no values can be
    made up for it."""
    event = sample(model)
    about = getattr(event, "about", None)
    if isinstance(about, About):
        event = msgspec.structs.replace(event, about=msgspec.structs.replace(about, kind=kind))
    return Envelope(
        event_id=str(_ID),
        event_type=model.event_type,
        event_version=model.event_version,
        timestamp=_WHEN,
        correlation_id="6ad3a2f4-8f0e-4b8e-9d1f-2c1a3b4c5d6e",
        data=event,
        source=f"{model.event_type.split('.')[0]}-service",
    )


def sample(model: type[M]) -> M:
    """An instance with something in every field that has no default, is a struct, or is known by its name."""
    wanted = [
        field
        for field in msgspec.structs.fields(model)
        if field.required or field.name in _KNOWN or any(_is_struct(each) for each in _kinds(field.type))
    ]
    return model(**{field.name: _value(field.name, field.type) for field in wanted})


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The types behind a type: of a sequence those of its items, of a union those of its members."""
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple, list):
        return tuple(kind for each in get_args(annotation) for kind in _kinds(each))
    return (annotation,)


def _value(name: str, annotation: Any) -> Any:
    if name in _KNOWN:
        return _KNOWN[name]
    origin, parts = get_origin(annotation), [each for each in get_args(annotation) if each is not type(None)]
    if origin in (Annotated, Union, types.UnionType):
        return _value(name, parts[0])
    if origin in (tuple, list):
        return (_value("", parts[0]),)
    if origin is Literal:
        return parts[0]
    if _is_struct(annotation):
        return sample(annotation)
    return _PLAIN.get(annotation, {}) if annotation is not str else _text(name)


def _text(name: str) -> str:
    return str(uuid.uuid5(_ID, name)) if name.endswith("_id") else name or "text"
