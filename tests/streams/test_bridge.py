"""News across bridges: every layout to every other and back keeps what all layouts share (C1, C2)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import layouts
from streams.bridge import BRIDGE_HEADER, Bridge, Side, Untranslatable, came_through, shared
from streams.carrying import Carrier
from streams.codec import MAX_MESSAGE_BYTES, Undecodable, encode
from streams.events import Envelope, Event
from streams.events.about import About
from streams.events.availability import NightUpdated
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingRejected,
    BookingUpdated,
    InventoryUpdated,
)
from streams.events.notices import EmailSent
from streams.events.payment_news import (
    PaymentAuthorizedNews,
    PaymentCreated,
    PaymentFailed,
    PaymentRefundedEvent,
    PaymentSucceeded,
)
from streams.events.receipts import ReceiptGenerated
from streams.events.records import HealthRecordCreated, PrescriptionCreated
from streams.events.users import UserCreated, UserUpdated
from streams.layout import Layout, load_layout, make_layout
from streams.layout_file import read_layout
from streams.publisher import Acknowledgement, Record
from streams.signing import ID_HEADER, SIGNATURE_HEADER
from streams.topics import Topic, dead_letter_name
from streams.wire import Headers, Reveal
from streams.wire.document import DocumentCodec
from tests.memory_log import MemoryLog, Stored
from tests.streams import wire_cases
from tests.streams.wire_cases import GUEST, RECORD_MS, RECORD_TIME, envelopes, erased, heard, reveal

SIDES = {name: Side(load_layout(name)) for name in layouts()}
#: The same layouts elsewhere: what came from the one side is news to these.
AFAR = {name: Side(make_layout(name, read_layout(name), "afar")) for name in layouts()}
NEWS = (
    *(BookingCreated, BookingUpdated, BookingConfirmed, BookingCancelled, BookingRejected, BookingExpired),
    *(BookingCheckedIn, BookingCompleted, InventoryUpdated, NightUpdated, EmailSent, ReceiptGenerated),
    *(PaymentCreated, PaymentAuthorizedNews, PaymentSucceeded, PaymentFailed, PaymentRefundedEvent),
    *(UserCreated, UserUpdated, PrescriptionCreated, HealthRecordCreated),
)
PAIRS = list(itertools.permutations(SIDES, 2))


def said(layout: Layout, news: Envelope, revealed: Reveal = reveal) -> Stored:
    """A message of ours as it lies on its topic, in the document's words or canonical."""
    topic, _ = layout.route(news.data)
    if topic.name in layout.topics:
        return wire_cases.said(layout, news, revealed)
    return wire_cases.record(topic, encode(news), ((ID_HEADER, news.event_id.encode()),))


def across(record: Stored, source: Side, target: Side, **how: Any) -> Stored:
    """The record as it lies on the target's topic."""
    carried = Bridge(source, target, **how).translate(record)
    assert carried is not None
    assert carried.record.key is not None
    assert carried.partition == target.layout.named[carried.topic].partition(carried.record.key.decode())
    found = carried.record
    return Stored(carried.topic, carried.partition, 3, RECORD_MS, found.key, found.value, tuple(found.headers))


@pytest.mark.parametrize(("home", "away"), PAIRS)
@settings(max_examples=25, deadline=None)
@given(news=envelopes(*NEWS))
def test_what_crosses_and_comes_back_keeps_what_is_shared(home: str, away: str, news: Envelope) -> None:
    there = across(said(SIDES[home].layout, news), SIDES[home], SIDES[away])
    met = heard(SIDES[away].layout, there)
    assert shared(met) == shared(news)
    back = across(there, SIDES[away], AFAR[home])
    assert shared(heard(AFAR[home].layout, back)) == shared(news)
    assert (met.source, dict(met.metadata)) == (news.source, dict(news.metadata))


