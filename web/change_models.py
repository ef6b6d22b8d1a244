"""What a change of a booking may say. What is left out stays as it is."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from web.models import PaymentMethodIn, Request
from web.texts import DateIn, Email, IdIn, InstantIn, Phone, Text


class GuestChange(Request):
    email: Email | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    phone: Phone | None = None


class ReservationChange(Request):
    """Other nights, another unit type of the same property, another number of units, or a guest's other details."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"check_out": "2026-12-26", "quantity": 1}]})

    check_in: DateIn | None = None
    check_out: DateIn | None = None
    unit_type: IdIn | None = None
    quantity: int | None = Field(default=None, ge=1)
    guest: GuestChange | None = None
    #: What a higher price is paid with; without it, what the booking was paid with.
    payment_method: PaymentMethodIn | None = None


class BookingChange(Request):
    """Another period, or another quantity."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"end_time": "2026-12-25T09:00:00Z"}]})

    start_time: InstantIn | None = None
    end_time: InstantIn | None = None
    quantity: int | None = Field(default=None, ge=1)
    payment_method: PaymentMethodIn | None = None
