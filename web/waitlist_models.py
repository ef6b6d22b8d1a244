"""What the API takes and answers of waitlists."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict

from web.answers import Answer, GuestOut
from web.models import GuestIn, PaymentMethodIn, Request, StayWish


class WaitlistRequest(StayWish):
    """A stay to wait for: nights `[check_in, check_out)` of a unit type that is sold out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "property_id": "PROP-001",
                    "unit_type": "standard",
                    "check_in": "2026-12-24",
                    "check_out": "2026-12-27",
                    "quantity": 1,
                    "guest": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"},
                }
            ]
        }
    )

    guest: GuestIn


class AcceptRequest(Request):
    """What the booking is paid with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"payment_method": {"token": "tok_visa"}}]})

    payment_method: PaymentMethodIn


class EntryLinks(Answer):
    self: str
    accept: str
    withdraw: str
    #: Of an accepted one.
    booking: str | None = None


class EntryOut(Answer):
    """An entry as its row stands."""

    entry_id: str
    #: WAITING, OFFERED, or how it ended: ACCEPTED, EXPIRED, WITHDRAWN, LAPSED.
    status: str
    #: From 1, among those that wait for the unit type; of one that waits.
    position: int | None = None
    property_id: str
    unit_type: str
    check_in: date
    check_out: date
    quantity: int
    user_id: str
    #: None once the guest's data was erased.
    guest: GuestOut | None = None
    joined_at: datetime
    #: Until when the nights are held for the guest.
    offer_until: datetime | None = None
    #: When nobody waits for them any more.
    last_call: datetime
    ended_at: datetime | None = None
    booking_id: str | None = None
    links: EntryLinks


class WaitlistOut(Answer):
    """Who waits for a unit type, or has an offer of it, in the order they came."""

    property_id: str
    unit_type: str
    entries: list[EntryOut]