@settings(max_examples=40, deadline=None)
@given(news=envelopes(*NEWS), way=st.lists(st.sampled_from(sorted(SIDES)), min_size=2, max_size=6))
def test_any_way_across_loses_nothing_within_one_instance(news: Envelope, way: list[str]) -> None:
    """Under one secret sealed texts go along, and the message at the end is the message that was said."""
    sides = [Side(make_layout(name, read_layout(name), f"n{number}")) for number, name in enumerate(way)]
    record = said(sides[0].layout, news)
    for source, target in itertools.pairwise(sides):
        record = across(record, source, target, reveal=reveal, same_secret=True)
    found = heard(sides[-1].layout, record)
    assert msgspec.structs.replace(found, personal={}) == news
    assert came_through(record.headers) == tuple(side.name for side in sides[:-1])


@pytest.mark.parametrize(("home", "away"), PAIRS)
@settings(max_examples=10, deadline=None)
@given(news=envelopes(*NEWS))
def test_nothing_comes_back_that_came_from_there(home: str, away: str, news: Envelope) -> None:
    there = across(said(SIDES[home].layout, news), SIDES[home], SIDES[away])
    assert Bridge(SIDES[away], SIDES[home]).translate(there) is None
    assert Bridge(SIDES[away], SIDES[away]).translate(there) is not None


@settings(max_examples=60, deadline=None)
@given(news=envelopes(*NEWS), way=st.sampled_from(PAIRS))
def test_the_target_sees_no_signature_and_nothing_sealed(news: Envelope, way: tuple[str, str]) -> None:
    home, away = SIDES[way[0]], SIDES[way[1]]
    record = said(home.layout, news)
    signed = replace(record, headers=(*record.headers, (SIGNATURE_HEADER, b"ours")))
    there = across(signed, home, away, reveal=reveal)
    headers = dict(there.headers)
    assert SIGNATURE_HEADER not in headers
    assert headers[ID_HEADER] == news.event_id.encode()
    sealed = _sealed(news)
    assert sealed is None or all(sealed.encode() not in part for part in _parts(there))


@settings(max_examples=60, deadline=None)
@given(news=envelopes(*NEWS), way=st.sampled_from(PAIRS))
def test_without_a_keyring_nobody_is_shown(news: Envelope, way: tuple[str, str]) -> None:
    """Not even what the source's document shows in clear."""
    home, away = SIDES[way[0]], SIDES[way[1]]
    there = across(said(home.layout, news), home, away)
    assert all(GUEST["email"].encode() not in part for part in _parts(there))


@pytest.mark.parametrize("revealed", [reveal, erased])
def test_a_document_that_shows_a_guest_shows_what_the_source_knows(revealed: Reveal) -> None:
    event = UserCreated(user_id="u-1", personal="3fa9c01b.c2VhbGVk", created_at=RECORD_TIME)
    news = _envelope(event)
    there = across(said(SIDES["catalogue"].layout, news, erased), *_way("catalogue", "campsite"), reveal=revealed)
    shown = orjson.loads(there.value or b"")["Email"]
    assert shown == (GUEST["email"] if revealed is reveal else None)
    # What another program showed in clear is carried as it is: it needs no key.
    clear = said(SIDES["catalogue"].layout, news, reveal)
    there = across(clear, *_way("catalogue", "campsite"), reveal=revealed)
    assert orjson.loads(there.value or b"")["Email"] == GUEST["email"]


def test_on_one_cluster_a_topic_of_both_is_left_alone() -> None:
    """`vacancy.events` is the same topic for two layouts in one namespace: what lies there is there."""
    record = said(SIDES["campsite"].layout, _envelope(_night()))
    assert record.topic == "vacancy.events"
    assert Bridge(*_way("campsite", "clinic"), same_cluster=True).translate(record) is None
    assert Bridge(*_way("campsite", "clinic")).translate(record) is not None
    # The hotel's document has a topic of its own for it.
    carried = Bridge(*_way("campsite", "hotel"), same_cluster=True).translate(record)
    assert carried is not None
    assert carried.topic == "availability.updated"


