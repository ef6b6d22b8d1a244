"""What must hold of every history at rest (P1 to P6), counted from what the world heard, the provider's own books and
the rows, without any of the code that decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from streams.events.availability import Hold
from streams.events.booking import LineRejected, RequestBooking
from streams.events.booking_news import (
    BookingCancellationCompleted,
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingNews,
    BookingNoShow,
    BookingRejected,
    BookingUpdated,
)
from streams.events.payment import ProviderAnswered, ProviderCall
from tests.lives.life import Lives
from tests.lives.money import assert_money, assert_settled_once, given, orders_of
from tests.lives.nights import assert_entries, assert_limits
from tests.lives.rows import local_date, rows_of

OUTCOMES = (BookingConfirmed, BookingRejected, BookingExpired, BookingCancelled)
#: What ends a booking that was confirmed; it may come only once.
ENDS = (BookingCancelled, BookingCompleted, BookingNoShow)
DAY = timedelta(days=1)


@dataclass
class Told:
    """One booking by what was asked for and what the world heard of it, in the order of its inbox."""

    asked: RequestBooking
    news: list[BookingNews]

    def of(self, *kinds: type[BookingNews]) -> list[Any]:
        return [event for event in self.news if isinstance(event, kinds)]

    @property
    def stands(self) -> bool:
        """Whether its nights are taken: it was confirmed and not cancelled since. A no-show's are."""
        return bool(self.of(BookingConfirmed)) and not self.of(BookingCancelled)

    @property
    def latest(self) -> BookingNews:
        """The last news that says what it holds and costs."""
        found: BookingNews = self.of(BookingConfirmed, BookingUpdated)[-1]
        return found


def told(lives: Lives, asked: RequestBooking) -> Told:
    news = (each.data for each in lives.heard)
    mine = [each for each in news if isinstance(each, BookingNews) and each.booking_id == asked.booking_id]
    return Told(asked, mine)


def assert_promises(lives: Lives, requests: Mapping[str, RequestBooking], zone: str) -> None:
    """All promises at once. Dates are those of `zone`."""
    stories = [told(lives, asked) for asked in requests.values()]
    for story in stories:
        assert_one_outcome(story)
        assert_its_day(story)
        assert_money(lives, story.asked)
        assert_cancellation_complete(lives, story)
    assert_settled_once(lives)
    assert_nights(lives, stories, ZoneInfo(zone))
    assert_answered(lives)
    assert_limits(lives)
    assert_entries(lives)
    assert_one_content(lives)
    assert_rebuilt(lives)
    assert_indexes(lives)


def assert_one_outcome(story: Told) -> None:
    """P1: confirmed, rejected, expired, or cancelled while pending; and after a confirmation at most one end."""
    kinds = [type(each) for each in story.of(*OUTCOMES)]
    assert kinds, f"{story.asked.booking_id} has no outcome"
    assert kinds[0] is BookingConfirmed or len(kinds) == 1, kinds
    assert kinds in ([BookingConfirmed], [BookingConfirmed, BookingCancelled]) or len(kinds) == 1, kinds
    ends = [type(each) for each in story.of(*ENDS)]
    assert len(ends) <= 1, ends
    assert len(story.of(BookingCheckedIn)) <= 1
    if BookingCompleted in ends:
        assert story.of(BookingCheckedIn)
    if story.of(BookingExpired):
        assert story.of(BookingExpired)[0].expired_at >= story.asked.deadline


def assert_its_day(story: Told) -> None:
    """Nobody arrives before the day, nor is missed before the day after; what moves on by itself has done so."""
    about = story.news[-1].about
    assert about is not None
    start, end = min(line.start for line in about.lines), max(line.end for line in about.lines)
    times = story.asked.times
    if times is None:
        return
    assert all(each.checked_in_at >= start for each in story.of(BookingCheckedIn))
    assert all(each.marked_at >= start + DAY for each in story.of(BookingNoShow))
    if story.stands and not story.of(BookingCheckedIn) and times.no_show == "auto":
        assert story.of(BookingNoShow)
    if story.of(BookingCheckedIn) and times.check_out == "auto":
        assert story.of(BookingCompleted)
    assert end > start


