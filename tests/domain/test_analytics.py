"""What analytics counts: every piece of news once, in any order, and a booking's share of each day's figures."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.analytics import observation_of
from domain.counting import Known, decide
from domain.figures import NOTHING, Figures, Place, Span, Tracked, changes, share, spread, summed
from streams.codec import decode, encode
from streams.events import Envelope, Event
from streams.events.about import About, Kind, Line
from streams.events.analytics import AnalyticsTracked, Observe
from streams.events.availability import NightOverbooked, NightUpdated
from streams.events.booking import CancellationCounted
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingNoShow,
    BookingRejected,
    BookingUpdated,
)
from streams.events.hooks import EndpointPaused
from streams.events.notices import EmailSent
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentFailed, PaymentRefundedEvent, PaymentSucceeded
from streams.events.platform import BreakerChanged
from streams.events.rate import RateUpdated
from streams.events.records import PrescriptionCancelled
from streams.events.users import UserCreated
from streams.layout import load_layout
from tests.streams.wire_cases import envelopes

NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
START = datetime(2026, 12, 24, tzinfo=UTC)
NIGHTS = ("2026-12-24", "2026-12-25")


def line(
    nights: int = 2, price: str = "240.00", provider: str = "hotel", quantity: int = 1, start: datetime = START
) -> Line:
    return Line(
        line=1,
        provider_id=provider,
        product_id="double",
        start=start,
        end=start + timedelta(days=nights),
        quantity=quantity,
        price_amount=Decimal(price),
    )


def about(*lines: Line, kind: Kind = "stay", time_zone: str = "UTC") -> About:
    return About(
        kind=kind,
        lines=lines or (line(),),
        price_amount=Decimal("240.00"),
        price_currency="EUR",
        time_zone=time_zone,
        guest="sealed guest",
    )


def envelope(event: Event, at: datetime = NOW, event_id: str = "", cause: str | None = "cause") -> Envelope:
    return Envelope(
        event_id=event_id or f"{event.event_type}@{at.isoformat()}",
        event_type=event.event_type,
        event_version="1.0",
        timestamp=at,
        correlation_id="c1",
        data=event,
        source="booking-service",
        causation_id=cause,
    )


def created(facts: About | None = None, **more: Any) -> BookingCreated:
    return BookingCreated(
        **_news(facts),
        **{
            "provider_id": "hotel",
            "start_time": START,
            "end_time": START + timedelta(days=2),
            "quantity": 1,
            "price_amount": Decimal("240.00"),
            "price_currency": "EUR",
            **more,
        },
    )


def confirmed(facts: About | None = None) -> BookingConfirmed:
    return BookingConfirmed(
        **_news(facts), payment_id="p1", confirmed_at=NOW, price_amount=Decimal("240.00"), price_currency="EUR"
    )


def updated(facts: About) -> BookingUpdated:
    return BookingUpdated(
        **_news(facts),
        start_time=START,
        end_time=START,
        quantity=1,
        price_amount=Decimal("120.00"),
        price_currency="EUR",
        status="CONFIRMED",
        revision=2,
        updated_at=NOW,
    )


def cancelled(facts: About | None = None) -> BookingCancelled:
    return BookingCancelled(
        **_news(facts),
        payment_id="p1",
        cancelled_at=NOW,
        cancellation_reason="my name is Ada",
        refund_eligible=True,
        refund_amount=Decimal("240.00"),
        refund_currency="EUR",
    )


def rejected() -> BookingRejected:
    return BookingRejected(**_news(about()), rejected_at=NOW, reason="sold_out")


def expired() -> BookingExpired:
    return BookingExpired(**_news(about()), expired_at=NOW)


def no_show() -> BookingNoShow:
    return BookingNoShow(**_news(about()), marked_at=NOW)


def checked_in() -> BookingCheckedIn:
    return BookingCheckedIn(**_news(about()), checked_in_at=NOW)


def paid() -> PaymentSucceeded:
    return PaymentSucceeded(
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        amount=Decimal("240.00"),
        currency="EUR",
        provider="sandbox",
        provider_payment_id="pi_1",
        payment_method=PaymentMethod(),
        succeeded_at=NOW,
    )


def refunded(amount: str = "40.00") -> PaymentRefundedEvent:
    return PaymentRefundedEvent(
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        refund_id="r1",
        amount=Decimal(amount),
        currency="EUR",
        provider="sandbox",
        provider_refund_id="re_1",
        reason="plans changed",
        refunded_at=NOW,
    )


def _news(facts: About | None) -> dict[str, Any]:
    return {"booking_id": "b1", "user_id": "u1", "product_id": "double", "about": facts}


def observed(event: Event, at: datetime = NOW, cause: str | None = "cause") -> Observe:
    (found,) = observation_of(envelope(event, at, cause=cause))
    return found


@dataclass
class Books:
    """The service without its rows: what it knows of one booking, and all figures."""

    known: Known = field(default_factory=Known)
    figures: dict[Place, Figures] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)

    def take(self, *observations: Observe) -> Books:
        for each in observations:
            decision = decide(self.known, each, NOW)
            for place, change in changes(self.known.booking, decision.state.booking).items():
                total = summed(self.figures.get(place, NOTHING), change)
                self.figures = {
                    name: known for name, known in {**self.figures, place: total}.items() if known != NOTHING
                }
            self.known = decision.state
            self.said += decision.events
        return self

    def of(self, day: str, provider: str = "hotel") -> Figures:
        return self.figures.get((provider, date.fromisoformat(day)), NOTHING)


def books(*events: Event) -> Books:
    return Books().take(*(observed(event, NOW + timedelta(minutes=at)) for at, event in enumerate(events)))


# --- what is observed ---


@pytest.mark.proves("HTL-12", "CAT-29", "CAMP-11")
def test_every_service_s_news_is_observed_under_what_it_is_about() -> None:
    prescription = PrescriptionCancelled(
        record_id="rx1", user_id="u1", content="sealed", status="inactive", revision=2, changed_at=NOW
    )
    mail = EmailSent(notification_id="n1", user_id="u1", template="welcome", message_id="<m@x>", sent_at=NOW)
    price = RateUpdated(
        provider_id="hotel", product_id="a/b", price_amount=Decimal(1), price_currency="EUR", updated_at=NOW
    )
    entities: dict[str, list[Event]] = {
        "b1": [created(), confirmed(), updated(about()), paid(), refunded(), no_show()],
        "rx1": [prescription],
        "u1": [UserCreated(user_id="u1", personal="sealed", created_at=NOW), mail],
        "hotel/a%2Fb": [price],
    }
    for entity, events in entities.items():
        for event in events:
            assert (observed(event).entity_id, observed(event).name) == (entity, event.event_type)
    assert observed(prescription).properties == {"status": "inactive", "kind": "prescription", "action": "cancelled"}
    assert (observed(price).provider_id, observed(price).amount, observed(price).currency) == (
        "hotel",
        Decimal(1),
        "EUR",
    )


@pytest.mark.proves("HTL-33", "C14")
def test_its_own_news_are_not_observed_or_it_would_never_come_to_rest() -> None:
    tracked = AnalyticsTracked(tracked_id="t1", name="booking.booking.created", entity_id="b1", tracked_at=NOW)
    assert observation_of(envelope(tracked)) == []


def test_what_is_left_of_a_night_is_not_counted_and_that_it_is_overbooked_is() -> None:
    night: dict[str, Any] = {
        "provider_id": "hotel",
        "product_id": "double",
        "slot": "2026-12-24",
        "capacity": 1,
        "held": 2,
    }
    assert observation_of(envelope(NightUpdated(**night, free=0, updated_at=NOW))) == []
    assert observed(NightOverbooked(**night, overbooking_limit=1, detected_at=NOW)).properties["slot"] == "2026-12-24"


def test_another_program_s_wish_is_not_counted_but_its_booking_is() -> None:
    for wish in (cancelled(), updated(about())):
        assert observation_of(envelope(wish, cause=None)) == []
    assert observed(created(), cause=None).taken[0].nights == 2


def test_a_long_resource_has_an_id_all_the_same() -> None:
    price = RateUpdated(
        provider_id="ü" * 100, product_id="d" * 100, price_amount=Decimal(1), price_currency="EUR", updated_at=NOW
    )
    assert len(observed(price).entity_id) == 36
    assert observed(price).entity_id == observed(price).entity_id


def test_days_and_nights_are_those_of_the_property() -> None:
    # 23:30 UTC is the next morning in Berlin; local midnight is 23:00 UTC of the day before.
    berlin = about(line(start=START - timedelta(hours=1)), time_zone="Europe/Berlin")
    found = observed(created(berlin))
    assert (found.day, found.lead_days) == (date(2026, 12, 1), 23)
    assert (found.taken[0].first, found.taken[0].nights, found.units) == (date(2026, 12, 24), 2, 2)
    assert (observed(created()).day, observed(created()).lead_days) == (date(2026, 11, 30), 24)


def test_a_start_in_the_past_is_no_negative_lead() -> None:
    assert observed(created(start_time=NOW - timedelta(days=9), end_time=NOW)).lead_days == 0


@pytest.mark.parametrize(
    ("kind", "start", "hours", "nights"),
    [
        ("stay", START, 20, 1),
        ("booking", START + timedelta(hours=14), 20, 1),
        ("booking", START + timedelta(hours=14), 1, 0),
        ("appointment", START + timedelta(hours=23), 2, 0),
        ("order", START, 48, 0),
        ("stay", START, 24 * 367, 0),
        ("stay", datetime(9999, 12, 31, 23, tzinfo=UTC), 0, 0),
    ],
)
def test_nights_are_what_is_taken_by_the_night(kind: Kind, start: datetime, hours: int, nights: int) -> None:
    taken = Line(
        line=1,
        provider_id="hotel",
        product_id="double",
        start=start,
        end=start + timedelta(hours=hours),
        quantity=1,
        price_amount=Decimal("1.00"),
    )
    facts = About(kind=kind, lines=(taken,), price_amount=Decimal(1), price_currency="EUR")
    found = observed(created(msgspec.structs.replace(facts, time_zone="UTC")))
    assert (found.taken[0].nights, found.taken[0].first) == (nights, start.date())


def test_a_time_at_the_calendar_s_end_has_a_day_too() -> None:
    late = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert observed(confirmed(about(time_zone="Pacific/Auckland")), late).day == date(9999, 12, 31)
    assert observed(confirmed(about(time_zone="No/Where"))).day == date(2026, 11, 30)


def test_money_is_the_property_s_that_its_booking_is_at() -> None:
    told = msgspec.structs.replace(paid(), about=about(line()))
    assert observed(told).provider_id == line().provider_id
    assert observed(paid()).provider_id is None


def test_amounts_are_the_event_s_own() -> None:
    assert (observed(cancelled(about())).amount, observed(cancelled(about())).currency) == (Decimal(240), "EUR")
    assert (observed(no_show()).amount, observed(no_show()).currency) == (None, "EUR")


PUBLIC = [model for topic in load_layout("catalogue").public for model in topic.carries]


@given(envelopes(*PUBLIC))
def test_whatever_is_told_can_be_observed_and_counted(news: Envelope) -> None:
    for observation in observation_of(news):
        there = decode(encode(msgspec.structs.replace(news, event_type=Observe.event_type, data=observation))).data
        assert there == observation
        told, *answers = Books().take(observation).said
        assert isinstance(told, AnalyticsTracked)
        assert bool(answers) == isinstance(news.data, BookingCancelled)
        assert all(isinstance(value, str) for value in told.properties.values())


def test_what_the_platform_says_of_its_own_parts_is_not_counted() -> None:
    changed = BreakerChanged(dependency="mail", state="open", failures=10, part="worker-1", changed_at=NOW)
    assert observation_of(envelope(changed, NOW)) == []


def test_an_endpoint_is_what_news_of_it_is_about() -> None:
    paused = EndpointPaused(endpoint_id="e1", failures=25, paused_at=NOW, reason="failing")
    assert observed(paused).entity_id == "e1"


# --- what is told of it ---


@pytest.mark.proves("CAT-13", "HTL-23")
def test_each_observation_is_told_once_and_names_nobody() -> None:
    told, answer = books(cancelled(about())).said
    assert isinstance(told, AnalyticsTracked)
    assert answer == CancellationCounted(booking_id="b1"), "HTL-29: the booking waits for it"
    assert (told.name, told.entity_id, told.provider_id, told.tracked_at) == (
        "booking.booking.cancelled",
        "b1",
        "hotel",
        NOW,
    )
    shown = repr(told)
    assert "Ada" not in shown
    assert "sealed" not in shown
    assert told.properties["amount"] == "240.00"
    failed = PaymentFailed(
        payment_id="p1",
        booking_id="b1",
        user_id="u1",
        amount=Decimal(1),
        currency="EUR",
        provider="sandbox",
        error_code="card_declined",
        error_message="no",
        failed_at=NOW,
    )
    (refused,) = books(failed).said
    assert isinstance(refused, AnalyticsTracked)
    assert (refused.provider_id, refused.properties["error_code"]) == (None, "card_declined")
    assert refused.tracked_id != told.tracked_id
    user = UserCreated(user_id="u1", personal="sealed", created_at=NOW)
    (welcome,) = Books().take(observed(user)).said
    assert isinstance(welcome, AnalyticsTracked)
    assert set(welcome.properties) == {"event_id", "occurred_at"}


@pytest.mark.proves("CAT-23", "HTL-36")
def test_what_was_counted_is_not_counted_again() -> None:
    once = books(created(about()), confirmed(about()), paid())
    again = books(created(about()), confirmed(about()), paid()).take(
        observed(paid(), NOW + timedelta(minutes=2)), observed(created(about()))
    )
    assert again == once


def test_an_observation_without_a_day_counts_on_that_of_its_time() -> None:
    found = Books().take(msgspec.structs.replace(observed(created(about())), day=None))
    assert found.of("2026-11-30").bookings == 1


# --- figures ---


@pytest.mark.proves("HTL-23", "HTL-26")
def test_a_confirmed_stay_is_sold_night_by_night() -> None:
    found = books(created(about(line(price="100.01", quantity=2))), confirmed(about(line(price="100.01", quantity=2))))
    assert found.of("2026-11-30") == Figures(
        bookings=1, confirmed=1, leads=1, lead_days=24, booked_nights=4, booked={"EUR": Decimal("100.01")}
    )
    nights = [found.of(night) for night in NIGHTS]
    assert [night.nights for night in nights] == [{"EUR": 2}, {"EUR": 2}]
    assert [night.rooms["EUR"] for night in nights] == [Decimal("50.00"), Decimal("50.01")]
    assert found.of("2026-12-26") == NOTHING


def test_a_pending_rejected_or_expired_booking_sells_nothing() -> None:
    for end, name in ((rejected(), "rejected"), (expired(), "expired")):
        found = books(created(about()), end)
        assert set(found.figures) == {("hotel", date(2026, 11, 30))}
        assert (found.of("2026-11-30").bookings, getattr(found.of("2026-11-30"), name)) == (1, 1)


@pytest.mark.proves("HTL-29")
def test_a_cancellation_takes_its_nights_back() -> None:
    found = books(created(about()), confirmed(about()), cancelled(about()))
    assert set(found.figures) == {("hotel", date(2026, 11, 30))}
    day = found.of("2026-11-30")
    assert (day.confirmed, day.cancelled, day.withdrawn, day.booked_nights, day.booked) == (1, 1, 0, 0, {})
    assert books(created(about()), cancelled(about())).of("2026-11-30").withdrawn == 1


def test_a_guest_who_never_came_has_the_nights_all_the_same() -> None:
    found = books(created(about()), confirmed(about()), no_show())
    assert (found.of("2026-11-30").no_shows, found.of(NIGHTS[0]).nights) == (1, {"EUR": 1})
    assert books(created(about()), checked_in()).of(NIGHTS[0]).nights == {"EUR": 1}


def test_a_change_moves_what_was_sold() -> None:
    moved = about(line(nights=1, price="90.00", provider="annex", start=START + timedelta(days=1)))
    found = books(created(about()), confirmed(about()), updated(moved))
    assert found.of(NIGHTS[0]) == NOTHING
    assert found.of(NIGHTS[1], "annex").rooms == {"EUR": Decimal("90.00")}
    assert (found.of("2026-11-30").bookings, found.of("2026-11-30", "annex").bookings) == (0, 1)


def test_what_is_not_taken_by_the_night_is_other_revenue_of_its_day() -> None:
    order = about(line(nights=0, price="30.00", provider="stock"), line(nights=0, price="5.00"), kind="order")
    found = books(created(order), confirmed(order))
    assert found.of("2026-12-24", "stock") == Figures(other={"EUR": Decimal("30.00")})
    assert found.of("2026-12-24").other == {"EUR": Decimal("5.00")}
    assert found.of("2026-11-30", "stock").booked == {"EUR": Decimal("35.00")}


def test_money_counts_on_the_day_it_moved_once_it_is_known_whose_it_is() -> None:
    early = books(paid())
    assert early.figures == {}
    found = early.take(observed(refunded(), NOW + timedelta(days=1)), observed(created(about())))
    assert found.of("2026-11-30").captured == {"EUR": Decimal("240.00")}
    assert found.of("2026-12-01").refunded == {"EUR": Decimal("40.00")}


def test_news_of_the_past_changes_no_facts() -> None:
    later = observed(updated(about(line(nights=1, price="90.00"))), NOW + timedelta(hours=1))
    found = Books().take(later, observed(confirmed(about())), observed(created(about())))
    assert (found.of(NIGHTS[0]).rooms, found.of(NIGHTS[1])) == ({"EUR": Decimal("90.00")}, NOTHING)


def test_an_outcome_without_facts_takes_those_of_the_creation() -> None:
    found = books(created(), confirmed(), rejected())
    assert found.of(NIGHTS[0]).nights == {"EUR": 1}
    assert books(confirmed()).figures == {}


def test_a_booking_is_of_the_day_of_its_creation_whenever_that_is_heard() -> None:
    late = observed(created(about()), NOW - timedelta(days=3))
    news = [observed(confirmed(about())), observed(no_show(), NOW + timedelta(days=30)), late]
    for order in (news, news[::-1], [news[1], news[0], news[2]]):
        found = Books().take(*order)
        assert [place[1] for place, each in found.figures.items() if each.bookings] == [date(2026, 11, 27)]


@given(
    outcomes=st.lists(st.sampled_from(["created", "confirmed", "cancelled", "updated", "no_show", "paid", "refunded"])),
    order=st.randoms(use_true_random=False),
)
def test_figures_are_the_same_in_whatever_order_news_comes(outcomes: list[str], order: random.Random) -> None:
    said: dict[str, Event] = {
        "created": created(about()),
        "confirmed": confirmed(about()),
        "cancelled": cancelled(about(line(nights=3, price="99.99"))),
        "updated": updated(about(line(nights=3, price="99.99"))),
        "no_show": no_show(),
        "paid": paid(),
        "refunded": refunded(),
    }
    # Facts differ from the change on, which comes after the confirmation.
    at = {name: NOW + timedelta(minutes=minute) for minute, name in enumerate(said)}
    news = [observed(said[name], at[name]) for name in outcomes]
    shuffled = order.sample(news, len(news))
    one, other = Books().take(*news), Books().take(*shuffled)
    assert one.figures == other.figures
    assert one.figures == {place: figures for place, figures in share(one.known.booking).items() if figures != NOTHING}


@given(
    amount=st.decimals(min_value=0, max_value=10**8, places=2),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    parts=st.integers(min_value=1, max_value=366),
)
def test_an_amount_is_spread_evenly_to_the_last_cent(amount: Decimal, currency: str, parts: int) -> None:
    shares = spread(amount, currency, parts)
    assert (sum(shares), len(shares)) == (amount, parts)
    unit = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    assert max(shares) - min(shares) <= 2 * unit


def test_nothing_is_the_share_of_a_booking_that_is_not_known() -> None:
    span = Span("hotel", date(2026, 12, 24), 1, 1, Decimal(1))
    assert share(None) == share(Tracked()) == share(Tracked(taken=(span,))) == {}
    assert changes(None, None) == {}


def test_what_is_no_booking_is_not_remembered_as_one() -> None:
    user = observed(UserCreated(user_id="u1", personal="sealed", created_at=NOW))
    assert Books().take(user).known.booking is None
    without_amount = msgspec.structs.replace(observed(paid()), amount=None)
    assert Books().take(without_amount).known.booking is None
