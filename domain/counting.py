"""What analytics knows after an observation, and what it says of it.

Counted once for each piece of news, by its id (CAT-23): the ids seen of an entity are remembered by the day of the
news, so that a row stays small however much is told of a user in years.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.decision import Decision
from domain.figures import Moved, Span, Tracked
from streams.events import Event
from streams.events.analytics import AnalyticsTracked, Observe
from streams.events.booking import CancellationCounted
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingNoShow,
    BookingRejected,
    BookingUpdated,
)
from streams.events.ids import ids_under
from streams.events.payment_news import PaymentRefundedEvent, PaymentSucceeded

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("4d7c9a10-6e2b-5b84-9f35-81c0d2e7a6f9"))
_OUTCOMES = {
    BookingCreated.event_type: "created",
    BookingConfirmed.event_type: "confirmed",
    BookingCancelled.event_type: "cancelled",
    BookingRejected.event_type: "rejected",
    BookingExpired.event_type: "expired",
    BookingCheckedIn.event_type: "checked_in",
    BookingCompleted.event_type: "completed",
    BookingNoShow.event_type: "no_show",
}
_BOOKING_NEWS = frozenset({*_OUTCOMES, BookingUpdated.event_type})
#: Money that moved, and whether it went back.
_MONEY = {PaymentSucceeded.event_type: False, PaymentRefundedEvent.event_type: True}


class Seen(msgspec.Struct, frozen=True):
    """The ids of an entity's news of one day that were counted."""

    event_ids: tuple[str, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """What one decision looks at: what was counted that day, and the booking, if the entity is one."""

    seen: Seen | None = None
    booking: Tracked | None = None


def day_of(observed: Observe) -> date:
    """The date that news is counted on."""
    return observed.day or observed.occurred_at.date()


def decide(known: Known, observed: Observe, now: datetime) -> Decision[Known]:
    """What is known after an observation; one that was made before changes and says nothing."""
    seen = known.seen or Seen()
    if observed.event_id in seen.event_ids:
        return Decision(known)
    after = Known(Seen((*seen.event_ids, observed.event_id)), _booking_after(known.booking, observed))
    told = AnalyticsTracked(
        tracked_id=_id_of(f"{observed.entity_id}/{observed.event_id}"),
        name=observed.name,
        entity_id=observed.entity_id,
        provider_id=observed.provider_id,
        properties=_told(observed),
        tracked_at=now,
    )
    return Decision(after, (told, *_acknowledged(observed)))


def _acknowledged(observed: Observe) -> tuple[Event, ...]:
    """HTL-29: a booking that was cancelled waits to hear that its figures are."""
    if observed.name != BookingCancelled.event_type:
        return ()
    return (CancellationCounted(booking_id=observed.entity_id),)


def _booking_after(booking: Tracked | None, observed: Observe) -> Tracked | None:
    if observed.name in _BOOKING_NEWS:
        return _took_facts(_took_outcome(booking or Tracked(), observed), observed)
    if observed.name in _MONEY and observed.amount is not None and observed.currency is not None:
        moved = Moved(day_of(observed), observed.amount, observed.currency, _MONEY[observed.name])
        before = booking or Tracked()
        return msgspec.structs.replace(before, money=(*before.money, moved))
    return booking


def _took_outcome(booking: Tracked, observed: Observe) -> Tracked:
    outcome = _OUTCOMES.get(observed.name)
    outcomes = {*booking.outcomes, outcome} if outcome is not None else booking.outcomes
    return msgspec.structs.replace(
        booking,
        booked_on=_booked_on(booking, observed),
        outcomes=tuple(sorted(outcomes)),
        lead_days=observed.lead_days if booking.lead_days is None else booking.lead_days,
        rules=max(booking.rules, observed.rules),
    )


def _booked_on(booking: Tracked, observed: Observe) -> date:
    day, known = day_of(observed), booking.booked_on
    if known is None or "created" in booking.outcomes:
        return known or day
    return day if observed.name == BookingCreated.event_type else min(day, known)


def _took_facts(booking: Tracked, observed: Observe) -> Tracked:
    """Topics have no common order: the latest news has the booking as it is, its creation as it was first."""
    created = observed.name == BookingCreated.event_type
    stale = bool(booking.taken) if created else booking.as_of is not None and observed.occurred_at < booking.as_of
    if stale or not observed.taken:
        return booking
    return msgspec.structs.replace(
        booking,
        taken=tuple(Span(*msgspec.structs.astuple(each)) for each in observed.taken),
        as_of=None if created else observed.occurred_at,
        currency=observed.currency or booking.currency,
    )


def _told(observed: Observe) -> dict[str, Any]:
    """CAT-37: the document names no schema. All of it texts, so that no codec stumbles over a number."""
    told = {**observed.properties, "event_id": observed.event_id, "occurred_at": observed.occurred_at.isoformat()}
    if observed.amount is not None:
        told["amount"] = str(observed.amount)
    if observed.currency is not None:
        told["currency"] = observed.currency
    return told
