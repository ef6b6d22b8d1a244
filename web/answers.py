"""What the API answers: one model per body, apart from what it takes. Amounts are decimal strings."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from web.money import written
from web.policy_models import DepositOut, PolicyOut
from web.shapes import Answer as Answer
from web.stay_answers import Hours, StayTimesOut


class Money(Answer):
    amount: str = Field(pattern=r"^\d+(\.\d+)?$", examples=["200.00"])
    currency: str = Field(examples=["EUR"])

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        return cls(amount=written(amount, currency), currency=currency)


class Links(Answer):
    self: str
    timeline: str
    cancel: str


class Opened(Answer):
    """A booking that was accepted; its outcome follows."""

    booking_id: str
    confirmation_number: str = Field(examples=["RSV-2026-000123"])
    status: Literal["PENDING"] = "PENDING"
    price: Money
    #: What of the price is paid now, and what at check-in; None where all of it is paid now, or nothing here.
    deposit: Money | None = None
    balance: Money | None = None
    links: Links


class GuestOut(Answer):
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None


class LocationOut(Answer):
    lat: float | None = None
    lon: float | None = None
    address: str | None = None


Part = Literal["pending", "done"]


class CancellationOut(Answer):
    """What a cancellation keeps and gives back, and which of its parts are done."""

    fee: Money
    refund: Money
    #: Whether the nights are free again, the money is where it belongs, and the figures have it. None where that is not
    #: followed: of a guest who never came, and of what was cancelled before it was.
    inventory: Part | None = None
    money: Part | None = None
    figures: Part | None = None
    completed_at: datetime | None = None


class ChangeOut(Answer):
    """A change that inventory has not answered yet."""

    revision: int
    price: Money
    deadline: datetime


class RefusedChangeOut(Answer):
    revision: int
    reason: str = Field(examples=["sold_out"])


class BookingOut(Answer):
    """A booking as its row stands. A stay has `check_in`/`check_out`, every other kind `start_time`/`end_time`."""

    booking_id: str
    confirmation_number: str
    kind: str
    status: str
    reason: str | None = None
    provider_id: str
    product_id: str
    property_id: str | None = None
    unit_type: str | None = None
    check_in: date | None = None
    check_out: date | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    quantity: int
    rate_plan: str | None = None
    price: Money
    #: The first payment; `payments` are all of them, the oldest first.
    payment_id: str
    payments: list[str] = Field(default=[])
    #: What was to be paid at booking, where that was not the whole price.
    deposit: Money | None = None
    #: What is still owed: with a deposit the rest until it is paid, or what the difference of a change could not take.
    balance: Money | None = None
    revision: int
    user_id: str
    #: None once the guest's data was erased.
    guest: GuestOut | None = None
    location: LocationOut | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime
    deadline: datetime
    change: ChangeOut | None = None
    refused_change: RefusedChangeOut | None = None
    cancellation: CancellationOut | None = None
    #: Whether its policy gives nothing back, whenever it is cancelled.
    non_refundable: bool = False
    #: Of a stay by the night.
    times: StayTimesOut | None = None
    links: Links


class TimelineEntry(Answer):
    at: datetime
    event_type: str
    event_id: str
    causation_id: str | None = None
    source: str


class Timeline(Answer):
    booking_id: str
    events: list[TimelineEntry]


class UnitOut(Answer, Hours):
    property_id: str
    unit_type: str
    capacity: int
    overbooking_limit: int
    base_price: Money
    min_stay: int
    time_zone: str
    slots: Literal["nights", "none"] | int
    cancellation: PolicyOut | None = None
    deposit: DepositOut | None = None


class StockOut(Answer):
    """What is there of a product: on hand, of that waiting for the outcome of an order, and free."""

    product_id: str
    quantity: int
    held: int
    free: int
    price: Money


class RateOut(Answer):
    """What a night costs under a plan, before what is taken off a whole stay."""

    rate_plan: str
    price: Money
