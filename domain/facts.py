"""The facts of an event that a notice or a receipt is filled with: nothing personal, all of it JSON.

Dates and hours are local to the property or practice, amounts are decimal strings in whole minor units.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Context, Decimal
from functools import cache
from typing import Any

from domain.calendar import Unbookable, stay_of, zone
from domain.pricing import minor_unit
from streams.events import Event
from streams.events.about import About
from streams.events.waitlist import EntryOffered

#: What an event calls it -> what the texts call it. Of two names for one fact the later one holds.
_PLAIN = {
    "kind": "kind",
    "product_id": "product",
    "provider_id": "provider",
    "quantity": "quantity",
    "status": "status",
    "reason": "reason",
    "cancellation_reason": "reason",
    "error_code": "reason",
    "refund_eligible": "refund_eligible",
    "receipt_number": "receipt_number",
    "receipt_url": "receipt_url",
    "record_id": "record_id",
    "revision": "revision",
    "entry_id": "entry_id",
}
#: The fields of a sum and of its currency -> the fact.
_SUMS = {
    ("price_amount", "price_currency"): "amount",
    ("amount", "currency"): "amount",
    ("refund_amount", "refund_currency"): "refund",
}
_EXACT = Context(prec=60, traps=[])


def facts_of(event: Event) -> dict[str, Any]:
    """What an event says, together with what it says of the booking it is about. Total."""
    about = getattr(event, "about", None)
    if isinstance(event, EntryOffered):
        facts = _of_offer(event)
    else:
        facts = _of_booking(about) if about is not None else _of_period(event)
    plain, sums = _named(type(event))
    for field, fact in plain:
        value = getattr(event, field)
        if value is not None:
            facts[fact] = value
    for amount, currency, fact in sums:
        value = getattr(event, amount)
        if value is not None:
            facts["currency"] = getattr(event, currency)
            facts[fact] = written(value, facts["currency"])
    return facts


@cache
def _named(model: type[Event]) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Which of the named fields and sums a type of event has."""
    plain = [(field, fact) for field, fact in _PLAIN.items() if hasattr(model, field)]
    return plain, [(*fields, fact) for fields, fact in _SUMS.items() if hasattr(model, fields[0])]


def written(amount: Decimal, currency: str) -> str:
    """The amount with the currency's decimals, e.g. "120.00"."""
    return f"{_EXACT.quantize(amount, minor_unit(currency)):f}"


def _of_booking(about: About) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": about.kind,
        "confirmation_number": about.confirmation_number,
        "amount": written(about.price_amount, about.price_currency),
        "currency": about.price_currency,
    }
    if about.details:
        facts["details"] = dict(about.details)
    if about.lines:
        first = about.lines[0]
        facts |= {"product": first.product_id, "provider": first.provider_id}
        facts["quantity"] = sum(line.quantity for line in about.lines)
        start, end = min(line.start for line in about.lines), max(line.end for line in about.lines)
        facts |= _times(about.kind, start, end, about.time_zone)
    if len(about.lines) > 1:
        facts["lines"] = [
            {
                "product": line.product_id,
                "quantity": line.quantity,
                "amount": written(line.price_amount, about.price_currency),
            }
            for line in about.lines
        ]
    return facts


def _of_offer(offered: EntryOffered) -> dict[str, Any]:
    """Nights that are held until an hour of the property's clock."""
    facts: dict[str, Any] = {"kind": "stay", **_times("stay", offered.start_time, offered.end_time, offered.time_zone)}
    until = _times("booking", offered.offered_at, offered.offer_until, offered.time_zone)
    if until:
        facts |= {"offer_until": until["end"], "time_zone": until["time_zone"]}
    return facts


def _of_period(event: Event) -> dict[str, Any]:
    """Another program's booking says when it is, and not where."""
    start, end = getattr(event, "start_time", None), getattr(event, "end_time", None)
    return _times("booking", start, end, "UTC") if start is not None and end is not None else {}


def _times(kind: str, start: datetime, end: datetime, time_zone: str) -> dict[str, str]:
    """Dates of a stay, hours of anything else; goods have neither, nor has what no calendar can show."""
    if kind == "order":
        return {}
    try:
        if kind == "stay":
            check_in, check_out = stay_of(start, end, time_zone)
            return {"check_in": check_in.isoformat(), "check_out": check_out.isoformat()}
        local = zone(time_zone)
        return {"start": _minute(start, local), "end": _minute(end, local), "time_zone": time_zone}
    except (Unbookable, OverflowError):
        return {}


def _minute(time: datetime, local: tzinfo) -> str:
    return time.astimezone(local).replace(tzinfo=None).isoformat(" ", "minutes")
