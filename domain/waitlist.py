"""What becomes of those who wait for nights that are sold out: offered in the order they came, one decision each.

An entry fits when a hold of its nights would be taken; whether it is, inventory decides (`domain.availability`), asked
with `offer_hold`. What an offer holds is in `domain.offers`, and which rows all this touches in `tables.waitlist`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from domain.calendar import zone
from domain.decision import Decision
from domain.inventory import Resource
from domain.night_rules import NO_RULES
from domain.offers import LINE, OFFER
from streams.events import Event
from streams.events.availability import Hold, Release
from streams.events.booking import LineRejected, LineReserved
from streams.events.waitlist import (
    EntryAccepted,
    EntryDue,
    EntryExpired,
    EntryJoined,
    EntryLapsed,
    EntryOffered,
    EntryWithdrawn,
    JoinWaitlist,
    LeaveWaitlist,
)

#: How many may wait for a resource, or have an offer of it, at a time.
MOST_ENTRIES = 200
#: Offers one decision makes: bounds the rows it writes.
MOST_OFFERS = 25
#: When the last call is on the day of arrival, by the property's clock.
LAST_CALL = time(18)


class EntryStatus(StrEnum):
    WAITING = "WAITING"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    #: It could not join: `reason` says why.
    REFUSED = "REFUSED"

    @property
    def open(self) -> bool:
        return self in (EntryStatus.WAITING, EntryStatus.OFFERED)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One place in a resource's waitlist, kept after its end."""

    entry_id: str
    provider_id: str
    product_id: str
    fingerprint: str
    user_id: str
    #: Sealed under the user's key.
    guest: str | None = None
    start: datetime
    end: datetime
    quantity: int
    time_zone: str
    offer_minutes: int
    until: datetime
    #: Its place in the order of arrival among those that are open.
    number: int
    joined_at: datetime
    status: EntryStatus = EntryStatus.WAITING
    reason: str | None = None
    offer_until: datetime | None = None
    ended_at: datetime | None = None

    @property
    def due(self) -> datetime | None:
        """When it has to be looked at again; None once it has ended."""
        return {EntryStatus.WAITING: self.until, EntryStatus.OFFERED: self.offer_until}.get(self.status)

    def waits(self, now: datetime) -> bool:
        """Whether it can be offered something."""
        return self.status is EntryStatus.WAITING and now < self.until


def last_call(check_in: date, time_zone: str) -> datetime:
    """Until when somebody may wait to arrive on that day. Raises Unbookable for an unknown time zone."""
    return datetime.combine(check_in, LAST_CALL, zone(time_zone)).astimezone(UTC)


def join(
    asked: JoinWaitlist, resource: Resource | None, number: int, others: int, answer: Iterable[Event], now: datetime
) -> Decision[Entry]:
    """A new entry, after `others` open ones. `answer` is what inventory would say to a hold of its nights."""
    refusal = _objection(asked, resource, others, answer, now)
    fields = {name: getattr(asked, name) for name in JoinWaitlist.__struct_fields__}
    entry = Entry(**fields, number=number, joined_at=now)
    if refusal is not None:
        return Decision(msgspec.structs.replace(entry, status=EntryStatus.REFUSED, reason=refusal, ended_at=now))
    return Decision(entry, (EntryJoined(**_news(entry), joined_at=now),))


def _objection(
    asked: JoinWaitlist, resource: Resource | None, others: int, answer: Iterable[Event], now: datetime
) -> str | None:
    if resource is None:
        return "unknown_resource"
    if now >= asked.until:
        return "too_late"
    refusals = [event.reason for event in answer if isinstance(event, LineRejected)]
    if not refusals:
        return "nights_free"
    if refusals[0] != "sold_out":
        return refusals[0]
    if asked.quantity > resource.limit(NO_RULES, now):
        return "more_than_there_is"
    return "waitlist_full" if others >= MOST_ENTRIES else None


def offer_hold(entry: Entry | JoinWaitlist) -> Hold:
    """What asks inventory to hold the nights for an offer."""
    return Hold(
        provider_id=entry.provider_id,
        product_id=entry.product_id,
        booking_id=entry.entry_id,
        revision=OFFER,
        line=LINE,
        start=entry.start,
        end=entry.end,
        quantity=entry.quantity,
    )


def offer_release(entry: Entry) -> Release:
    return Release(
        provider_id=entry.provider_id,
        product_id=entry.product_id,
        booking_id=entry.entry_id,
        revision=OFFER,
        line=LINE,
    )


def offer(entry: Entry, now: datetime) -> Decision[Entry]:
    """Its nights are held: it has its minutes to accept, or less where the last call comes before."""
    until = min(now + timedelta(minutes=entry.offer_minutes), entry.until)
    offered = msgspec.structs.replace(entry, status=EntryStatus.OFFERED, offer_until=until)
    told = EntryOffered(**_news(entry), offer_until=until, offered_at=now, personal=entry.guest)
    return Decision(offered, (told,))


def accept(entry: Entry, now: datetime) -> Decision[Entry]:
    """A booking took the offer over."""
    accepted = _ended(entry, EntryStatus.ACCEPTED, now)
    return Decision(accepted, (EntryAccepted(**_news(entry), booking_id=entry.entry_id, accepted_at=now),))


def end(entry: Entry, message: LeaveWaitlist | EntryDue, now: datetime) -> Decision[Entry]:
    """The entry after the guest leaves, or its time has come. One that has ended stays as it is."""
    match message, entry.status:
        case LeaveWaitlist(), EntryStatus.WAITING | EntryStatus.OFFERED:
            withdrawn = _ended(entry, EntryStatus.WITHDRAWN, now)
            return Decision(withdrawn, (EntryWithdrawn(**_news(entry), withdrawn_at=now),))
        case EntryDue(), EntryStatus.WAITING if now >= entry.until:
            return Decision(_ended(entry, EntryStatus.LAPSED, now), (EntryLapsed(**_news(entry), lapsed_at=now),))
        case EntryDue(), EntryStatus.OFFERED if entry.offer_until is not None and now >= entry.offer_until:
            return Decision(_ended(entry, EntryStatus.EXPIRED, now), (EntryExpired(**_news(entry), expired_at=now),))
        case _:
            return Decision(entry)


def held(answer: Iterable[Event]) -> bool:
    """Whether inventory took a hold."""
    return any(isinstance(event, LineReserved) for event in answer)


def _ended(entry: Entry, status: EntryStatus, now: datetime) -> Entry:
    return msgspec.structs.replace(entry, status=status, ended_at=now)


def _news(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "user_id": entry.user_id,
        "provider_id": entry.provider_id,
        "product_id": entry.product_id,
        "start_time": entry.start,
        "end_time": entry.end,
        "quantity": entry.quantity,
        "time_zone": entry.time_zone,
    }
