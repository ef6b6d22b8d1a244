"""What a receipt's page says, from its row: dates and hours as the property's clock shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from adapters.receipt_words import Facts, Line
from domain.calendar import Unbookable, stay_of, zone
from domain.receipts import Receipt
from streams.events import about
from streams.events.payment import PaymentMethod


def facts_of(receipt: Receipt, guest: Mapping[str, Any], link: str) -> Facts:
    """`guest` is the guest's personal data in clear, empty where it cannot be read any more."""
    booked, method = receipt.about, receipt.method or PaymentMethod()
    clock = _clock(booked.time_zone) if booked is not None else UTC
    return Facts(
        number=receipt.number,
        receipt_id=receipt.receipt_id,
        payment_id=receipt.payment_id,
        booking_id=receipt.booking_id,
        paid_at=receipt.paid_at.astimezone(clock),
        amount=receipt.amount,
        currency=receipt.currency,
        price=booked.price_amount if booked is not None and booked.price_currency == receipt.currency else None,
        provider=_provider(booked),
        confirmation_number=booked.confirmation_number if booked is not None else "",
        lines=tuple(_line(booked, each, clock) for each in booked.lines) if booked is not None else (),
        guest=_name(guest),
        method=method.type,
        brand=method.brand,
        last4=method.last4,
        locale=_said(guest, "locale"),
        link=link,
    )


def _provider(booked: about.About | None) -> str:
    """Whose lines these are; nobody's where several sell on one booking."""
    named = {line.provider_id for line in booked.lines} if booked is not None else set()
    return named.pop() if len(named) == 1 else ""


def _line(booked: about.About, line: about.Line, clock: tzinfo) -> Line:
    shown = Line(what=line.product_id, quantity=line.quantity, amount=line.price_amount)
    if booked.kind == "order":
        return shown
    try:
        if booked.kind == "stay":
            start, end = stay_of(line.start, line.end, booked.time_zone)
            return Line(what=shown.what, quantity=shown.quantity, amount=shown.amount, start=start, end=end)
        from_, until = _wall(line.start, clock), _wall(line.end, clock)
        return Line(what=shown.what, quantity=shown.quantity, amount=shown.amount, start=from_, end=until)
    except (Unbookable, OverflowError):
        return shown


def _wall(time: datetime, clock: tzinfo) -> datetime:
    return time.astimezone(clock).replace(tzinfo=None)


def _clock(time_zone: str) -> tzinfo:
    try:
        return zone(time_zone)
    except Unbookable:
        return UTC


def _name(guest: Mapping[str, Any]) -> str | None:
    """The guest's whole name; other programs may give it in one piece."""
    parts = [_said(guest, part) for part in ("first_name", "last_name")]
    return " ".join(part for part in parts if part) or _said(guest, "name")


def _said(guest: Mapping[str, Any], field: str) -> str | None:
    found = guest.get(field)
    return found if isinstance(found, str) and found.strip() else None