def test_what_is_no_message_is_undecodable() -> None:
    poison = Stored("booking.booking.created", 0, 0, RECORD_MS, b"k", b"not JSON", ())
    with pytest.raises(Undecodable):
        Bridge(*_way("catalogue", "hotel")).translate(poison)


def test_what_the_target_could_not_read_is_not_carried() -> None:
    about = About(price_amount=Decimal(1), price_currency="EUR", details={"notes": "x" * (MAX_MESSAGE_BYTES // 2)})
    reason = "x" * (MAX_MESSAGE_BYTES * 3 // 4)
    event = BookingRejected(
        booking_id="b", user_id="u", product_id="p", about=about, rejected_at=RECORD_TIME, reason=reason
    )
    # In the catalogue `about` stands beside the document; where the orders' has no topic for it, within the message.
    with pytest.raises(Untranslatable) as raised:
        Bridge(*_way("catalogue", "orders")).translate(said(SIDES["catalogue"].layout, _envelope(event)))
    assert raised.value.kind == "too-large"


def test_what_the_target_cannot_say_is_refused() -> None:
    class Speechless(DocumentCodec):
        def encode(self, envelope: Envelope, topic: Topic, reveal: Reveal) -> tuple[bytes, Headers]:
            raise AttributeError("no lines")

    source, target = _way("catalogue", "hotel")
    target = Side(target.layout)
    target.__dict__["codec"] = Speechless({}, lambda *_: {}, lambda *_: "", lambda _: None, lambda _: None)
    with pytest.raises(Untranslatable, match="no lines") as raised:
        Bridge(source, target).translate(said(source.layout, _envelope(_night())))
    assert raised.value.kind == "refused"


async def test_a_carrier_counts_and_buries() -> None:
    source, target = MemoryLog(), MemoryLog()
    carrier = Carrier(Bridge(*_way("catalogue", "hotel")), "group", there=target, back=source)
    good = said(SIDES["catalogue"].layout, _envelope(_night()))
    home = replace(good, headers=((BRIDGE_HEADER, b"hotel@"),))
    poison = replace(good, value=b"not JSON", offset=8)
    await carrier.carry([good, home, poison])
    assert (carrier.tally.carried, carrier.tally.home, carrier.tally.dead) == (1, 1, 1)
    assert [len(records) for (topic, _), records in target.records.items() if topic == "availability.updated"] == [1]
    [letter] = source.read(dead_letter_name(good.topic))
    assert (letter.value, dict(letter.headers)["vacancy-dlq-offset"]) == (b"not JSON", b"8")


async def test_nothing_is_done_before_the_target_has_it() -> None:
    class Refusing(MemoryLog):
        def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
            raise ConnectionError("no acknowledgement")

    carrier = Carrier(Bridge(*_way("catalogue", "hotel")), "group", there=Refusing(), back=MemoryLog())
    with pytest.raises(ConnectionError):
        await carrier.carry([said(SIDES["catalogue"].layout, _envelope(_night()))])


def _way(home: str, away: str) -> tuple[Side, Side]:
    return SIDES[home], SIDES[away]


def _night() -> NightUpdated:
    return NightUpdated(
        provider_id="p", product_id="u", slot="2026-12-24", capacity=3, held=1, free=2, updated_at=RECORD_TIME
    )


def _envelope(event: Event) -> Envelope:
    return Envelope(
        event_id="6f1c2e34-0000-4000-8000-000000000001",
        event_type=event.event_type,
        event_version="1.0",
        timestamp=RECORD_TIME,
        correlation_id="c-1",
        data=event,
        source="booking-service",
    )


def _sealed(news: Envelope) -> str | None:
    about = getattr(news.data, "about", None)
    found = getattr(news.data, "personal", None) or getattr(news.data, "content", None)
    return str(found) if found else (about.guest if about is not None else None)


def _parts(record: Stored) -> list[bytes]:
    return [record.value or b"", *(value for _, value in record.headers)]
