"""The order saga (ORD-02..05): one topic for each kind of message, no envelope in the body.

The document names topics and no fields (ORD-13): the schemas are ours, in snake_case like its names. Ids, times and
correlations travel in headers (C2); `order_id` is the booking's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from streams.events import Amount, Envelope, Event
from streams.events.booking_news import BookingCreated, BookingNews, InventoryUpdated
from streams.events.notices import EmailSent
from streams.events.payment_news import PaymentFailed, PaymentSucceeded
from streams.signing import TIME_HEADER
from streams.topics import Topic
from streams.wire.document import Body, DocumentCodec, Form, Read, names_of, shaped
from streams.wire.fields import Currency, Id, clear, given, plain, shown, user_of

#: Goods have no provider of their own: all of them are taken from stock (design 3).
PROVIDER = "stock"
#: Where an order names no currency.
CURRENCY = "EUR"
#: More of one thing is no order; it would not fit the counts of a stock either.
MAX_QUANTITY = 10**9
#: Every item asks stock by itself: so many bound what one order makes of itself (the gateway takes fewer).
MAX_ITEMS = 100
#: How long an order takes its goods: they are gone with it, but a line has to have a length.
_MOMENT = timedelta(seconds=1)

# What a message shows of an event, and the event's own name of it.
_PAYMENT = {
    "order_id": "booking_id",
    "user_id": "user_id",
    "payment_id": "payment_id",
    "amount": "amount",
    "currency": "currency",
    "provider": "provider",
}
_SUCCESSFUL = _PAYMENT | {"provider_payment_id": "provider_payment_id"}
_METHOD = {"type": "type", "brand": "brand", "last4": "last4"}
_FAILED = _PAYMENT | {"error_code": "error_code", "error_message": "error_message"}
_INVENTORY = {"order_id": "booking_id", "user_id": "user_id", "status": "status", "reason": "reason"}
_SENT = {
    "order_id": "booking_id",
    "user_id": "user_id",
    "notification_id": "notification_id",
    "template": "template",
    "message_id": "message_id",
    "sent_at": "sent_at",
}
_PERSON = {name: name for name in ("email", "first_name", "last_name", "phone")}


class _Good(BaseModel):
    product_id: Id
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class _Goods(BaseModel):
    """What `inventory_updated` names of an order."""

    items: list[_Good] = []


class _Item(_Good):
    #: Of one.
    price: Amount = Field(ge=0)


class _Customer(BaseModel):
    """`email` is null once the customer is erased."""

    user_id: Id | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None


class _Order(BaseModel):
    """`order_created`: the sum of its items where it names no total."""

    order_id: Id
    customer: _Customer
    items: list[_Item] = Field(min_length=1, max_length=MAX_ITEMS)
    total_amount: Amount | None = None
    currency: Currency = CURRENCY


def _created(event: BookingCreated, personal: Mapping[str, Any]) -> Body:
    return {
        "order_id": event.booking_id,
        "customer": {"user_id": event.user_id, **clear(personal, _PERSON)},
        "items": _items(event) or [_item(event.product_id, event.quantity, event.price_amount)],
        "total_amount": plain(event.price_amount),
        "currency": event.price_currency,
    }


def _items(event: BookingNews) -> list[Body]:
    lines = event.about.lines if event.about is not None else ()
    return [_item(line.product_id, line.quantity, line.price_amount) for line in lines]


def _item(product_id: str, quantity: int, price: Decimal) -> Body:
    return {"product_id": product_id, "quantity": quantity, "price": plain(price / quantity)}


def _read_created(body: Body) -> Read:
    order, start = shaped(_Order, body), datetime.fromisoformat(body[TIME_HEADER])
    period = {"start": _utc(start), "end": _utc(start + _MOMENT)}
    lines = [_line(number, item) | period for number, item in enumerate(order.items, 1)]
    total = (
        sum(item.price * item.quantity for item in order.items) if order.total_amount is None else order.total_amount
    )
    price = {"price_amount": plain(total), "price_currency": order.currency}
    customer = {f"customer.{name}": value for name, value in body["customer"].items()}
    data = {
        "booking_id": order.order_id,
        "user_id": user_of(customer, "customer.user_id", "customer.email"),
        "product_id": order.items[0].product_id,
        "provider_id": PROVIDER,
        "start_time": period["start"],
        "end_time": period["end"],
        "quantity": sum(item.quantity for item in order.items),
        "about": {"kind": "order", "lines": lines, **price},
        **price,
    }
    return Read(data, given(body["customer"], _PERSON))


def _line(number: int, item: _Item) -> Body:
    price = plain(item.price * item.quantity)
    taken = {"provider_id": PROVIDER, "product_id": item.product_id, "quantity": item.quantity}
    return {"line": number, "price_amount": price, **taken}


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _successful(event: PaymentSucceeded, personal: Mapping[str, Any]) -> Body:
    return shown(event, _SUCCESSFUL) | {"payment_method": shown(event.payment_method, _METHOD)}


def _failed(event: PaymentFailed, personal: Mapping[str, Any]) -> Body:
    return shown(event, _FAILED)


def _read_payment(body: Body) -> Read:
    return Read(given(body, _SUCCESSFUL | _FAILED | {"payment_method": "payment_method"}), {})


def _inventory(event: InventoryUpdated, personal: Mapping[str, Any]) -> Body:
    """ORD-04: what became of the goods that were paid for; `reason` only where there are none."""
    items = [{"product_id": item["product_id"], "quantity": item["quantity"]} for item in _items(event)]
    return shown(event, _INVENTORY) | {"items": items}


def _read_inventory(body: Body) -> Read:
    items = shaped(_Goods, body).items
    return Read(given(body, _INVENTORY) | {"product_id": items[0].product_id if items else None}, {})


def _sent(event: EmailSent, personal: Mapping[str, Any]) -> Body:
    return shown(event, _SENT) | {"channel": "email", "sent_at": _utc(event.sent_at)}


def _read_sent(body: Body) -> Read:
    return Read(given(body, _SENT), {})


def _head(envelope: Envelope, name: str) -> Body:
    return {}


def _type_of(body: Body, topic: Topic) -> str:
    return next(iter(names_of(topic)))


_FORMS: dict[type[Event], Form] = {
    BookingCreated: Form(_created, _read_created),
    PaymentSucceeded: Form(_successful, _read_payment),
    PaymentFailed: Form(_failed, _read_payment),
    InventoryUpdated: Form(_inventory, _read_inventory),
    EmailSent: Form(_sent, _read_sent),
}

CODEC = DocumentCodec(
    forms={model.event_type: form for model, form in _FORMS.items()},
    head=_head,
    type_of=_type_of,
    id_of=lambda body: None,
    time_of=lambda body: None,
)
