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
VISA = PaymentMethod(brand="visa", last4="4242")
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
        payment_method=VISA,
        succeeded_at=NOW,
        about=of,
    )
    asked = receipt_request_of(envelope(paid))
    assert asked is not None
    return asked


def rules_1(of: About | None = None) -> RequestReceipt:
    """As requests were before they said their rules."""
    return msgspec.structs.replace(request(of), rules=1, method=None)


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


def told(number: str, seconds: int, of: About | None) -> ReceiptGenerated:
    receipt_id = receipt_id_of("p1")
    return ReceiptGenerated(
        receipt_id=receipt_id,
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        receipt_number=number,
        receipt_url=f"/api/receipts/{receipt_id}",
        amount=Decimal("240.00"),
        currency="EUR",
        generated_at=NOW + timedelta(seconds=seconds),
        about=of,
    )


@pytest.mark.proves("CAT-10", "CAT-21")
@pytest.mark.parametrize("of", [about(), None])
def test_a_receipt_is_told_with_its_request(of: About | None) -> None:
    """Nothing is written first: a page that nobody reads is never made."""
    receipt, said = after(request(of))
    assert said == [told(NUMBER, 1, of)]
    assert receipt is not None
    assert (receipt.generated_at, receipt.method, receipt.about) == (NOW + timedelta(seconds=1), VISA, of)


def test_a_request_of_the_rules_1_is_written_and_then_told() -> None:
    """As it stands in old inboxes, so it is decided again."""
    receipt, (write, news) = after(rules_1(about()), WRITTEN)
    assert receipt is not None
    assert receipt.generated_at == NOW + timedelta(seconds=2)
    assert isinstance(write, WriteReceipt)
    assert (write.receipt_number, write.about) == (NUMBER, about())
    assert news == told(NUMBER, 2, about())


def test_a_request_as_old_logs_have_it_is_of_the_rules_1() -> None:
    fields = msgspec.to_builtins(request())
    old = {name: value for name, value in fields.items() if name not in ("rules", "method")}
    assert msgspec.convert(old, RequestReceipt) == rules_1()


@pytest.mark.proves("CAT-23")
@given(st.lists(st.sampled_from([request(), rules_1(), WRITTEN]), max_size=6))
def test_repeated_in_any_order_nothing_is_said_twice(messages: list[Event]) -> None:
    receipt, said = after(*messages)
    first = next((each for each in messages if each != WRITTEN), None)
    rest = messages[messages.index(first) :] if first is not None else []
    expected: list[type[Event]] = [WriteReceipt] if first == rules_1() else []
    expected += [ReceiptGenerated] if first == request() or WRITTEN in rest else []
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
