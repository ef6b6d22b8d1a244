"""Envelopes on the wire: what comes back, and what is poison; and the header beside a document's message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid5

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.codec import MAX_MESSAGE_BYTES, Undecodable, decode, encode, jsonable
from streams.envelope import NAMESPACE, caused_by, derive, originate, resulting
from streams.events import EVENT_TYPES, Envelope
from streams.events.booking import CancelBooking
from streams.events.booking_news import BookingCreated, BookingExpired
from streams.events.notices import MarkAllRead
from streams.events.payment import Refund
from streams.layout import load_layout
from tests.streams.wire_cases import envelopes, heard, record, said

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ASKED = CancelBooking(booking_id="b", reason="rain", cancelled_by="guest")


def wire(**changes: object) -> bytes:
    body = orjson.loads(encode(originate(ASKED, source="test", now=NOW)))
    return orjson.dumps({**body, **changes})


@pytest.mark.proves("CAT-22", "CAT-23")
def test_what_is_caused_carries_the_chain() -> None:
    """Correlation is carried through, causation names the cause; the same cause says the same again."""
    cause = originate(ASKED, source="gateway", now=NOW, correlation_id="c")
    event = BookingExpired(booking_id="b", user_id="u", product_id="p", expired_at=NOW)
    said = caused_by(cause, event, index=0, now=NOW, source="booking-service")
    assert (said.correlation_id, said.causation_id, said.source) == ("c", cause.event_id, "booking-service")
    assert said == caused_by(cause, event, index=0, now=NOW, source="booking-service")
    assert said.event_id != caused_by(cause, event, index=1, now=NOW, source="booking-service").event_id


@pytest.mark.proves("CAT-23")
@given(name=st.text(max_size=80))
def test_derived_ids_are_uuid5(name: str) -> None:
    assert derive(name) == str(uuid5(NAMESPACE, name))


@pytest.mark.proves("CAT-23")
def test_what_comes_from_outside_has_a_fresh_id_per_attempt() -> None:
    first, second = (originate(ASKED, source="gateway", now=NOW) for _ in range(2))
    assert first.event_id != second.event_id
    results = [resulting(first, ASKED, now=NOW, source="payment-service") for _ in range(2)]
    assert results[0].event_id != results[1].event_id
    assert {result.causation_id for result in results} == {first.event_id}


@pytest.mark.proves("CAT-22")
@given(
    reason=st.text(max_size=50),
    amount=st.decimals(min_value="0.01", max_value="9999999999.99", places=2),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_everything_comes_back(reason: str, amount: Decimal, offset: int) -> None:
    """C18: money is exact through a JSON number; times come back in UTC."""
    asked = Refund(payment_id="p", booking_id="b", refund_id="r", amount=amount, reason=reason)
    sent = originate(asked, source="test", now=NOW + timedelta(minutes=offset), metadata={"ip_address": "::1"})
    assert decode(encode(sent)) == sent


@pytest.mark.proves("CAT-22")
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sent=envelopes(*EVENT_TYPES.values()))
def test_every_kind_of_message_comes_back(sent: Envelope) -> None:
    """And what is written is JSON to every reader, sums and all."""
    raw = encode(sent)
    assert decode(raw) == sent
    assert orjson.loads(raw)["event_type"] == sent.event_type


#: A booking as version 0.2 wrote it: sums as floats have them.
STORED = {
    "booking_id": "b",
    "user_id": "u",
    "product_id": "p",
    "about": {
        "price_amount": 129.0,
        "price_currency": "EUR",
        "lines": [
            {
                "line": 1,
                "provider_id": "inn",
                "product_id": "p",
                "start": "2026-03-01T14:00:00Z",
                "end": "2026-03-02T11:00:00Z",
                "quantity": 1,
                "price_amount": 129.0,
            }
        ],
    },
    "provider_id": "inn",
    "start_time": "2026-03-01T14:00:00Z",
    "end_time": "2026-03-02T11:00:00Z",
    "quantity": 1,
    "price_amount": 129.0,
    "price_currency": "EUR",
}


def booked(**changes: object) -> bytes:
    """A booking of another program, its line and its own fields changed alike where both have them."""
    about = STORED["about"]
    assert isinstance(about, dict)
    line = about["lines"][0] | {name: value for name, value in changes.items() if name in about["lines"][0]}
    return wire(event_type="booking.booking.created", data={**STORED, "about": {**about, "lines": [line]}, **changes})


@pytest.mark.proves("CAT-22")
def test_what_version_0_2_wrote_is_read() -> None:
    found = decode(booked())
    assert isinstance(found.data, BookingCreated)
    assert (found.data.price_amount, found.data.start_time) == (Decimal("129.00"), NOW.replace(hour=14, minute=0))
    assert decode(encode(found)) == found


@pytest.mark.proves("CAT-22", "CLN-20")
@pytest.mark.parametrize("spelling", ["2026-03-01T15:00:00+01:00", "2026-03-01T09:00:00-0500", "2026-03-01T14:00Z"])
def test_times_of_other_programs_are_put_in_utc(spelling: str) -> None:
    found = decode(booked(start_time=spelling, start=spelling)).data
    assert isinstance(found, BookingCreated)
    assert found.about is not None
    for time in (found.start_time, found.about.lines[0].start):
        assert (time.isoformat(), time.tzinfo) == ("2026-03-01T14:00:00+00:00", UTC)


@pytest.mark.proves("CAT-22")
def test_numbers_of_other_programs_may_be_texts() -> None:
    found = decode(booked(quantity="2", price_amount="129.00")).data
    assert isinstance(found, BookingCreated)
    assert (found.quantity, found.price_amount) == (2, Decimal("129.00"))
    assert decode(booked(quantity=2.0)).data.quantity == 2  # type: ignore[attr-defined]


#: A time in the data that no UTC clock will ever show.
LATE = orjson.dumps(
    {
        **orjson.loads(wire(event_type="booking.booking.expired")),
        "data": {"booking_id": "b", "user_id": "u", "product_id": "p", "expired_at": "9999-12-31T23:59:59-05:00"},
    }
)


REFUND = {"payment_id": "p", "booking_id": "b", "refund_id": "r", "reason": "rain"}
AUTHORIZE = {
    "payment_id": "p",
    "booking_id": "b",
    "revision": 1,
    "user_id": "u",
    "currency": "EUR",
    "payment_token": "t",
}


@pytest.mark.proves("CAT-22", "CLN-20")
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (None, "null"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (wire()[:-20], "not JSON"),
        (b"[" * 100_000, "not an envelope"),
        (b'{"event_id":' + b"[" * 100_000, "event_id"),
        (wire(extra=7)[:-2] + b"[" * 100_000, "not JSON"),
        (wire(data={})[:-1] + b',"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (b"[1]", "not an envelope"),
        (b'"text"', "not an envelope"),
        (b" " * (MAX_MESSAGE_BYTES + 1), "bytes"),
        (wire(event_type="no.such.type"), "unknown event_type"),
        (wire(event_type=None), "event_type"),
        (wire(event_id=7), "event_id"),
        (wire(correlation_id=""), "correlation_id"),
        (wire(timestamp="yesterday"), "timestamp"),
        (wire(timestamp="2026-01-01T00:00:00"), "time zone"),
        (wire(timestamp="0001-01-01T00:00:00+05:00"), "timestamp"),
        (wire(timestamp="9999-12-31T23:59:59-05:00"), "timestamp"),
        (wire(metadata=[1]), "metadata"),
        (wire(metadata={"causation_id": 7}), "metadata.causation_id"),
        (LATE, "data"),
        (wire(data=None), "data"),
        (wire(data={"booking_id": 5, "reason": "r", "cancelled_by": "g"}), "data.booking_id"),
        (wire(data={"booking_id": "b\n", "reason": "r", "cancelled_by": "g"}), "data.booking_id"),
        (wire(data={"booking_id": "b\x7f", "reason": "r", "cancelled_by": "g"}), "data.booking_id: .*control"),
        (wire(data={"booking_id": "b" * 101, "reason": "r", "cancelled_by": "g"}), "data.booking_id: .*100"),
        (wire(data={"booking_id": "", "reason": "r", "cancelled_by": "g"}), "data.booking_id"),
        (wire(data={"booking_id": "b", "cancelled_by": "g"}), "data.reason: missing"),
        (wire().replace(b"rain", b"r\xffn"), "not JSON"),
        (wire(data={"booking_id": 1})[:-1].replace(b"rain", b"{") + b",", "not JSON"),
        (booked(price_amount="NaN"), "data.price_amount: no sum"),
        (booked(price_amount="1e400"), "data.price_amount: no sum"),
        (booked(price_currency="EUR\n"), "data.price_currency"),
        (booked(about={**STORED, "lines": [{}]}), r"data\.about\.lines\.0\.line: missing"),
        (booked(quantity=0), r"data\.about\.lines\.0\.quantity: Expected int >= 1"),
        (booked(quantity=2**63), r"data\.about\.lines\.0\.quantity"),
        (booked(quantity=[]), "quantity: Expected int, got array"),
        (booked(about=7), "data.about: "),
        (booked(start_time="soon"), "data.start_time"),
        (booked(start="9999-12-31T23:59:59-05:00"), r"data\.about\.lines\.0\.start: no time"),
        (wire(event_type="payment.payment.refund", data={**REFUND, "amount": 0}), "data.amount: .*above 0"),
        (wire(event_type="payment.payment.authorize", data={**AUTHORIZE, "amount": -1}), "data.amount: .*0 or more"),
    ],
)
def test_poison_says_what_is_wrong(raw: bytes | None, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        decode(raw)


@pytest.mark.proves("CAT-22")
def test_what_is_not_known_is_left_out() -> None:
    raw = wire(extra=1, data={**jsonable(ASKED), "surprise": True})
    assert decode(raw).data == ASKED


CLINIC = load_layout("clinic")
APPOINTMENTS = CLINIC.topics["appointment-events"]
EXPIRED = originate(
    BookingExpired(booking_id="b", user_id="u", product_id="p", expired_at=NOW),
    source="booking-service",
    now=NOW,
    metadata={"attempt": 2},
)
CANCELLED = orjson.dumps({"appointmentId": "b", "action": "cancelled"})


@pytest.mark.proves("CLN-22")
def test_what_looks_alike_in_a_document_is_told_apart_by_the_header() -> None:
    """Expired shows as a cancellation there; without the header it is one."""
    found = said(CLINIC, EXPIRED)
    assert heard(CLINIC, found) == EXPIRED
    assert heard(CLINIC, replace(found, headers=())).event_type == "booking.booking.cancelled"


@pytest.mark.proves("CLN-20", "CLN-22")
@pytest.mark.parametrize(
    ("rest", "says"),
    [
        (b"{", "not JSON"),
        (b"7", "not an object"),
        (b'{"_": 7}', "does not describe"),
        (b'{"_": {"event_type": ["a"]}}', "does not describe"),
        (b'{"_": {"metadata": "a"}}', "does not describe"),
        (b'{"_": {"causation_id": 7}}', "does not describe"),
        (b'{"_": {"event_type": "payment.payment.succeeded"}}', "carries no 'payment.payment.succeeded'"),
        (b'{"_": {"event_type": "record.health.created"}}', "carries no 'record.health.created'"),
        (b'{"booking_id": 7}', "data.booking_id"),
        (b'{"cancelled_at": "soon"}', "data.cancelled_at"),
    ],
)
def test_a_header_of_another_program_may_hold_anything(rest: bytes, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        heard(CLINIC, record(APPOINTMENTS, CANCELLED, (("vacancy-rest", rest),)))


@pytest.mark.proves("CLN-20", "CLN-22")
@pytest.mark.parametrize("time", [b"soon", b"2024-12-01", b"\xff", b"9999-12-31T23:59:59-05:00"])
def test_a_time_that_is_none_is_poison(time: bytes) -> None:
    with pytest.raises(Undecodable, match="timestamp"):
        heard(CLINIC, record(APPOINTMENTS, CANCELLED, (("ce_time", time),)))


@pytest.mark.proves("CLN-20", "CLN-22")
@pytest.mark.parametrize("moment", [10**17, -(10**17), 2**63 - 1, -(2**63)])
def test_a_record_of_no_time_is_poison(moment: int) -> None:
    with pytest.raises(Undecodable, match="time"):
        heard(CLINIC, replace(record(APPOINTMENTS, CANCELLED), timestamp=moment))


@pytest.mark.proves("CLN-22")
def test_without_headers_the_logs_place_and_time_stand_in() -> None:
    """The same record has the same id whenever it is read; another one has another."""
    news = [heard(CLINIC, record(APPOINTMENTS, CANCELLED, offset=offset)) for offset in (7, 7, 8)]
    assert news[0] == news[1]
    assert news[0].event_id != news[2].event_id
    assert news[0].correlation_id == news[0].event_id
    assert (news[0].source, news[0].causation_id, news[0].timestamp.year) == ("unknown", None, 2023)


def test_each_of_several_ids_is_looked_at() -> None:
    several = MarkAllRead(user_id='a "guest"', notice_ids=("n1", "n2"))
    sent = originate(several, source="gateway", now=datetime(2026, 5, 1, tzinfo=UTC))
    assert decode(encode(sent)).data == several
    forged = encode(sent).replace(b'"n2"', b'"n\\u0007"')
    with pytest.raises(Undecodable, match=r"notice_ids.1: has a control character|notice_ids"):
        decode(forged)
