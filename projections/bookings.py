"""Rows of the booking and the user service, as tables."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from domain.booking_state import Booking
from domain.calendar import Unbookable, stay_of
from domain.users import User
from projections.kinds import Cells, Kind, code
from projections.schema import BOOKINGS, HISTORY, LINES, USERS
from tables.history import Moment

_booking = msgspec.json.Decoder(Booking)
_moment = msgspec.json.Decoder(Moment)
_user = msgspec.json.Decoder(User)


def booking(key: str, value: bytes) -> Cells:
    row = _booking.decode(value)
    first_day, day_after = _dates(row)
    stay = row.kind == "stay"
    plan = row.details.get("rate_plan")
    yield (
        BOOKINGS,
        {
            "booking_id": row.booking_id,
            "confirmation_number": row.confirmation_number,
            "kind": row.kind,
            "status": row.status.value,
            "reason": code(row.reason),
            "user_id": row.user_id,
            "property_id": row.provider_id,
            "unit_type": row.product_id,
            "time_zone": row.time_zone,
            "currency": row.price_currency,
            "payment_id": row.payment_id,
            "rate_plan": plan if stay and isinstance(plan, str) else None,
            "quantity": row.quantity,
            "revision": row.revision,
            "price": row.price_amount,
            "captured": row.captured,
            "refunded": row.refunded,
            "balance": row.balance,
            "deposit": row.deposit,
            "cancellation_fee": row.cancellation_fee,
            "cancellation_refund": row.cancellation_refund,
            "check_in": first_day if stay else None,
            "check_out": day_after if stay else None,
            "first_day": first_day,
            "day_after": day_after,
            "starts_at": row.start,
            "ends_at": row.end,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "confirmed_at": row.confirmed_at,
            "cancelled_at": row.cancelled_at,
        },
    )
    for line in row.lines:
        yield (
            LINES,
            {
                "booking_id": row.booking_id,
                "property_id": line.provider_id,
                "unit_type": line.product_id,
                "line": line.line,
                "quantity": line.quantity,
                "price": line.price_amount,
                "starts_at": line.start,
                "ends_at": line.end,
            },
        )


def _dates(row: Booking) -> tuple[date, date]:
    """The local dates `[first, after)` it takes something of; in UTC where its time zone is none."""
    try:
        return stay_of(row.start, row.end, row.time_zone)
    except Unbookable:
        return row.start.date(), row.end.date() + timedelta(days=1)


def history(key: str, value: bytes) -> Cells:
    """`{booking_id}|{milliseconds}|{offset}`: a message, then what was said because of it."""
    booking_id = key.split("|")[0]
    for entry in _moment.decode(value).entries:
        yield (
            HISTORY,
            {
                "booking_id": booking_id,
                "event_type": entry.event_type,
                "event_id": entry.event_id,
                "causation_id": entry.causation_id,
                "source_name": entry.source,
                "at": entry.at,
            },
        )


def user(key: str, value: bytes) -> Cells:
    row = _user.decode(value)
    yield (
        USERS,
        {
            "user_id": row.user_id,
            "revision": row.revision,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        },
    )


BOOKING_KINDS = {"b": Kind(booking, BOOKINGS, (LINES,)), "h": Kind(history, HISTORY)}
USER_KINDS = {"u": Kind(user, USERS)}
