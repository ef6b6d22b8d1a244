"""Stock: how many of a product are on hand, and what one costs."""

from __future__ import annotations

from aiohttp import web

from domain.calendar import STOCK
from streams.events.availability import DeclareResource
from web.answers import Money, StockOut
from web.bodies import check, read_json
from web.context import SOURCE, context_of, correlation_of
from web.operations import Operation
from web.order_models import StockRequest
from web.problems import FieldError, Problem, not_found
from web.requests import name_in_path
from web.shapes import as_json
from web.units import readable
from web.wire import SlotCount, SlotCounts

#: Whose the products are.
PROVIDER = "stock"


async def put_stock(request: web.Request) -> web.Response:
    product_id = name_in_path(request, "product_id")
    asked = check(StockRequest, await read_json(request))
    context = context_of(request)
    event = DeclareResource(
        provider_id=PROVIDER,
        product_id=product_id,
        capacity=asked.quantity,
        slots="none",
        price_amount=asked.price.amount,
        price_currency=asked.price.currency,
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    declared = await readable(context, PROVIDER, product_id, appended.offset)
    if declared.slots != "none":
        raise Problem(
            409,
            "slots-in-use",
            "This is no product",
            f"{PROVIDER} / {product_id} is booked by time, and some of it is held.",
            [FieldError("product_id", "is booked by time")],
        )
    return _answer(await context.rows.slots(PROVIDER, product_id, (STOCK,), after=appended.offset))


async def get_stock(request: web.Request) -> web.Response:
    product_id = name_in_path(request, "product_id")
    return _answer(await context_of(request).rows.slots(PROVIDER, product_id, (STOCK,)))


def _answer(counts: SlotCounts | None) -> web.Response:
    if counts is None or counts.resource.slots != "none":
        raise not_found("product in stock")
    resource = counts.resource
    count = counts.slots[0] if counts.slots else SlotCount(STOCK, 0, 0)
    body = StockOut(
        product_id=resource.product_id,
        quantity=resource.capacity - count.sold,
        held=count.held - count.sold,
        free=max(resource.capacity - count.held, 0),
        price=Money.of(resource.price_amount, resource.price_currency),
    )
    return as_json(body)


OPERATIONS = (
    Operation(
        "PUT",
        "/api/stock/{product_id}",
        put_stock,
        "Say how many of a product are on hand, and what one costs",
        "stock",
        {200: StockOut},
        request=StockRequest,
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/stock/{product_id}",
        get_stock,
        "A product in stock as it stands",
        "stock",
        {200: StockOut},
        problems=(404, 422, 503),
    ),
)
