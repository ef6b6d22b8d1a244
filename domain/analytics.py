"""What analytics observes of the other services' news. How that is counted stands in `domain.counting`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

from domain.calendar import MAX_SLOTS, Unbookable, stay_of, zone
from streams.events import Envelope, Event
from streams.events.about import About, Kind, Line
from streams.events.analytics import Observe, Taken
from streams.events.availability import NightUpdated
from streams.events.booking_news import BookingCancelled, BookingCreated, BookingNews, BookingUpdated
from streams.events.ids import ids_under
from streams.events.payment_news import PaymentNews
from streams.events.receipts import ReceiptGenerated

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("b5a1e7c2-91d4-5f36-8a07-3c2f6d9e4b15"))
#: The rules that observations of today are counted by.
RULES = 1
_OF_A_BOOKING = (BookingNews, PaymentNews, ReceiptGenerated)
#: Ids in the order in which they say what news is about.
_ENTITIES = ("booking_id", "record_id", "payment_id", "user_id", "endpoint_id")
_RESOURCE = ("provider_id", "product_id")
_AMOUNTS = (("amount", "currency"), ("price_amount", "price_currency"), ("refund_amount", "refund_currency"))
#: What is passed on of an event: ids and short words, no text that a guest wrote.
_SHOWN = ("product_id", "payment_id", "status", "error_code", "template", "slot", "kind", "action")


def observation_of(news: Envelope) -> list[Observe]:
    """What analytics counts of a piece of news; nothing of some.

    Its own news are left out although it reads all topics: it would never come to rest (C14). So is what is left of a
    night, told several times for each booking: occupancy is known from the bookings; and what the platform says of its
    own parts, which is about nothing that is sold.
    """
    event = news.data
    if event.event_type.startswith(("analytics.", "platform.")) or isinstance(event, NightUpdated) or _is_request(news):
        return []
    about: About | None = event.about if isinstance(event, _OF_A_BOOKING) else None
    taken = _taken(event, about)
    day = _local_day(news.timestamp, about.time_zone if about is not None else "UTC")
    amount, currency = _amount(event)
    observed = Observe(
        entity_id=_entity(event),
        event_id=news.event_id,
        name=event.event_type,
        occurred_at=news.timestamp,
        day=day,
        provider_id=taken[0].provider_id if taken else _provider(event, about),
        amount=amount,
        currency=currency or (about.price_currency if about is not None else None),
        units=sum(each.units * max(each.nights, 1) for each in taken),
        lead_days=max((taken[0].first - day).days, 0) if isinstance(event, BookingCreated) else None,
        taken=taken,
        properties=_properties(event, about),
        rules=RULES,
    )
    return [observed]


def _is_request(news: Envelope) -> bool:
    """Another program's wish to change or cancel, caused by nothing of ours: what becomes of it is told by us."""
    return isinstance(news.data, BookingUpdated | BookingCancelled) and news.causation_id is None


@cache
def _having(model: type[Event], names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these a type of event has."""
    return tuple(name for name in names if name in model.__struct_fields__ or hasattr(model, name))


def _entity(event: Event) -> str:
    for name in _having(type(event), _ENTITIES):
        found = getattr(event, name)
        if found is not None:
            return str(found)
    resource = "/".join(quote(getattr(event, name), safe="") for name in _having(type(event), _RESOURCE))
    return resource if len(resource) <= 100 else _id_of(resource)


def _provider(event: Event, about: About | None) -> str | None:
    if about is not None and about.lines:
        return about.lines[0].provider_id
    names = _having(type(event), ("provider_id",))
    return getattr(event, names[0]) if names else None


def _amount(event: Event) -> tuple[Decimal | None, str | None]:
    for amount, currency in _AMOUNTS:
        if _having(type(event), (amount,)):
            return getattr(event, amount), getattr(event, currency)
    return None, None


def _taken(event: Event, about: About | None) -> tuple[Taken, ...]:
    if isinstance(event, BookingNews) and about is not None and about.lines:
        return tuple(_line_taken(line, about.kind, about.time_zone) for line in about.lines)
    if isinstance(event, BookingCreated):
        line = Line(
            line=1,
            provider_id=event.provider_id,
            product_id=event.product_id,
            start=event.start_time,
            end=event.end_time,
            quantity=event.quantity,
            price_amount=event.price_amount,
        )
        return (_line_taken(line, "booking", "UTC"),)
    return ()


def _line_taken(line: Line, kind: Kind, time_zone: str) -> Taken:
    first, nights = _nights(line, kind, time_zone)
    return Taken(
        provider_id=line.provider_id, first=first, nights=nights, units=line.quantity, amount=line.price_amount
    )


def _nights(line: Line, kind: Kind, time_zone: str) -> tuple[date, int]:
    """The first date, and how many nights. What is booked by times is by the night if it goes on past midnight."""
    try:
        first, after = stay_of(line.start, line.end, time_zone)
    except Unbookable:
        return line.start.date(), 0
    overnight = kind == "stay" or (kind == "booking" and line.end.astimezone(zone(time_zone)).date() > first)
    nights = (after - first).days
    return first, nights if overnight and nights <= MAX_SLOTS else 0


def _local_day(time: datetime, time_zone: str) -> date:
    try:
        return time.astimezone(zone(time_zone)).date()
    except (Unbookable, OverflowError):
        return time.astimezone(UTC).date()


def _properties(event: Event, about: About | None) -> dict[str, Any]:
    found = {name: getattr(event, name) for name in _having(type(event), _SHOWN)}
    shown = {name: value for name, value in found.items() if isinstance(value, str)}
    return shown if about is None else {**shown, "kind": about.kind}
