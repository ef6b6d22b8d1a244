"""Analytics: what is observed of the other services' news, and what is passed on (CAT-13; HTL-23 analytics.*)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

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
    #: By which rules it is counted: 1 counts arrivals and their nights, too.
    rules: int = 0


class SetAlert(Event, type="analytics.alert.set"):
    """A property is to be told when a figure crosses a threshold. `entity_id` is the property."""

    entity_id: Id
    alert_id: Id
    metric: str
    bound: Literal["above", "below"]
    threshold: Decimal
    #: How far beyond the threshold a figure has to come back to be back.
    hysteresis: Decimal = Decimal(0)
    #: How many days are looked at: nights from today on, or days up to today that bookings are made on.
    window_days: Whole
    #: Of amounts.
    currency: Currency | None = None
    #: The property's units of each night when this was asked; None where nothing is taken by the night.
    capacity: NonNegative | None = None
    time_zone: str = "UTC"


class RemoveAlert(Event, type="analytics.alert.remove"):
    """`entity_id` is the property."""

    entity_id: Id
    alert_id: Id


class WatchFigures(Event, type="analytics.figures.watch"):
    """The figures of a property are followed: one for each partition, under a key that leads there."""

    entity_id: Id
    property_id: Id


class FiguresMoved(Event, type="analytics.figures.moved"):
    """The figures that one partition has of a property, of days that changed. `entity_id` is the property.

    What there was when the property came to be watched is told by one such message at least, even if it is nothing.
    """

    entity_id: Id
    #: Which partition, and how far it had decided: of two with the same day the later holds.
    partition: NonNegative
    offset: NonNegative
    #: By local date, as its row has them; empty where nothing is left.
    figures: dict[str, dict[str, Any]]
    #: The last message of what there was when the property came to be watched.
    complete: bool = False


# --- told to the world ---


class AnalyticsTracked(Event, type="analytics.event.tracked"):
    """CAT-37: the document names the topic without a schema."""

    tracked_id: Id
    name: str
    entity_id: Id
    provider_id: Id | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    tracked_at: Instant


class AlertNews(Event):
    """What all news of an alert says. `entity_id` is the property, and so is `provider_id`."""

    alert_id: Id
    entity_id: Id
    provider_id: Id
    metric: str
    bound: Literal["above", "below"]
    threshold: str
    #: The figure as it was found; None where it is not known any more.
    value: str | None = None
    currency: Currency | None = None
    #: The days it is of.
    first: date
    last: date


class AlertRaised(AlertNews, type="analytics.alert.raised"):
    """A figure crossed its threshold: told once, until it came back."""

    raised_at: Instant


class AlertCleared(AlertNews, type="analytics.alert.cleared"):
    """An alert is raised no more: its figure is back or not known any more, or the alert was removed or changed."""

    raised_at: Instant
    cleared_at: Instant
    #: The alert was removed, or set with other settings; its figure did not come back: `value` is what it was last.
    removed: bool = False
