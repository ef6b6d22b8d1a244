"""Settlement: books the provider's payouts of all payments that were taken and not settled yet, some at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec
from aiohttp import web

from domain.payment_state import Payment
from streams.events.payment import Settle
from streams.services import PAYMENT
from tables.payments import Unsettled
from web.answers import Money
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.operations import IDEMPOTENCY_KEY, Operation
from web.payment_answers import SettlementOut
from web.requests import id_of_request
from web.shapes import as_json

#: How many payments one request settles at most.
MOST = 500
#: How many questions about them are under way at once.
_AT_ONCE = 50

_unsettled = msgspec.json.Decoder(Unsettled)


async def settle_payments(request: web.Request) -> web.Response:
    """Settles up to `MOST` payments, and answers once their rows have taken it: asked until nothing remains, all of
    them. A retry goes on under the same settlement id, and reports what it did itself."""
    context = context_of(request)
    settlement_id, _ = id_of_request(request, principal_of(request))
    waiting = await _waiting(context)
    booked = [each for part in _parts(waiting[:MOST]) for each in await _settle(request, settlement_id, part)]
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for payment in booked:
        totals[payment.currency] += payment.captured - payment.refunded
    body = SettlementOut(
        settlement_id=settlement_id,
        payments=len(booked),
        totals=[Money.of(amount, currency) for currency, amount in sorted(totals.items())],
        remaining=len(waiting) - len(booked),
    )
    return as_json(body)


async def _waiting(context: Context) -> list[Unsettled]:
    """The payments that wait for their settlement, of each partition's the first."""
    scans = (context.rows.scan(PAYMENT.name, number, "s|", MOST + 1) for number in range(context.layout.partitions))
    return [_unsettled.decode(row) for rows in await asyncio.gather(*scans) for _, row in rows]


async def _settle(request: web.Request, settlement_id: str, payments: Iterable[Unsettled]) -> list[Payment]:
    """Those of the payments that were settled by this run, as their rows say it."""

    async def settle(payment: Unsettled) -> Payment | None:
        context, event = context_of(request), Settle(payment_id=payment.payment_id, settlement_id=settlement_id)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        row = await context.rows.payment(payment.payment_id, after=appended.offset)
        # Another run may have been faster.
        return row if row is not None and row.settlement_id == settlement_id else None

    found = await asyncio.gather(*(settle(payment) for payment in payments))
    return [payment for payment in found if payment is not None]


def _parts(payments: list[Unsettled]) -> Iterator[tuple[Unsettled, ...]]:
    rest = iter(payments)
    while part := tuple(itertools.islice(rest, _AT_ONCE)):
        yield part


OPERATIONS = (
    Operation(
        "POST",
        "/api/payments/settlements",
        settle_payments,
        "Book the provider's payouts of what was taken",
        "payments",
        {200: SettlementOut},
        parameters=(IDEMPOTENCY_KEY,),
        problems=(503,),
    ),
)
