"""What the rate service makes of bookings and nights (HTL-22, HTL-25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rates import Applied, Outlook, RateBook, Usage, decide, rate_messages_of
from streams.events import Event
from streams.events.about import Kind
from streams.events.availability import NightUpdated
from streams.events.rate import RateApplied, RecordRate, ReviewRate
from tests.domain.test_analytics import about, confirmed, created, envelope, line

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def record(booking: str = "b1", price: str = "240.00", currency: str = "EUR", units: int = 2) -> RecordRate:
    return RecordRate(
        provider_id="hotel",
        product_id="double",
        booking_id=booking,
        price_amount=Decimal(price),
        price_currency=currency,
        units=units,
    )


def review(held: int, minutes: int = 0, capacity: int = 5) -> ReviewRate:
    return ReviewRate(
        provider_id="hotel",
        product_id="double",
        slot="2026-12-24",
        capacity=capacity,
        held=held,
        updated_at=NOW + timedelta(minutes=minutes),
    )


def asked(event: Event) -> list[Any]:
    return rate_messages_of(envelope(event))


@pytest.mark.proves("HTL-19", "HTL-22")
def test_a_booking_asks_for_its_lines_prices_to_be_recorded() -> None:
    lines = line(price="100.00"), line(price="50.00", quantity=2), line(nights=1, price="9.00", provider="annex")
    found = [(each.provider_id, each.price_amount, each.units) for each in asked(created(about(*lines)))]
    assert found == [("hotel", Decimal(150), 6), ("annex", Decimal(9), 1)]


@pytest.mark.parametrize(("kind", "units"), [("stay", 3), ("order", 3), ("appointment", 3)])
def test_units_are_nights_of_stays_and_else_the_quantity(kind: Kind, units: int) -> None:
    (found,) = asked(
        created(about(line(nights=3 if kind == "stay" else 1, quantity=1 if kind == "stay" else 3), kind=kind))
    )
    assert found.units == units


def test_a_booking_that_names_no_lines_is_one_line() -> None:
    assert asked(created(quantity=4)) == [record(units=4)]
    (strange,) = asked(created(about(line(nights=0, quantity=2))))
    assert strange.units == 2


@pytest.mark.proves("HTL-25")
def test_a_night_that_changed_asks_for_a_review() -> None:
    night = NightUpdated(
        provider_id="hotel", product_id="double", slot="2026-12-24", capacity=5, held=3, free=2, updated_at=NOW
    )
    assert asked(night) == [review(3)]


def test_other_news_asks_for_nothing() -> None:
    assert asked(confirmed(about())) == []


@pytest.mark.proves("HTL-22")
def test_a_rate_is_applied_once_for_each_booking() -> None:
    first = decide(RateBook(), record(), NOW)
    (told,) = first.events
    assert isinstance(told, RateApplied)
    assert (told.booking_id, told.price_amount, told.applied_at) == ("b1", Decimal("240.00"), NOW)
    again = decide(first.state, record(), NOW + timedelta(hours=1))
    assert (again.state, again.events) == (first.state, ())


@given(
    prices=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9999), st.sampled_from(["EUR", "USD"]), st.integers(1, 9))
    )
)
def test_usage_is_the_sum_over_the_bookings(prices: list[tuple[int, int, str, int]]) -> None:
    usage: Usage | None = None
    applied: dict[int, Applied | None] = {}
    for number, cents, currency, units in prices:
        message = record(f"b{number}", str(Decimal(cents) / 100), currency, units)
        after = decide(RateBook(usage=usage, applied=applied.get(number)), message, NOW).state
        usage, applied[number] = after.usage, after.applied
    seen: dict[int, tuple[int, str, int]] = {}
    for number, cents, currency, units in prices:
        seen.setdefault(number, (cents, currency, units))
    found = usage or Usage()
    assert (found.bookings, found.units) == (len(seen), sum(units for _, _, units in seen.values()))
    revenue = {
        name: Decimal(sum(cents for cents, each, _ in seen.values() if each == name)) / 100 for name in ("EUR", "USD")
    }
    assert {name: found.revenue.get(name, Decimal(0)) for name in revenue} == revenue
    if seen:
        cents, currency, _ = list(seen.values())[-1]
        assert (found.last_price, found.last_currency, found.last_booked_at) == (Decimal(cents) / 100, currency, NOW)


@pytest.mark.proves("HTL-25")
def test_a_review_keeps_what_is_left_and_counts_changes() -> None:
    book = RateBook()
    for message in (review(1, 0), review(2, 1), review(2, 2), review(2, 1), review(1, 0), review(2, 3, capacity=9)):
        decision = decide(book, message, NOW)
        assert decision.events == ()
        book = decision.state
    assert book.outlook == Outlook(9, 2, NOW + timedelta(minutes=3), NOW, reviews=3)


def test_a_review_that_names_no_time_is_of_now() -> None:
    undated = msgspec.structs.replace(review(1), updated_at=None)
    assert decide(RateBook(), undated, NOW).state.outlook == Outlook(5, 1, NOW, NOW)
