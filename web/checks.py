"""What a request must be in the light of the resource it asks for, before anything is appended. Each refusal names the
field of the request that is at fault."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.calendar import HORIZON, MAX_SLOTS, Unbookable, night_bounds, slots_of
from domain.pricing import quote
from streams.events.about import Line
from streams.events.availability import ResourceDeclared
from streams.keys import resource_key
from web.answers import Money
from web.context import Context
from web.problems import FieldError, Problem, invalid, unprocessable

#: Nothing is booked further ahead than this.


def resource_of(context: Context, provider: tuple[str, str], product: tuple[str, str]) -> ResourceDeclared:
    """The resource a request names; both arguments are (field, value)."""
    found = context.rates.get(resource_key(provider[1], product[1]))
    if found is None:
        message = f"unknown {provider[0].removesuffix('_id')} {provider[1]} / {product[1]}"
        raise unprocessable([FieldError(provider[0], message), FieldError(product[0], message)])
    return found


def first_resource(context: Context, lines: tuple[Line, ...]) -> ResourceDeclared | None:
    """The resource of the first of some lines, as it is declared now."""
    return context.rates.get(resource_key(lines[0].provider_id, lines[0].product_id))


def check_quantity(quantity: int, context: Context, field: str = "quantity") -> None:
    if quantity > context.limits.max_quantity:
        raise invalid(field, f"should be at most {context.limits.max_quantity}")


def stay_bounds(
    resource: ResourceDeclared, check_in: date, check_out: date, context: Context
) -> tuple[datetime, datetime]:
    """The instants of a stay that may be booked, in UTC."""
    if resource.slots != "nights":
        raise invalid("unit_type", "is not booked by the night; use POST /api/bookings")
    today = context.clock().astimezone(ZoneInfo(resource.time_zone)).date()
    if check_in < today:
        raise invalid("check_in", "is in the past")
    if check_out <= check_in:
        raise invalid("check_out", "should be after check_in")
    if check_in > today + HORIZON:
        raise invalid("check_in", "is too far ahead")
    nights = (check_out - check_in).days
    most = min(context.limits.max_nights, MAX_SLOTS)
    if nights > most:
        raise invalid("check_out", f"a stay has at most {most} nights")
    if nights < resource.min_stay and not resource.has_calendar:
        raise invalid("check_out", f"a stay here has at least {resource.min_stay} nights")
    return night_bounds(check_in, check_out, resource.time_zone)


def check_period(resource: ResourceDeclared, start: datetime, end: datetime, context: Context) -> None:
    """Whether `[start, end)` may be booked."""
    now = context.clock()
    if start < now and not _is_tonight(resource, start, now):
        raise invalid("start_time", "is in the past")
    if end <= start:
        raise invalid("end_time", "should be after start_time")
    if start > now + HORIZON:
        raise invalid("start_time", "is too far ahead")
    try:
        slots = len(slots_of(resource.slots, resource.time_zone, start, end))
    except Unbookable as refusal:
        raise invalid("end_time", f"cannot be booked: {refusal.reason}") from None
    if slots > context.limits.max_nights:
        raise invalid("end_time", f"a booking takes at most {context.limits.max_nights} nights or slots")
    if slots < resource.min_stay and not resource.has_calendar:
        raise invalid("end_time", f"a booking here takes at least {resource.min_stay} nights or slots")


def _is_tonight(resource: ResourceDeclared, start: datetime, now: datetime) -> bool:
    """A night that began today may still be taken; a slot of minutes that began is over for booking."""
    zone = ZoneInfo(resource.time_zone)
    return resource.slots == "nights" and start.astimezone(zone).date() >= now.astimezone(zone).date()


def line_of(resource: ResourceDeclared, start: datetime, end: datetime, quantity: int, line: int = 1) -> Line:
    """A quantity of a resource over `[start, end)`, at its present price."""
    return Line(
        line=line,
        provider_id=resource.provider_id,
        product_id=resource.product_id,
        start=start,
        end=end,
        quantity=quantity,
        price_amount=quote(resource, start, end, quantity),
    )


def check_expected(
    price: Decimal, currency: str, expected: Decimal, expected_currency: str, field: str = "price_amount"
) -> None:
    """A price sent by a client is what it expects; another one is told, not charged."""
    if (price, currency) != (expected, expected_currency):
        current = Money.of(price, currency)
        raise Problem(
            409,
            "price-changed",
            "The price is another one",
            f"The current price is {current.amount} {current.currency}.",
            [FieldError(field, "is not the current price")],
            more={"price": current.model_dump()},
        )
