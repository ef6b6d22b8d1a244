"""One receipt for each payment that succeeded, with a number nobody else has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.receipts import Counter, Receipt, decide, receipt_id_of, receipt_request_of
from streams.events import Event
from streams.events.about import About
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentSucceeded
from streams.events.receipts import ReceiptGenerated, ReceiptWritten, RequestReceipt, WriteReceipt
from tests.domain.test_notices import about, confirmed, envelope

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NUMBER = "RCP-2026-000001"
WRITTEN = ReceiptWritten(payment_id="p1", effect_id="f1")


def request(of: About | None = None) -> RequestReceipt:
    paid = PaymentSucceeded(
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        amount=Decimal("240.00"),
        currency="EUR",
        provider="sandbox",
        provider_payment_id="pi_1",
        payment_method=PaymentMethod(),
        succeeded_at=NOW,
        about=of,
    )
    asked = receipt_request_of(envelope(paid))
    assert asked is not None
    return asked


def after(*messages: Event) -> tuple[Receipt | None, list[Event]]:
    receipt: Receipt | None = None
    said: list[Event] = []
    for number, message in enumerate(messages, start=1):
        now = NOW + timedelta(seconds=number)
        decision = decide(receipt, message, f"RCP-2026-{number:06d}", now)
        receipt = decision.state and msgspec.json.decode(msgspec.json.encode(decision.state), type=Receipt)
        assert receipt == decision.state
        said += decision.events
    return receipt, said


@pytest.mark.proves("CAT-28")
def test_a_payment_that_succeeded_asks_for_a_receipt_and_a_confirmation_for_none() -> None:
    asked = request(about())
    assert (asked.payment_id, asked.amount, asked.paid_at, asked.about) == ("p1", Decimal("240.00"), NOW, about())
    assert receipt_request_of(envelope(confirmed())) is None


@pytest.mark.proves("CAT-10", "CAT-21")
def test_a_receipt_is_written_and_then_told() -> None:
    receipt, (write, told) = after(request(about()), WRITTEN)
    assert receipt is not None
    assert receipt.generated_at == NOW + timedelta(seconds=2)
    assert isinstance(write, WriteReceipt)
    assert (write.receipt_number, write.about) == (NUMBER, about())
    receipt_id = receipt_id_of("p1")
    assert told == ReceiptGenerated(
        receipt_id=receipt_id,
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        receipt_number=NUMBER,
        receipt_url=f"/api/receipts/{receipt_id}",
        amount=Decimal("240.00"),
        currency="EUR",
        generated_at=NOW + timedelta(seconds=2),
        about=about(),
    )


def test_a_receipt_needs_not_know_what_was_paid_for() -> None:
    _, (write, told) = after(request(), WRITTEN)
    assert isinstance(write, WriteReceipt)
    assert isinstance(told, ReceiptGenerated)
    assert write.about is told.about is None


@pytest.mark.proves("CAT-23")
@given(st.lists(st.sampled_from([request(), WRITTEN]), max_size=6))
def test_repeated_in_any_order_nothing_is_said_twice(messages: list[Event]) -> None:
    receipt, said = after(*messages)
    rest = messages[messages.index(request()) :] if request() in messages else []
    expected: list[type[Event]] = [WriteReceipt] if rest else []
    expected += [ReceiptGenerated] if WRITTEN in rest else []
    assert [type(each) for each in said] == expected
    assert (receipt is not None) == bool(rest)


@given(st.integers(1, 8), st.data())
def test_numbers_are_never_given_twice_whatever_the_partitions_do(partitions: int, data: st.DataObject) -> None:
    given_by = dict.fromkeys(range(partitions), 0)
    numbers = []
    for partition in data.draw(st.lists(st.integers(0, partitions - 1), max_size=50)):
        numbers.append(Counter(given_by[partition]).number(partition, partitions, 2026))
        given_by[partition] += 1
    assert len(set(numbers)) == len(numbers)


def test_a_number_has_six_digits_or_more() -> None:
    assert Counter().number(0, 4, 2026) == "RCP-2026-000001"
    assert Counter(308).number(1, 4, 2026) == "RCP-2026-001234"
    assert Counter(1_000_000).number(3, 4, 2027) == "RCP-2027-4000004"
