"""Alerts: a property is told once when a figure crosses a threshold, and once when it is back.

A figure is looked at whenever the property's figures change, and not before every partition has told its part of them:
what a part is missing of crosses thresholds that the whole does not. It counts as back only beyond the threshold by its
hysteresis, so that one which swings around it is not told of every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from domain.calendar import zone
from domain.decision import Decision
from domain.figures import Figures
from domain.kpis import kpis
from domain.metrics import value_of
from streams.events import Event
from streams.events.analytics import AlertCleared, AlertRaised, RemoveAlert, SetAlert

#: Of nights from today on; all other figures are of bookings made up to today.
AHEAD = frozenset({"occupancy", "nights_sold", "revenue", "adr", "revpar", "length_of_stay"})
#: Of one property.
MOST_ALERTS = 20
MOST_DAYS = 92

#: The figures of the days from one to another, included.
Look = Callable[[date, date], Mapping[date, Figures]]


class Alert(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An alert as it was set, and how it stands."""

    alert_id: str
    metric: str
    bound: Literal["above", "below"]
    threshold: Decimal
    hysteresis: Decimal = Decimal(0)
    window_days: int
    currency: str | None = None
    capacity: int | None = None
    time_zone: str = "UTC"
    #: Since when the figure is beyond the threshold; None while it is not.
    raised_at: datetime | None = None
    #: The figure when it was looked at last, and of which days it was; no days before it was looked at.
    value: Decimal | None = None
    first: date | None = None
    last: date | None = None


class Alerts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The alerts of a property by id. `watched`: every partition was asked to tell its figures."""

    alerts: dict[str, Alert] = {}
    watched: bool = False
    #: The partitions that have not told theirs yet: until all have, no alert is looked at.
    awaited: tuple[int, ...] = ()


def watch(partitions: int) -> Alerts:
    """Of a property that gets its first alert."""
    return Alerts(watched=True, awaited=tuple(range(partitions)))


def heard(before: Alerts, partition: int) -> Alerts:
    """A partition has told all the figures it had."""
    return msgspec.structs.replace(before, awaited=tuple(each for each in before.awaited if each != partition))


def set_alert(before: Alerts, asked: SetAlert, look: Look, now: datetime) -> Decision[Alerts]:
    """The same alert again changes nothing; one that differs ends what was there. One too many is left out."""
    known, alert = before.alerts.get(asked.alert_id), _alert_of(asked)
    if known is not None and _as_set(known) == alert:
        return Decision(before)
    if known is None and len(before.alerts) >= MOST_ALERTS:
        return Decision(before)
    if before.awaited:
        return Decision(_with(before, alert))
    ended = _cleared(asked.entity_id, known, now, removed=True) if known is not None else ()
    after, told = _looked_at(asked.entity_id, alert, look, now)
    return Decision(_with(before, after), (*ended, *told))


def remove_alert(before: Alerts, asked: RemoveAlert, now: datetime) -> Decision[Alerts]:
    """What is not there is left alone."""
    known = before.alerts.get(asked.alert_id)
    if known is None:
        return Decision(before)
    left = {name: alert for name, alert in before.alerts.items() if name != asked.alert_id}
    return Decision(msgspec.structs.replace(before, alerts=left), _cleared(asked.entity_id, known, now, removed=True))


def review(property_id: str, before: Alerts, look: Look, now: datetime) -> Decision[Alerts]:
    """Every alert of a property after its figures changed."""
    if before.awaited:
        return Decision(before)
    after, said = before, list[Event]()
    for alert in before.alerts.values():
        seen, told = _looked_at(property_id, alert, look, now)
        said += told
        if seen != alert:
            after = _with(after, seen)
    return Decision(after, tuple(said))


def window(alert: Alert, now: datetime) -> tuple[date, date]:
    """The days an alert is of, by the property's clock."""
    today, more = now.astimezone(zone(alert.time_zone)).date(), timedelta(days=alert.window_days - 1)
    return (today, today + more) if alert.metric in AHEAD else (today - more, today)


def _looked_at(property_id: str, alert: Alert, look: Look, now: datetime) -> tuple[Alert, tuple[Event, ...]]:
    first, last = window(alert, now)
    value = value_of(alert.metric, kpis(look(first, last), alert.window_days, alert.capacity), alert.currency)
    seen = msgspec.structs.replace(alert, value=value, first=first, last=last)
    if alert.raised_at is None and _beyond(alert, value, Decimal(0)):
        raised = msgspec.structs.replace(seen, raised_at=now)
        return raised, (AlertRaised(**_news(property_id, raised), raised_at=now),)
    if alert.raised_at is not None and not _beyond(alert, value, alert.hysteresis):
        return msgspec.structs.replace(seen, raised_at=None), _cleared(
            property_id, msgspec.structs.replace(seen, raised_at=alert.raised_at), now
        )
    return seen, ()


def _beyond(alert: Alert, value: Decimal | None, slack: Decimal) -> bool:
    """Whether a figure is beyond the threshold; one that is not known is not."""
    if value is None:
        return False
    if alert.bound == "above":
        return value > alert.threshold - slack
    return value < alert.threshold + slack


def _cleared(property_id: str, alert: Alert, now: datetime, *, removed: bool = False) -> tuple[Event, ...]:
    if alert.raised_at is None:
        return ()
    news = _news(property_id, alert)
    return (AlertCleared(**news, raised_at=alert.raised_at, cleared_at=now, removed=removed),)


def _news(property_id: str, alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "entity_id": property_id,
        "provider_id": property_id,
        "metric": alert.metric,
        "bound": alert.bound,
        "threshold": str(alert.threshold),
        "value": str(alert.value) if alert.value is not None else None,
        "currency": alert.currency,
        "first": alert.first,
        "last": alert.last,
    }


def _alert_of(asked: SetAlert) -> Alert:
    names = ("alert_id", "metric", "bound", "threshold", "hysteresis", "window_days", "currency", "capacity")
    return Alert(**{name: getattr(asked, name) for name in names}, time_zone=asked.time_zone)


def _as_set(alert: Alert) -> Alert:
    return msgspec.structs.replace(alert, raised_at=None, value=None, first=None, last=None)


def _with(alerts: Alerts, alert: Alert) -> Alerts:
    return msgspec.structs.replace(alerts, alerts={**alerts.alerts, alert.alert_id: alert})
