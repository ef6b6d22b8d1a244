"""Who waits, who is offered what has become free, and until when: one rule each, as a reception would tell them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.letters import render
from domain.facts import facts_of
from domain.inventory import Holding, HoldRecord, Resource
from domain.notices import notices_of
from domain.offers import OFFER, offered_to
from domain.waitlist import MOST_ENTRIES, MOST_OFFERS, EntryStatus, last_call
from streams.envelope import originate
from streams.events import Event
from streams.events.availability import NightUpdated
from streams.events.booking import LineRejected, LineReserved
from streams.events.waitlist import (
    EntryAccepted,
    EntryExpired,
    EntryJoined,
    EntryLapsed,
    EntryOffered,
    EntryWithdrawn,
    OfferNights,
)
from streams.layout import load_layout
from tests.domain.messages import NOW, confirm_hold, declare, hold, night, rejected, release, reserved
from tests.domain.waiting import Desk, due, join, leave

MINUTES = timedelta(minutes=1)
WEEKEND: dict[str, Any] = {"start": night(0), "end": night(2)}


def desk(*messages: Event) -> Desk:
    found = Desk()
    for message in messages:
        found.take(message)
    return found


def sold_out(capacity: int = 1, *messages: Event) -> Desk:
    """A weekend of which every room is sold."""
    sales = [hold(f"b{number}", **WEEKEND) for number in range(1, capacity + 1)]
    return desk(declare(capacity), *sales, *messages)


def kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def offers(events: tuple[Event, ...]) -> list[str]:
    return [event.entry_id for event in events if isinstance(event, EntryOffered)]


def test_a_sold_out_weekend() -> None:
    """Two wait; one guest cancels; the first is offered the room and lets it lapse; the second accepts."""
    hotel = sold_out(1, join("w1", **WEEKEND), join("w2", **WEEKEND))

    said = hotel.take(release("b1"), NOW)
    (offered,) = [event for event in said if isinstance(event, EntryOffered)]
    assert (offered.entry_id, offered.offer_until) == ("w1", NOW + 60 * MINUTES)
    assert hotel.night(night(0)).holds == hotel.night(night(1)).holds == {"w1/1": {0: 1}}
    assert hotel.take(hold("b2", **WEEKEND), NOW + MINUTES) == (rejected("sold_out", "b2"),)

    said = hotel.take(due("w1"), NOW + 60 * MINUTES)
    assert [type(event) for event in said if not isinstance(event, NightUpdated)] == [EntryExpired, EntryOffered]
    assert offers(said) == ["w2"]

    said = hotel.take(hold("w2", **WEEKEND), NOW + 70 * MINUTES)
    assert kinds(said) == [LineReserved, EntryAccepted]
    assert hotel.night(night(0)).holds == {"w2/1": {1: 1}}
    assert [hotel.entry(name).status for name in ("w1", "w2")] == ["EXPIRED", "ACCEPTED"]
    assert hotel.due() == []


def test_an_offer_is_never_taken_by_somebody_else() -> None:
    """Held from the decision that freed the nights to the one that books them: no moment in between."""
    hotel = sold_out(1, join("w1", **WEEKEND), release("b1"))
    assert hotel.take(hold("b2", **WEEKEND)) == (rejected("sold_out", "b2"),)
    assert hotel.take(hold("w1", **WEEKEND))[0] == reserved("w1")
    assert hotel.take(hold("b3", **WEEKEND)) == (rejected("sold_out", "b3"),)
    assert hotel.take(confirm_hold("w1")) == ()
    assert hotel.night(night(0)).confirmed == 1


def test_a_booking_that_was_declined_hands_the_offer_on() -> None:
    """The provider declines the card of who accepted: the nights go to the next, not to the street."""
    hotel = sold_out(1, join("w1", **WEEKEND), join("w2", **WEEKEND), release("b1"), hold("w1", **WEEKEND))
    assert offers(hotel.take(release("w1"))) == ["w2"]
    assert hotel.entry("w1").status is EntryStatus.ACCEPTED


def test_first_come_first_served_among_those_that_fit() -> None:
    """One room comes back: who wants two rooms is passed over, keeps the place, and gets them once there are two."""
    hotel = sold_out(2, join("two rooms", quantity=2, **WEEKEND), join("one room", **WEEKEND), join("late", **WEEKEND))
    assert offers(hotel.take(release("b1"))) == ["one room"]
    assert offers(hotel.take(leave("one room"))) == ["late"]
    assert offers(hotel.take(leave("late"))) == []
    assert offers(hotel.take(release("b2"))) == ["two rooms"]


def test_only_who_waits_for_nights_that_became_free_is_looked_at() -> None:
    hotel = desk(declare(), *(hold(f"b{day}", start=night(day), end=night(day + 1)) for day in range(3)))
    hotel.take(join("first night"))
    hotel.take(join("all nights", start=night(0), end=night(3)))
    hotel.take(join("last night", start=night(2), end=night(3)))
    assert offers(hotel.take(release("b2"))) == ["last night"]


def test_more_rooms_are_offered_too() -> None:
    """HTL-03: a room comes back from repair."""
    hotel = sold_out(1, *(join(f"w{number}", **WEEKEND) for number in range(3)))
    assert offers(hotel.take(declare(3))) == ["w0", "w1"]
    assert offers(hotel.take(declare(3))) == []


def test_what_becomes_free_at_once_is_offered_in_parts() -> None:
    """Each decision makes so many offers; the rest follows in the next, asked for on the inbox."""
    hotel = sold_out(1, *(join(f"w{number:03}", **WEEKEND) for number in range(MOST_OFFERS + 2)))
    said = hotel.take(declare(MOST_OFFERS + 3))
    assert len(offers(said)) == MOST_OFFERS
    (rest,) = [event for event in said if isinstance(event, OfferNights)]
    assert offers(hotel.take(rest)) == [f"w{MOST_OFFERS:03}", f"w{MOST_OFFERS + 1:03}"]
    assert hotel.take(rest) == ()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (join(start=night(3), end=night(4)), "nights_free"),
        (join(quantity=2), "more_than_there_is"),
        (join(until=NOW), "too_late"),
        (join(end=night(400)), "too_many_slots"),
        (msgspec.structs.replace(join(), product_id="unknown"), "unknown_resource"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_cannot_wait_is_told_why_and_it_stands(asked: Any, reason: str) -> None:
    """Nights that are free are booked, not waited for."""
    hotel = sold_out()
    assert hotel.take(asked) == ()
    assert (hotel.entry("w1").status, hotel.entry("w1").reason) == ("REFUSED", reason)
    assert hotel.take(asked) == hotel.take(leave()) == hotel.take(due(), night(9)) == ()
    assert hotel.night(night(3)).empty


def test_a_waitlist_is_full() -> None:
    hotel = sold_out(1, *(join(f"w{number}", **WEEKEND) for number in range(MOST_ENTRIES)))
    hotel.take(join("too many", **WEEKEND))
    assert hotel.entry("too many").reason == "waitlist_full"
    hotel.take(leave("w7"))
    assert kinds(hotel.take(join("another", **WEEKEND))) == [EntryJoined]


def test_an_offer_ends_with_the_last_call_at_the_latest() -> None:
    """At 17:30 on the day of arrival there are 30 minutes, not 60; at 18:00 nobody waits any more."""
    call = last_call(date(2026, 12, 24), "Europe/Amsterdam")
    assert call == datetime(2026, 12, 24, 17, tzinfo=UTC)
    hotel = sold_out(1, join("w1", until=call), join("w2", until=call))
    hotel.take(release("b1"), call - 30 * MINUTES)
    assert hotel.entry("w1").offer_until == call
    said = hotel.take(due("w1"), call)
    assert [kind for kind in kinds(said) if kind is not NightUpdated] == [EntryExpired]
    assert kinds(hotel.take(due("w2"), call)) == [EntryLapsed]
    assert hotel.due() == []


def test_a_tick_before_its_time_changes_nothing() -> None:
    hotel = sold_out(1, join(**WEEKEND))
    assert hotel.take(due(), NOW) == ()
    hotel.take(release("b1"))
    assert hotel.take(due(), NOW + 60 * MINUTES - timedelta(microseconds=1)) == ()
    assert hotel.entry("w1").status is EntryStatus.OFFERED


def test_who_leaves_lets_go_of_the_offer() -> None:
    hotel = sold_out(1, join("w1", **WEEKEND), release("b1"))
    said = hotel.take(leave("w1"))
    assert kinds(said) == [EntryWithdrawn, NightUpdated, NightUpdated]
    assert hotel.night(night(0)).empty
    assert hotel.take(leave("w1")) == hotel.take(due("w1"), night(9)) == ()


def test_who_accepts_too_late_books_like_anybody() -> None:
    """The offer is over when the booking asks: it gets what is free, or nothing."""
    hotel = sold_out(1, join("w1", **WEEKEND), join("w2", **WEEKEND), release("b1"))
    hotel.take(due("w1"), NOW + 60 * MINUTES)
    assert hotel.take(hold("w1", **WEEKEND)) == (rejected("sold_out", "w1"),)
    hotel.take(leave("w2"))
    assert hotel.take(hold("w1", revision=2, **WEEKEND))[0] == reserved("w1", revision=2)


def test_an_offer_is_kept_when_there_are_fewer_rooms_by_now() -> None:
    """It was promised, and is held already: taking it over takes nothing more."""
    hotel = sold_out(1, join("w1", **WEEKEND), release("b1"), declare(0, min_stay=5))
    assert kinds(hotel.take(hold("w1", **WEEKEND))) == [LineReserved, EntryAccepted]


def test_other_nights_under_an_offers_id_are_asked_for_like_any() -> None:
    hotel = sold_out(1, join("w1", **WEEKEND), release("b1"))
    said = hotel.take(hold("w1", start=night(0), end=night(3)))
    assert LineReserved in kinds(said)
    assert hotel.entry("w1").status is EntryStatus.OFFERED
    hotel.take(release("w1"))
    assert hotel.night(night(0)).holds == {"w1/1": {0: 1}}
    assert kinds(hotel.take(hold("w1", revision=2, quantity=2, **WEEKEND))) == [LineRejected]


def test_the_guest_is_told_of_the_offer_by_mail_until_when_by_the_propertys_clock() -> None:
    joined = msgspec.structs.replace(join("w1", **WEEKEND), time_zone="Europe/Amsterdam")
    said = sold_out(1, joined).take(release("b1"))
    (offered,) = [event for event in said if isinstance(event, EntryOffered)]
    notice, text = notices_of(originate(offered, source="test", now=NOW), load_layout("catalogue").notices)
    assert (notice.channel, notice.user_id, notice.guest) == ("mail", "user of w1", "sealed guest")
    assert (text.channel, text.template) == ("sms", notice.template)
    letter = render(notice.template, notice.facts)
    for line in ("Check-in: Thursday, 24 December 2026", "Property: hotel", "waitlist: w1"):
        assert line in letter.text
    assert "held for you until Tuesday, 1 December 2026, 14:00 (Europe/Amsterdam)" in letter.text


def test_where_nobody_waits_nothing_of_a_waitlist_is_read() -> None:
    """The hot path: resource, hold and nights, as before there were waitlists."""
    hotel = desk(declare(), hold("b1"))
    assert {key[:2] for key in hotel.asked} == {"r|", "o|", "n|"}
    hotel.take(confirm_hold("b1"))
    hotel.take(release("b1"))
    assert hotel.asked == ["r|hotel/double", "o|hotel/double|b1/1", "n|hotel/double|2026-12-24"]


def test_a_decision_too_large_for_its_offers_leaves_them_to_the_next() -> None:
    """A release never fails because of who waits: its offers are asked for on the inbox."""
    hotel = sold_out(1, join("w1", **WEEKEND))
    said = hotel.refuse(release("b1"))
    assert offers(said) == []
    assert hotel.night(night(0)).empty
    (rest,) = [event for event in said if isinstance(event, OfferNights)]
    assert offers(hotel.take(rest)) == ["w1"]


def test_offers_too_many_for_one_decision_are_made_one_by_one() -> None:
    """Whatever the rows weigh, free nights are offered: as many messages follow as there are offers left."""
    hotel = sold_out(2, join("w1", **WEEKEND), join("w2", **WEEKEND))
    hotel.refuse(release("b1"))
    hotel.refuse(release("b2"))
    rest = OfferNights(provider_id="hotel", product_id="double")
    said = hotel.refuse(rest)
    assert offers(said) == ["w1"]
    assert rest in said
    assert offers(hotel.refuse(rest)) == ["w2"]


def test_a_hold_of_no_time_takes_no_offer_over() -> None:
    offered = Holding({OFFER: HoldRecord(state="held", slots=("2026-12-24",), quantity=1)})
    room = Resource("hotel", "double", 1, Decimal(100), "EUR")
    backwards = hold("w1", start=night(2), end=night(1))
    assert offered_to(room, offered, backwards) is None


def test_an_offer_where_hours_cannot_be_told_is_told_without_them() -> None:
    told = EntryOffered(
        entry_id="w1",
        user_id="u1",
        provider_id="hotel",
        product_id="double",
        start_time=night(0),
        end_time=night(1),
        quantity=1,
        time_zone="Nowhere/Land",
        offer_until=NOW,
        offered_at=NOW,
    )
    assert "offer_until" not in facts_of(told)
