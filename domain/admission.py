"""What a request of another program means in our own words (design 3). It is input: bounded, cut and priced anew.

A booking that cannot be had as it came is still opened, with a `refusal`, so that it is REJECTED for all to see; only
what cannot be written down as a booking at all is `Inadmissible`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.appointments import CLINIC, appointment_period, local_time
from domain.calendar import HORIZON, Unbookable, night_bounds, stay_of
from domain.cancellation import RETURNABLE
from domain.pricing import minor_unit, quote, without_plan
from domain.stay_times import stay_times
from domain.users import NEXT
from streams.events import ENCODER, Event
from streams.events.about import About, ConfirmOn, Line
from streams.events.availability import ResourceDeclared
from streams.events.booking import RULES, ChangeBooking, RequestBooking
from streams.events.booking_news import BookingCreated, BookingUpdated

MAX_LINES = 20
MAX_QUANTITY = 1_000_000
MAX_PRICE = Decimal(10) ** 10
MAX_BYTES = 65_536

#: Resources by (provider, product), as they are declared now.
Resources = Mapping[tuple[str, str], ResourceDeclared]


class Inadmissible(ValueError):
    """A request that cannot be taken at all. The text says why, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a booking of another program is taken on."""

    resources: Resources
    confirm_on: ConfirmOn
    confirmation_number: str
    deadline: datetime
    #: Sealed; None where bookings without a payment method are not taken.
    payment_token: str | None
    fingerprint: str
    #: When the request was met.
    now: datetime
    max_quantity: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTerms:
    """What a change of another program is taken on."""

    resources: Resources
    deadline: datetime
    #: When the request was met.
    now: datetime
    #: The message's: a row takes each change once.
    message_id: str


def check_size(event: Event) -> None:
    """Raises Inadmissible for an event that is larger than any request of ours may be."""
    size = len(ENCODER.encode(event))
    if size > MAX_BYTES:
        raise Inadmissible(f"the request has {size} bytes, and at most {MAX_BYTES} are taken")


def booking_of(created: BookingCreated, terms: Terms) -> RequestBooking:
    """The booking that was asked for, at our prices; `refusal` says why it cannot be had.

    Raises Inadmissible: too many lines, or amounts and quantities that no booking has.
    """
    about = created.about or About(price_amount=created.price_amount, price_currency=created.price_currency)
    claimed = _claimed(about.lines or (_main_line(created),), created.price_amount)
    prepaid = not _is_visit(about, claimed)
    currency, place = created.price_currency, "UTC"
    lines, price, refusal, times = claimed, created.price_amount, None, None
    try:
        if any(line.quantity > terms.max_quantity for line in claimed):
            raise Unbookable("quantity_too_large")
        if not all(_pair(line) in terms.resources for line in claimed):
            raise Unbookable("unknown_resource")
        currency, place = _common(claimed, terms.resources)
        lines = tuple(_quoted(line, about, terms.resources[_pair(line)]) for line in claimed)
        price = sum((line.price_amount for line in lines), Decimal(0))
        times = stay_times(terms.resources[_pair(lines[0])], lines)
        _check_time(about, lines, terms.now)
        if prepaid:
            _check_offer(created, price, currency, terms)
    except Unbookable as found:
        refusal = found.reason
    return RequestBooking(
        booking_id=created.booking_id,
        kind=about.kind,
        fingerprint=terms.fingerprint,
        confirmation_number=terms.confirmation_number,
        user_id=created.user_id,
        guest=about.guest,
        phone=about.phone,
        lines=lines,
        price_amount=price,
        price_currency=currency,
        payment_token=terms.payment_token or "",
        deadline=terms.deadline,
        free_until=_free_until(about, lines, terms.now),
        location=created.location,
        metadata=created.metadata,
        confirm_on=terms.confirm_on,
        prepaid=prepaid,
        time_zone=place,
        details=without_plan(about.details),
        rules=RULES,
        announced=True,
        refusal=refusal,
        times=times,
    )


def change_of(updated: BookingUpdated, terms: ChangeTerms) -> ChangeBooking:
    """The change that was asked for, at our prices.

    Raises Inadmissible: it does not name the whole of the booking, or cannot be had as it came.
    """
    about = updated.about
    if about is None or not about.lines:
        raise Inadmissible("a change names all lines of the booking, and this one names none")
    claimed = _claimed(about.lines, updated.price_amount)
    for provider_id, product_id in map(_pair, claimed):
        if (provider_id, product_id) not in terms.resources:
            raise Inadmissible(f"the change names {provider_id} / {product_id}, which nobody declared")
    try:
        currency, _ = _common(claimed, terms.resources)
        lines = tuple(_quoted(line, about, terms.resources[_pair(line)]) for line in claimed)
        times = stay_times(terms.resources[_pair(lines[0])], lines)
    except Unbookable as found:
        raise Inadmissible(f"the change cannot be booked: {found.reason}") from None
    price = sum((line.price_amount for line in lines), Decimal(0))
    if not _is_visit(about, lines) and not _same_price(updated, price, currency):
        raise Inadmissible(f"the change costs {price} {currency}, not {updated.price_amount} {updated.price_currency}")
    return ChangeBooking(
        booking_id=updated.booking_id,
        revision=NEXT,
        lines=lines,
        price_amount=price,
        deadline=terms.deadline,
        free_until=_free_until(about, lines, terms.now),
        guest=about.guest,
        phone=about.phone,
        user_id=updated.user_id,
        message_id=terms.message_id,
        details=without_plan(about.details) or None,
        times=times,
    )


def _main_line(created: BookingCreated) -> Line:
    """The one line of a document that names it in its main fields."""
    return Line(
        line=1,
        provider_id=created.provider_id,
        product_id=created.product_id,
        start=created.start_time,
        end=created.end_time,
        quantity=created.quantity,
        price_amount=created.price_amount,
    )


def _claimed(lines: tuple[Line, ...], total: Decimal) -> tuple[Line, ...]:
    """The lines as they were asked for, numbered by us."""
    if len(lines) > MAX_LINES:
        raise Inadmissible(f"the booking has {len(lines)} lines, and at most {MAX_LINES} are taken")
    for price in (total, *(line.price_amount for line in lines)):
        if not 0 <= price <= MAX_PRICE:
            raise Inadmissible(f"{price} is no price")
    for line in lines:
        if not 1 <= line.quantity <= MAX_QUANTITY:
            raise Inadmissible(f"nobody can book a quantity of {line.quantity}")
    return tuple(msgspec.structs.replace(line, line=number) for number, line in enumerate(lines, start=1))


def _is_visit(about: About, lines: tuple[Line, ...]) -> bool:
    """An appointment at a practitioner, which is paid at the desk: nothing else becomes free by calling itself one."""
    return about.kind == "appointment" and all(line.provider_id == CLINIC for line in lines)


def _check_time(about: About, lines: tuple[Line, ...], now: datetime) -> None:
    """Goods are taken when they are asked for; everything else lies ahead, and not out of sight."""
    if about.kind == "order":
        return
    if any(line.end <= now for line in lines):
        raise Unbookable("in_the_past")
    if any(line.start > now + HORIZON for line in lines):
        raise Unbookable("too_far_ahead")


def _check_offer(created: BookingCreated, price: Decimal, currency: str, terms: Terms) -> None:
    if not _same_price(created, price, currency):
        raise Unbookable("price_changed")
    if price > 0 and terms.payment_token is None:
        raise Unbookable("payment_method_missing")


def _same_price(said: BookingCreated | BookingUpdated, price: Decimal, currency: str) -> bool:
    """To the minor unit: the documents write money as floating-point numbers."""
    return said.price_currency == currency and abs(said.price_amount - price) * 2 < minor_unit(currency)


def _common(lines: tuple[Line, ...], resources: Resources) -> tuple[str, str]:
    """The currency of all lines, and the time zone of the first. Raises Unbookable("mixed_currencies")."""
    found = [resources[_pair(line)] for line in lines]
    if len({resource.price_currency for resource in found}) > 1:
        raise Unbookable("mixed_currencies")
    return found[0].price_currency, found[0].time_zone


def _quoted(line: Line, about: About, resource: ResourceDeclared) -> Line:
    """A line as the resource cuts its time, at the resource's price. Raises Unbookable."""
    start, end = _period(line, about, resource)
    price = quote(resource, start, end, line.quantity)
    return msgspec.structs.replace(line, start=start, end=end, price_amount=price)


def _free_until(about: About, lines: tuple[Line, ...], now: datetime) -> datetime:
    return now + RETURNABLE if about.kind == "order" else min(line.start for line in lines)


def _period(line: Line, about: About, resource: ResourceDeclared) -> tuple[datetime, datetime]:
    """Documents show local dates and hours, and what reads them does not know in which zone they are meant."""
    if about.kind == "appointment":
        day, hour = (str(about.details.get(name, "")) for name in ("date", "time"))
        if about.time_zone not in ("UTC", resource.time_zone):  # the message says which clock it means
            day, hour = local_time(line.start, resource.time_zone)
        return appointment_period(resource.slots, resource.time_zone, day, hour)
    if about.kind == "stay" and resource.slots == "nights":
        check_in, check_out = stay_of(line.start, line.end, about.time_zone)
        return night_bounds(check_in, check_out, resource.time_zone)
    return line.start, line.end


def _pair(line: Line) -> tuple[str, str]:
    return line.provider_id, line.product_id
