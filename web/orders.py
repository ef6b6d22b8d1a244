"""Orders: goods from stock, several products at once. An order's id is its `booking_id`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from aiohttp import web

from domain.booking_state import Booking
from domain.cancellation import RETURNABLE
from streams.events.about import Line
from streams.events.availability import ResourceDeclared
from streams.identity import user_id_of
from streams.keys import resource_key
from web.answers import Money, Opened, Timeline
from web.bodies import check, read_json
from web.cancellations import cancelled
from web.checks import check_expected, check_quantity, line_of
from web.context import Context, context_of
from web.models import CancelRequest
from web.opening import Draft, links_of, open_booking
from web.operations import AT, IDEMPOTENCY_KEY, WAIT, Operation
from web.order_answers import OrderItemOut, OrderOut
from web.order_models import ItemIn, OrderRequest
from web.problems import FieldError, invalid, unprocessable
from web.reading import asked_for, cancellation_out, get_timeline, guest_of
from web.shapes import as_json
from web.stock import PROVIDER

#: How long an order may be given back for its whole price.
#: Stock is not cut in time: an item's period only has to be one.
_PERIOD = timedelta(seconds=1)


async def request_order(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(OrderRequest, body)
    return await open_booking(request, body, lambda context: _draft(asked, context))


def _draft(asked: OrderRequest, context: Context) -> Draft:
    now = context.clock().replace(microsecond=0)
    _check_products(asked.items)
    products = [_product(context, f"items.{n}", item) for n, item in enumerate(asked.items)]
    _check_currencies(products)
    return Draft(
        kind="order",
        lines=tuple(
            line_of(product, now, now + _PERIOD, item.quantity, line)
            for line, (product, item) in enumerate(zip(products, asked.items, strict=True), start=1)
        ),
        currency=products[0].price_currency,
        user_id=asked.customer.user_id or user_id_of(asked.customer.email),
        guest=asked.customer.model_dump(exclude={"user_id"}, exclude_none=True),
        token=asked.payment_method.token,
        free_until=now + RETURNABLE,
    )


def _check_products(items: Iterable[ItemIn]) -> None:
    seen: set[str] = set()
    for n, item in enumerate(items):
        if item.product_id in seen:
            raise invalid(f"items.{n}.product_id", f"{item.product_id} is there twice")
        seen.add(item.product_id)


def _product(context: Context, field: str, item: ItemIn) -> ResourceDeclared:
    """The product of an item, which the stock has and which costs what the item says."""
    found = context.rates.get(resource_key(PROVIDER, item.product_id))
    if found is None or found.slots != "none":
        raise invalid(f"{field}.product_id", f"unknown product {item.product_id}")
    check_quantity(item.quantity, context, f"{field}.quantity")
    if item.price is not None:
        currency = item.price.currency or found.price_currency
        check_expected(found.price_amount, found.price_currency, item.price.amount, currency, f"{field}.price")
    return found


def _check_currencies(products: list[ResourceDeclared]) -> None:
    currency = products[0].price_currency
    others = [
        FieldError(f"items.{n}.product_id", f"is priced in {product.price_currency}, the first item in {currency}")
        for n, product in enumerate(products)
        if product.price_currency != currency
    ]
    if others:
        raise unprocessable(others)


async def get_order(request: web.Request) -> web.Response:
    return await _answer(context_of(request), await asked_for(request, "order"))


async def cancel_order(request: web.Request) -> web.Response:
    return await _answer(context_of(request), await cancelled(request, "order"))


async def _answer(context: Context, row: Booking) -> web.Response:
    total = Money.of(row.price_amount, row.price_currency)
    body = OrderOut(
        order_id=row.booking_id,
        booking_id=row.booking_id,
        confirmation_number=row.confirmation_number,
        status=row.status,
        reason=row.reason,
        items=list(_items(row.lines, row.price_currency)),
        quantity=row.quantity,
        price=total,
        total=total,
        payment_id=row.payment_id,
        revision=row.revision,
        user_id=row.user_id,
        customer=await guest_of(context, row),
        start_time=row.start,
        end_time=row.end,
        created_at=row.created_at,
        deadline=row.deadline,
        cancellation=cancellation_out(row),
        links=links_of(row),
    )
    return as_json(body)


def _items(lines: Iterable[Line], currency: str) -> Iterator[OrderItemOut]:
    for line in lines:
        price = Money.of(line.price_amount / line.quantity, currency)
        yield OrderItemOut(product_id=line.product_id, quantity=line.quantity, price=price)


OPERATIONS = (
    Operation(
        "POST",
        "/api/orders",
        request_order,
        "Order goods from stock",
        "orders",
        {201: Opened},
        request=OrderRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/orders/{booking_id}",
        get_order,
        "An order as it stands",
        "orders",
        {200: OrderOut},
        parameters=(WAIT, AT),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        "/api/orders/{booking_id}/timeline",
        get_timeline,
        "What happened to an order, in order",
        "orders",
        {200: Timeline},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        "/api/orders/{booking_id}/cancel",
        cancel_order,
        "Cancel an order",
        "orders",
        {200: OrderOut},
        request=CancelRequest,
        request_required=False,
        problems=(404, 409, 503),
    ),
)
