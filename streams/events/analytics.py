"""Analytics: what is observed of the other services' news, and what is passed on (CAT-13; HTL-23 analytics.*)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from streams.events.base import Amount, Currency, Event, Id, Instant, NonNegative, Whole

# --- asked of the analytics service (its inbox, keyed by entity_id) ---


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one line of a booking takes, as analytics counts it."""

    provider_id: Id
    #: The local date it begins on.
    first: date
    #: How many nights from then on; 0 for what is not taken by the night.
    nights: NonNegative = 0
    units: Whole
    #: The price of the whole line.
    amount: Amount


class Observe(Event, type="analytics.event.observe"):
    """One piece of news as analytics counts it. Counted once for each (entity, news): `event_id` says which."""

    #: The booking, user, record or resource it is about.
    entity_id: Id
    event_id: str
    #: The canonical type of the news.
    name: str
    occurred_at: Instant
    #: The local date of that at the property, UTC's where none is known.
    day: date | None = None
    #: The property, practice or shop; None where there is none.
    provider_id: Id | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    #: Nights, slots or items concerned.
    units: Whole = 0
    #: Days between booking and start, where both are known.
    lead_days: Whole | None = None
    #: What the booking takes, as this news has it; empty where it says nothing of that.
    taken: tuple[Taken, ...] = ()
    properties: dict[str, Any] = msgspec.field(default_factory=dict)


# --- told to the world ---


class AnalyticsTracked(Event, type="analytics.event.tracked"):
    """CAT-37: the document names the topic without a schema."""

    tracked_id: Id
    name: str
    entity_id: Id
    provider_id: Id | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    tracked_at: Instant
