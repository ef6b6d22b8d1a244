"""What must hold of every history at rest (P1 to P6), counted from what the world heard, the provider's own books and
the rows, without any of the code that decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from streams.events.availability import NightUpdated
from streams.events.booking import RequestBooking
from streams.events.booking_news import (
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
from streams.events.payment import Refund
from tests.domain.life import Lives
from tests.domain.provider import Account

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

    @property
    def owed(self) -> Decimal:
        """The policy, before operators were generous: the price, once it is confirmed; nothing if it was cancelled
        while that was free, or could not be paid.
        """
        if not self.of(BookingConfirmed) or not self.asked.prepaid:
            return Decimal(0)
        price: Decimal = self.of(BookingConfirmed, BookingUpdated)[-1].price_amount
        for cancelled in self.of(BookingCancelled):
            free_until = min([self.asked.free_until, *(each.start_time for each in self.of(BookingUpdated))])
            unpaid = cancelled.cancellation_reason.startswith("payment_capture_failed")
            return Decimal(0) if unpaid or cancelled.cancelled_at < free_until else price
        return price


def told(lives: Lives, asked: RequestBooking) -> Told:
    mine = [each for each in lives.news if isinstance(each, BookingNews) and each.booking_id == asked.booking_id]
    return Told(asked, mine)


def assert_promises(lives: Lives, requests: Mapping[str, RequestBooking], limits: Mapping[str, int], zone: str) -> None:
    """All promises at once. `limits` are the units of each product in every night; dates are those of `zone`."""
    stories = [told(lives, asked) for asked in requests.values()]
    for story in stories:
        assert_one_outcome(story)
        assert_its_day(story)
        assert_money(lives, story)
    assert_nights(lives, stories, limits, ZoneInfo(zone))
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


def assert_money(lives: Lives, story: Told) -> None:
    """P3 and P4, by the provider's books: what is kept is what is owed, and nothing is left authorized."""
    accounts = accounts_of(lives, story.asked.booking_id)
    assert all(account.state != "authorized" for account in accounts), accounts
    assert all(account.refunded <= account.amount for account in accounts), accounts
    kept = sum((account.kept for account in accounts), Decimal(0))
    taken = any(account.state == "captured" for account in accounts)
    owed = story.owed if taken else Decimal(0)
    assert kept == max(owed - given_by_operators(lives, story.asked.booking_id), Decimal(0)), (kept, story.owed)
    if story.stands and story.owed:
        assert taken, "a standing booking that nobody paid"
    row = rows_of(lives, "booking", "b|")[f"b|{story.asked.booking_id}"]
    refunds = sum((Decimal(str(amount)) for amount in row.get("refunds", {}).values()), Decimal(0))
    assert Decimal(str(row.get("captured", 0))) - refunds == kept


def accounts_of(lives: Lives, booking_id: str) -> list[Account]:
    """Whatever payments a booking has."""
    payments = {
        row["payment_id"] for row in rows_of(lives, "payment", "p|").values() if row["booking_id"] == booking_id
    }
    return [account for account in lives.provider.accounts.values() if account.payment_id in payments]


def given_by_operators(lives: Lives, booking_id: str) -> Decimal:
    """What the provider gave back of what operators ordered, each order once."""
    inbox = lives.processes["payment"].inbox
    orders = {
        record.message.data.refund_id: record.message.data.amount
        for record in inbox
        if isinstance(record.message.data, Refund)
        and record.message.data.booking_id == booking_id
        and record.message.data.ordered_by == "operator"
    }
    done = {answer.refund_id for answer in lives.provider.said.values() if answer.approved}
    return sum((amount for name, amount in orders.items() if name in done), Decimal(0))


def assert_nights(lives: Lives, stories: list[Told], limits: Mapping[str, int], zone: ZoneInfo) -> None:
    """P2: no news of a night beyond its limit, ever; and at rest a night holds what standing bookings take."""
    for said in lives.news:
        assert not isinstance(said, NightUpdated) or 0 <= said.held <= limits[said.product_id], said
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
    assert all(units <= limits[product] for (product, _), units in held.items())


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


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
    for key, row in rows_of(lives, "booking", "t|").items():
        assert datetime.fromisoformat(row["due"]) > lives.now, key


def rows_of(lives: Lives, service: str, prefix: str) -> dict[str, Any]:
    rows = lives.processes[service].durable.rows
    return {key: msgspec.json.decode(raw) for key, raw in rows.items() if key.startswith(prefix)}