def assert_cancellation_complete(lives: Lives, story: Told) -> None:
    """HTL-29: said once of each that was cancelled, and not before its holds were let go and its refunds given: those
    of payments that were taken, as far as was known.
    """
    name, rules = story.asked.booking_id, story.asked.rules
    assert len(story.of(BookingCancellationCompleted)) == (len(story.of(BookingCancelled)) if rules >= 2 else 0)
    if name not in lives.completed:
        return
    moment = lives.completed[name]
    (cancelled,) = story.of(BookingCancelled)
    asked = {
        (record.message.data.revision, record.message.data.line)
        for record in lives.processes["availability"].inbox
        if isinstance(record.message.data, Hold) and record.message.data.booking_id == name
    }
    refused = {
        (record.message.data.revision, record.message.data.line)
        for record in lives.processes["booking"].inbox
        if isinstance(record.message.data, LineRejected) and record.message.data.booking_id == name
    }
    assert all((name, *each) in moment.freed for each in asked - refused), (asked, refused, moment.freed)
    if cancelled.refund_amount:
        ordered = [order for order in orders_of(lives, name, "policy") if order.payment_id not in moment.untaken]
        assert {order.refund_id for order in ordered if given(lives, order)} <= moment.given


def assert_nights(lives: Lives, stories: list[Told], zone: ZoneInfo) -> None:
    """P2: at rest a night holds what standing bookings take."""
    taken: Counter[tuple[str, date]] = Counter()
    for story in stories:
        about = story.latest.about if story.stands else None
        for line in about.lines if about is not None else ():
            night = local_date(line.start, zone)
            while night < local_date(line.end, zone):
                taken[line.product_id, night] += line.quantity
                night += DAY
    held: Counter[tuple[str, date]] = Counter()
    for key, row in rows_of(lives, "availability", "n|").items():
        _, resource, night_name = key.split("|")
        held[resource.rpartition("/")[2], date.fromisoformat(night_name)] = sum(
            max(revisions.values()) for revisions in row.get("holds", {}).values()
        )
        assert not row.get("pending"), key
    assert held == taken


def assert_answered(lives: Lives) -> None:
    """P7: whatever the provider was to do, it was asked until it answered, under one key."""
    inbox = (record.message.data for record in lives.processes["payment"].inbox)
    answered = {message.effect_id for message in inbox if isinstance(message, ProviderAnswered)}
    calls = [call.data for call in lives.calls if isinstance(call.data, ProviderCall)]
    keys = {call.call_id or each.event_id for each, call in zip(lives.calls, calls, strict=True)}
    assert keys == answered, keys ^ answered


def assert_one_content(lives: Lives) -> None:
    """P5: however often a message was said, it said the same."""
    forked = {name: contents for name, contents in lives.said.items() if len(contents) > 1}
    assert forked == {}


def assert_rebuilt(lives: Lives) -> None:
    """P6: the inboxes decided again, without a single kill, give the very rows."""
    for name, process in lives.processes.items():
        assert process.rebuilt().rows == process.durable.rows, name


def assert_indexes(lives: Lives) -> None:
    """What the clocks look at is what waits for them: nothing here is pending, and what is due was done."""
    assert rows_of(lives, "booking", "d|") == {}
    assert rows_of(lives, "availability", "d|") == rows_of(lives, "availability", "u|") == {}
    assert rows_of(lives, "payment", "d|") == {}
    assert not any(row.keys() & {"parked", "behind"} for row in rows_of(lives, "payment", "p|").values())
    for key, row in rows_of(lives, "booking", "t|").items():
        assert datetime.fromisoformat(row["due"]) > lives.now, key
