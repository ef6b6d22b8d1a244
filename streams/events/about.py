"""What a booking is about: its lines, and the facts that go with every piece of news of it.

The documents name different ones (campsite: dates and e-mail; hotel: property and guest; clinic: doctor and hour), so
each news carries them all. What a document has no place for travels beside it (`streams.wire.rest`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streams.events.base import Amount, Count, Currency, Id, Instant, Sealed

Kind = Literal["stay", "booking", "order", "appointment"]
#: What a booking waits for, beside inventory, which always has to agree: an authorization, or the money itself before
#: inventory is asked, or nothing.
ConfirmOn = Literal["payment.authorized", "payment.captured", "inventory"]


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing a booking takes: a quantity of a resource over `[start, end)`."""

    line: Count
    provider_id: Id
    product_id: Id
    start: Instant
    end: Instant
    quantity: Count
    #: The price of this line as quoted, for its whole length and quantity.
    price_amount: Amount


class Location(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    lat: float | None = None
    lon: float | None = None
    address: str | None = None


class About(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A booking as it stood when the news was told."""

    kind: Kind = "booking"
    confirmation_number: str = ""
    lines: tuple[Line, ...] = ()
    price_amount: Amount
    price_currency: Currency
    #: Of the property or practice: what its local dates and hours are in.
    time_zone: str = "UTC"
    #: The guest's, customer's or patient's personal data as a JSON object, sealed under the user's key.
    guest: Sealed | None = None
    #: Whether the guest left a telephone number that a text message can be sent to.
    phone: bool = False
    #: What only some kinds have and is nobody's secret: an appointment's visit type...
    details: dict[str, Any] = {}
