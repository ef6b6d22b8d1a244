"""Who is reminded of what, and when; and that nobody is told twice, or on a channel they declined before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reminders import Reminder, plan, planned, remind
from streams.events import Envelope, Event
from streams.events.about import About
from streams.events.booking_news import BookingCancelled, BookingCheckedIn, BookingUpdated
from streams.events.notices import PlanReminder, ReminderDue
from tests.domain.test_notices import NOW, about, confirmed, created, envelope, line

TOLD = {
    "mail": {"notification.reminder.due": "reminder"},
    "sms": {"notification.reminder.due": "reminder"},
    "app": {"booking.booking.created": "booking_received"},
}
#: The stay of `about` begins on 24 December, at three in the afternoon in Berlin.
ARRIVAL = datetime(2026, 12, 24, 14, tzinfo=UTC)
DAY = timedelta(days=1)


def updated(of: About | None = None) -> BookingUpdated:
    return BookingUpdated(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        start_time=NOW,
        end_time=NOW,
        quantity=1,
        price_amount=Decimal(240),
        price_currency="EUR",
        status="CONFIRMED",
        revision=2,
        updated_at=NOW,
        about=of or about(),
    )


def cancelled() -> BookingCancelled:
    return BookingCancelled(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        cancelled_at=NOW,
        cancellation_reason="",
        refund_eligible=False,
        refund_amount=Decimal(0),
        refund_currency="EUR",
        about=about(),
    )


def plans(event: Event, hours: int = 24, at: datetime = NOW) -> list[PlanReminder]:
    return planned(msgspec.structs.replace(envelope(event), timestamp=at), TOLD, hours)


# --- what the news means ---


def test_a_stay_is_reminded_of_hours_before_its_first_afternoon() -> None:
    (found,) = plans(confirmed())
    assert (found.due, found.start, found.told_at) == (ARRIVAL - DAY, ARRIVAL, NOW)
    assert (found.user_id, found.booking_id, found.guest, found.over) == ("u1", "b1", "sealed guest", False)
    assert found.facts["check_in"] == "2026-12-24"
    assert found.templates == {"mail": "reminder"}  # nobody left a number


def test_a_text_message_goes_to_who_left_a_number_and_to_patients_who_may_have() -> None:
    for of in (about(phone=True), about("appointment")):
        assert plans(confirmed(of))[0].templates == {"mail": "reminder", "sms": "reminder"}


def test_an_appointment_is_reminded_of_before_its_hour() -> None:
    (found,) = plans(confirmed(about("appointment")), hours=2)
    start = line().start
    assert (found.due, found.start) == (start - timedelta(hours=2), start)


def test_hours_are_counted_by_the_clocks_of_the_place() -> None:
    # The night to 25 October 2026 has an hour more in Berlin.
    visit = msgspec.structs.replace(line(), start=datetime(2026, 10, 25, 11, tzinfo=UTC))
    early = datetime(2026, 10, 1, tzinfo=UTC)
    (found,) = plans(confirmed(about("appointment", visit)), at=early)
    assert found.due == datetime(2026, 10, 24, 10, tzinfo=UTC)


def test_who_books_late_is_not_reminded_and_a_move_into_the_night_takes_it_back() -> None:
    assert plans(confirmed(), at=ARRIVAL - DAY) == []
    (found,) = plans(updated(), at=ARRIVAL - DAY)
    assert (found.due, found.over) == (None, False)
    assert plans(updated())[0].due == ARRIVAL - DAY


@pytest.mark.parametrize(
    "event",
    [
        cancelled(),
        BookingCheckedIn(booking_id="b1", user_id="u1", product_id="double", checked_in_at=NOW, about=about()),
    ],
)
def test_what_ends_a_booking_ends_its_reminder(event: Event) -> None:
    (found,) = plans(event)
    assert (found.over, found.due) == (True, None)


def test_other_news_plans_nothing() -> None:
    assert plans(created()) == []
    assert plans(created(about=about())) == []
    assert plans(confirmed(about("order"))) == []
    assert plans(confirmed(about("stay", time_zone="Nowhere/Land"))) == []
    assert plans(confirmed(), hours=0) == []
    assert planned(envelope(confirmed()), {"app": TOLD["app"]}, 24) == []
    nobody = msgspec.structs.replace(confirmed(), about=None)
    assert plans(nobody) == []
    no_lines = msgspec.structs.replace(about(), lines=())
    assert plans(confirmed(no_lines)) == []


# --- what becomes of it ---


def asked(told: int = 0, **more: Any) -> PlanReminder:
    given: dict[str, Any] = {
        "user_id": "u1",
        "booking_id": "b1",
        "told_at": NOW + timedelta(seconds=told),
        "due": ARRIVAL - DAY,
        "start": ARRIVAL,
        "templates": {"mail": "reminder", "app": "reminder"},
        "facts": {"check_in": "2026-12-24"},
        "guest": "sealed guest",
    }
    return PlanReminder(**given | more)


TICK = ReminderDue(user_id="u1", booking_id="b1", due=ARRIVAL - DAY)


def test_a_reminder_that_is_due_makes_a_notice_for_each_channel_once() -> None:
    planned_one = plan(None, asked())
    same, nothing = remind(planned_one, TICK, ARRIVAL - DAY - timedelta(seconds=1))
    assert (same, nothing) == (planned_one, [])
    done, told = remind(planned_one, TICK, ARRIVAL - DAY)
    assert [(each.channel, each.template, each.facts, each.guest) for each in told] == [
        ("mail", "reminder", {"check_in": "2026-12-24"}, "sealed guest"),
        ("app", "reminder", {"check_in": "2026-12-24"}, "sealed guest"),
    ]
    assert len({each.notice_id for each in told}) == 2
    assert {each.cause_id for each in told} == {f"b1/{ARRIVAL.isoformat()}/reminder"}
    assert remind(done, TICK, ARRIVAL) == (done, [])
    assert done is not None
    assert (done.guest, done.facts, done.reminded) == (None, {}, ARRIVAL)
    assert plan(done, asked()) == done


def test_of_what_has_begun_nobody_is_reminded() -> None:
    done, told = remind(plan(None, asked()), TICK, ARRIVAL)
    assert told == []
    assert done is not None
    assert done.due is None


def test_a_change_moves_it_and_the_old_tick_says_nothing() -> None:
    later = asked(1, due=ARRIVAL, start=ARRIVAL + DAY)
    moved = plan(plan(None, asked()), later)
    assert remind(moved, TICK, ARRIVAL) == (moved, [])
    assert plan(plan(None, later), asked()) == moved  # told in the other order


def test_a_tick_for_nothing_says_nothing() -> None:
    assert remind(None, TICK, ARRIVAL) == (None, [])
    over = plan(None, asked(over=True, due=None))
    assert remind(over, TICK, ARRIVAL) == (over, [])
    assert plan(over, asked(5)) == over


MESSAGES: Sequence[Event] = (
    asked(0),
    asked(1, due=ARRIVAL, start=ARRIVAL + DAY),
    asked(2),
    asked(3, due=None, start=None),
    asked(4, over=True, due=None),
    TICK,
    ReminderDue(user_id="u1", booking_id="b1", due=ARRIVAL),
)


@given(st.lists(st.sampled_from(MESSAGES), max_size=10))
def test_in_any_order_the_latest_news_decides_and_each_beginning_is_told_once(messages: list[Event]) -> None:
    reminder: Reminder | None = None
    heard: list[PlanReminder] = []
    told: list[str] = []
    for message in messages:
        now = ARRIVAL - DAY / 2
        if isinstance(message, PlanReminder):
            reminder = plan(reminder, message)
            heard.append(message)
        elif isinstance(message, ReminderDue):
            before = told.copy()
            reminder, notices = remind(reminder, message, now)
            told += [notice.notice_id for notice in notices]
            if told != before:
                latest = max(heard, key=lambda each: each.told_at)
                assert (latest.over, latest.due) == (False, message.due)
                assert message.due <= now
        reminder = reminder and msgspec.json.decode(msgspec.json.encode(reminder), type=Reminder)
    # Moved away and back again, a beginning may be told of once more: under the same notices, which are known.
    assert len(set(told)) in (0, 2)


def test_the_envelope_says_when_the_news_was_told() -> None:
    news: Envelope = envelope(confirmed())
    assert planned(news, TOLD, 24)[0].told_at == news.timestamp
