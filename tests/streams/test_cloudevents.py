"""News for programs outside: CloudEvents 1.0 as the specification asks for, and nothing that is sealed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import get_type_hints

import msgspec
import pytest

from streams.envelope import originate
from streams.events import ENCODER, EVENT_TYPES, Envelope, Event
from streams.events.about import About
from streams.events.booking_news import BookingConfirmed
from streams.events.users import UserCreated
from streams.events.waitlist import EntryOffered
from streams.wire.cloudevents import cloud_event
from streams.wire.shown import _sealed, shown

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SEALED = "0badcafe.c2VhbGVkIHRleHQ="


def envelope(event: Event, **more: str) -> Envelope:
    return msgspec.structs.replace(originate(event, source="booking service", now=NOW), **more)


def confirmed() -> BookingConfirmed:
    about = About(price_amount=Decimal("240.00"), price_currency="EUR", guest=SEALED)
    return BookingConfirmed(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        confirmed_at=NOW,
        price_amount=Decimal("240.00"),
        price_currency="EUR",
        about=about,
    )


def test_every_required_attribute_is_there_and_well_formed() -> None:
    said = cloud_event(envelope(confirmed(), causation_id="c1"))
    assert said["specversion"] == "1.0"
    assert all(isinstance(said[name], str) and said[name] for name in ("id", "source", "type"))
    assert said["source"] == "/vacancy/booking%20service"  # a URI reference
    assert datetime.fromisoformat(said["time"]) == NOW
    assert (said["subject"], said["correlationid"], said["causationid"]) == (said["correlationid"], said["id"], "c1")
    attributes = said.keys() - {"data"}
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in attributes)
    assert all(isinstance(said[name], str) for name in attributes)
    assert "causationid" not in cloud_event(envelope(confirmed()))


def test_what_is_ours_and_what_is_sealed_is_not_shown() -> None:
    assert shown(confirmed()).keys() == set(BookingConfirmed.__struct_fields__) - {"about"}
    assert shown(UserCreated(user_id="u1", personal=SEALED, created_at=NOW)).keys() == {"user_id", "created_at"}


def test_no_news_shows_what_it_has_sealed() -> None:
    assert "personal" in _sealed(EntryOffered)
    assert _sealed(About) == {"guest"}
    for model in EVENT_TYPES.values():
        suspicious = {"personal", "guest", "content", "contact", "payment_token", "secret"}
        named = suspicious & set(get_type_hints(model))
        assert named <= _sealed(model) | model.beyond, model


def test_a_sealed_text_within_a_part_is_not_shown() -> None:
    class Nested(msgspec.Struct):
        abouts: tuple[About, ...]
        beyond: frozenset[str] = frozenset()

    about = About(price_amount=Decimal(1), price_currency="EUR", guest=SEALED)
    said = shown(Nested((about,)))  # type: ignore[arg-type]
    assert SEALED not in ENCODER.encode(said).decode()
    assert said["abouts"][0]["price_currency"] == "EUR"


@pytest.mark.parametrize("amount", ["240.00", "0.10"])
def test_sums_stand_as_numbers(amount: str) -> None:
    event = msgspec.structs.replace(confirmed(), price_amount=Decimal(amount))
    assert ENCODER.encode(cloud_event(envelope(event))["data"]["price_amount"]) == str(float(amount)).encode()
