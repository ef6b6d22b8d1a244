"""Inventory: what can be taken, who holds it, and what the world hears of it."""

from __future__ import annotations

from typing import Literal

from streams.events.base import Amount, Count, Currency, Event, Id, Instant, NonNegative, Whole
from streams.events.policy import CancellationPolicy, Deposit
from streams.events.stay import StayRules

#: How a resource's time is cut: nights in its time zone, minutes, or not at all (stock).
Slots = Literal["nights", "none"] | Whole

# --- asked of the availability service (its inbox, keyed by resource) ---


class DeclareResource(Event, type="availability.resource.declare"):
    """Says that a resource exists, how much of it there is, and what it costs."""

    provider_id: Id
    product_id: Id
    capacity: NonNegative
    overbooking_limit: NonNegative = 0
    slots: Slots = "nights"
    time_zone: str = "UTC"
    #: Per night, slot or item.
    price_amount: Amount
    price_currency: Currency
    min_stay: Count = 1
    #: None: free until it begins, nothing back from then on.
    cancellation: CancellationPolicy | None = None
    #: Hours of arrival and departure, where nights are sold; None: no day holds a step back.
    stay: StayRules | None = None
    #: Of what is sold by the night; None: the whole price is paid at booking.
    deposit: Deposit | None = None


class Hold(Event, type="availability.line.hold"):
    """Take a quantity of a resource over `[start, end)` for one line of a booking's revision."""

    provider_id: Id
    product_id: Id
    booking_id: Id
    revision: Whole
    line: Whole
    start: Instant
    end: Instant
    quantity: Count


class ConfirmHold(Event, type="availability.line.confirm"):
    provider_id: Id
    product_id: Id
    booking_id: Id
    revision: Whole
    line: Whole


class Release(Event, type="availability.line.release"):
    """Ends exactly this revision's hold, whether it was seen before or comes after."""

    provider_id: Id
    product_id: Id
    booking_id: Id
    revision: Whole
    line: Whole
    #: Whether the booking wants to hear that nothing is held any more.
    report: bool = False


class Shorten(Event, type="availability.line.shorten"):
    """Lets go of this revision's nights from one on: its guest left early."""

    provider_id: Id
    product_id: Id
    booking_id: Id
    revision: Whole
    line: Whole
    #: The first night that is not held any more ("2026-12-26").
    first: str


# --- told to the gateways (`vacancy.rates`, compacted, keyed by resource) ---


class ResourceDeclared(Event, type="availability.resource.declared"):
    """A resource as it stands: what a gateway needs to price and validate a request."""

    provider_id: Id
    product_id: Id
    capacity: Whole
    overbooking_limit: Whole
    slots: Slots
    time_zone: str
    price_amount: Amount
    price_currency: Currency
    min_stay: Whole
    #: Whether any of its nights has rules of its own: then `min_stay` is not the last word.
    has_calendar: bool = False
    cancellation: CancellationPolicy | None = None
    stay: StayRules | None = None
    deposit: Deposit | None = None


# --- told to the world ---


class NightUpdated(Event, type="availability.night.updated"):
    """What is left of one night or slot. `held` counts every live hold, confirmed or not; `blocked` is what the
    property keeps out of sale."""

    provider_id: Id
    product_id: Id
    #: The night's date ("2026-12-24"), the slot's start in UTC ("2026-12-24T09:15Z"), or "stock".
    slot: str
    capacity: Whole
    held: Whole
    free: Whole
    updated_at: Instant
    blocked: Whole = 0


class NightOverbooked(Event, type="availability.night.overbooked"):
    """More is held than is for sale: the capacity was lowered below what is sold, units of it were blocked, or the
    overbooking limit is in use."""

    provider_id: Id
    product_id: Id
    slot: str
    capacity: Whole
    overbooking_limit: Whole
    held: Whole
    detected_at: Instant
    blocked: Whole = 0
