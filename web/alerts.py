"""Alerts of a property's figures: set, listed with how they stand, removed. Answered from the owner's row."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from aiohttp import web
from pydantic import Field, model_validator

from domain.alerts import MOST_ALERTS, MOST_DAYS, Alert, Alerts
from domain.metrics import AMOUNTS
from streams.events import Event
from streams.events.analytics import RemoveAlert, SetAlert
from streams.services import ANALYTICS
from tables.alerts import alerts_key, property_of
from web.analytics import PROPERTY, capacity_of, scan, zone_of
from web.answers import Answer
from web.bodies import check, read_json
from web.context import SOURCE, context_of, correlation_of
from web.money import CurrencyIn, SumIn
from web.operations import Operation, Parameter
from web.problems import FieldError, Problem, not_found
from web.requests import name_in_path, query_name
from web.shapes import Request
from web.texts import IdIn

Metric = Literal[
    "occupancy",
    "nights_sold",
    "bookings",
    "cancellations",
    "pickup",
    "cancellation_rate",
    "no_show_rate",
    "lead_time",
    "length_of_stay",
    "revenue",
    "adr",
    "revpar",
]
_alerts = msgspec.json.Decoder(Alerts)


class AlertRequest(Request):
    """Ratios are fractions of 1: `{"metric": "occupancy", "above": "0.9", "window_days": 14}`."""

    property_id: IdIn
    metric: Metric
    above: SumIn | None = None
    below: SumIn | None = None
    #: How far beyond the threshold the figure has to come back.
    hysteresis: SumIn = Decimal(0)
    #: Nights from today on, or, of what goes by the day of booking, days up to today.
    window_days: int = Field(ge=1, le=MOST_DAYS)
    currency: CurrencyIn | None = None

    @model_validator(mode="after")
    def _whole(self) -> AlertRequest:
        if (self.above is None) == (self.below is None):
            raise ValueError("should have one of above and below, and not both")
        if self.metric in AMOUNTS and self.currency is None:
            raise ValueError(f"needs a currency, for {self.metric} is an amount")
        if self.metric not in AMOUNTS and self.currency is not None:
            raise ValueError(f"should have no currency, for {self.metric} is no amount")
        return self


class AlertOut(Answer):
    """An alert and how it stands. `value` is the figure when it was looked at last, of the days `from` to `to`.

    `waiting`: the property's figures are being brought together for its first alert; it was not looked at yet.
    """

    alert_id: str
    property_id: str
    metric: str
    above: str | None
    below: str | None
    hysteresis: str
    window_days: int
    currency: str | None
    state: Literal["waiting", "quiet", "raised"]
    raised_at: datetime | None
    value: str | None
    from_: date | None = Field(serialization_alias="from")
    to: date | None


class AlertsOut(Answer):
    alerts: list[AlertOut]


async def put_alert(request: web.Request) -> web.Response:
    alert_id, asked = name_in_path(request, "alert_id"), check(AlertRequest, await read_json(request))
    context = context_of(request)
    threshold = asked.above if asked.above is not None else asked.below
    assert threshold is not None
    event = SetAlert(
        entity_id=asked.property_id,
        alert_id=alert_id,
        metric=asked.metric,
        bound="above" if asked.above is not None else "below",
        threshold=threshold,
        hysteresis=asked.hysteresis,
        window_days=asked.window_days,
        currency=asked.currency,
        capacity=capacity_of(context, asked.property_id),
        time_zone=zone_of(context, asked.property_id),
    )
    kept = (await _decided(request, asked.property_id, event)).alerts.get(alert_id)
    if kept is None:
        detail = f"A property has at most {MOST_ALERTS} alerts: remove one."
        raise Problem(409, "alert-refused", "The alert was not taken", detail, [FieldError("alert_id", "no room")])
    return _answer(_out(asked.property_id, kept))


async def delete_alert(request: web.Request) -> web.Response:
    alert_id, property_id = name_in_path(request, "alert_id"), query_name(request, "property_id")
    known = await _decided(request, property_id, None)
    if alert_id not in known.alerts:
        raise not_found("alert of this property")
    await _decided(request, property_id, RemoveAlert(entity_id=property_id, alert_id=alert_id))
    return _answer(_out(property_id, known.alerts[alert_id]))


async def list_alerts(request: web.Request) -> web.Response:
    property_id = query_name(request, "property_id") if "property_id" in request.query else None
    return _answer(AlertsOut(alerts=await alerts_of(request, property_id)))


async def alerts_of(request: web.Request, property_id: str | None) -> list[AlertOut]:
    """The alerts of a property, or of all, by property and name."""
    names = [alerts_key(property_id) if property_id is not None else "a|"]
    found = []
    for key, raw in sorted(await scan(context_of(request), names)):
        owner = property_of(key)
        found += [_out(owner, alert) for _, alert in sorted(_alerts.decode(raw).alerts.items())]
    return found


async def _decided(request: web.Request, property_id: str, event: Event | None) -> Alerts:
    """The property's alerts, as they are after `event`."""
    context, after = context_of(request), None
    if event is not None:
        after = (await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))).offset
    raw = await context.rows.row(ANALYTICS.name, property_id, alerts_key(property_id), after=after)
    return _alerts.decode(raw) if raw is not None else Alerts()


def _out(property_id: str, alert: Alert) -> AlertOut:
    return AlertOut(
        alert_id=alert.alert_id,
        property_id=property_id,
        metric=alert.metric,
        above=str(alert.threshold) if alert.bound == "above" else None,
        below=str(alert.threshold) if alert.bound == "below" else None,
        hysteresis=str(alert.hysteresis),
        window_days=alert.window_days,
        currency=alert.currency,
        state=_state(alert),
        raised_at=alert.raised_at,
        value=str(alert.value) if alert.value is not None else None,
        from_=alert.first,
        to=alert.last,
    )


def _state(alert: Alert) -> Literal["waiting", "quiet", "raised"]:
    if alert.first is None:
        return "waiting"
    return "raised" if alert.raised_at is not None else "quiet"


def _answer(body: Answer) -> web.Response:
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")


OPERATIONS = (
    Operation(
        "GET",
        "/api/analytics/alerts",
        list_alerts,
        "The alerts of a property or of all, and how they stand",
        "analytics",
        {200: AlertsOut},
        parameters=(Parameter("property_id", "Only its alerts.", PROPERTY.schema),),
        problems=(422, 503),
    ),
    Operation(
        "PUT",
        "/api/analytics/alerts/{alert_id}",
        put_alert,
        "Be told when a figure of a property crosses a threshold; its first alert may be `waiting` for a moment",
        "analytics",
        {200: AlertOut},
        request=AlertRequest,
        problems=(409, 422, 503),
    ),
    Operation(
        "DELETE",
        "/api/analytics/alerts/{alert_id}",
        delete_alert,
        "Remove an alert; the answer says how it stood",
        "analytics",
        {200: AlertOut},
        parameters=(PROPERTY,),
        problems=(404, 422, 503),
    ),
)
