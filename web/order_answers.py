"""What the API answers about orders of goods."""

from __future__ import annotations

from datetime import datetime

from web.answers import CancellationOut, GuestOut, Links, Money
from web.shapes import Answer


class OrderItemOut(Answer):
    product_id: str
    quantity: int
    #: Of one.
    price: Money


class OrderOut(Answer):
    """An order as its row stands."""

    order_id: str
    booking_id: str
    confirmation_number: str
    status: str
    reason: str | None = None
    items: list[OrderItemOut]
    quantity: int
    price: Money
    total: Money
    payment_id: str
    revision: int
    user_id: str
    #: None once the customer's data was erased.
    customer: GuestOut | None = None
    start_time: datetime
    end_time: datetime
    created_at: datetime
    deadline: datetime
    cancellation: CancellationOut | None = None
    links: Links
