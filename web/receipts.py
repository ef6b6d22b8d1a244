"""The receipts of payments: a page to be printed, or its fields; with the key, or for whoever holds its link."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime

import msgspec
from aiohttp import web

from domain.receipts import Receipt
from streams.services import RECEIPT
from tables.receipts import Place, index_key, row_key
from web.answers import Answer, Money
from web.context import Context, context_of
from web.operations import Operation
from web.payment_answers import MethodOut
from web.problems import not_found
from web.requests import id_in_path
from web.shapes import as_json

PDF, JSON = "application/pdf", "application/json"
_NO_LINK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>No receipt</title>
<h1>There is no receipt here</h1>
<p>The link is incomplete, or too old. Ask where you stayed for your receipt.</p></html>
"""
#: Whoever holds the link may read it; nobody else is told that there is such a link.
_UNLISTED = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


class ReceiptLinks(Answer):
    self: str
    #: Opens the page without a key.
    page: str


class ReceiptOut(Answer):
    """What was paid, once; refunds are told by the payment."""

    receipt_id: str
    receipt_number: str
    payment_id: str
    booking_id: str
    user_id: str
    confirmation_number: str | None = None
    amount: Money
    method: MethodOut | None = None
    paid_at: datetime
    generated_at: datetime | None = None
    links: ReceiptLinks


async def get_receipt(request: web.Request) -> web.Response:
    """As PDF, or as JSON for who would rather have that."""
    context, receipt_id = context_of(request), _receipt_id(id_in_path(request, "receipt_id", "receipt"))
    receipt = await _by_id(context, receipt_id)
    if receipt is None:
        text = await context.receipts.text(receipt_id)
        if text is None:
            raise not_found("receipt")
        return web.Response(text=text, content_type="text/plain")
    return await _answer(request, receipt)


async def get_receipt_of_payment(request: web.Request) -> web.Response:
    receipt = await _by_payment(context_of(request), id_in_path(request, "payment_id", "payment"))
    if receipt is None:
        raise not_found("receipt")
    return await _answer(request, receipt)


async def open_receipt(request: web.Request) -> web.Response:
    """The page for whoever holds its link."""
    context = context_of(request)
    receipt_id = context.receipts.receipt_of(request.match_info["token"])
    receipt = await _by_id(context, receipt_id) if receipt_id is not None else None
    if receipt is None:
        return web.Response(status=404, text=_NO_LINK, content_type="text/html", headers=_UNLISTED)
    return await _page(request, receipt, _UNLISTED)


async def _answer(request: web.Request, receipt: Receipt) -> web.Response:
    if prefers_json(request.headers.get("Accept", "")):
        body = receipt_out(receipt, context_of(request).receipts.link(receipt))
        return as_json(body, headers={"Vary": "Accept"})
    return await _page(request, receipt, {"Vary": "Accept"})


async def _page(request: web.Request, receipt: Receipt, headers: dict[str, str]) -> web.Response:
    page = await context_of(request).receipts.pdf(receipt)
    more = {
        "Content-Disposition": f'inline; filename="{receipt.number}.pdf"',
        "Cache-Control": "private, no-cache",  # after an erasure it is another page
    }
    return web.Response(body=page, content_type=PDF, headers=headers | more)


def prefers_json(accept: str) -> bool:
    """Whether an Accept header asks for JSON rather than for a PDF; who accepts both alike gets the page."""
    wanted: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        wanted[name] = float(quality) if quality.replace(".", "", 1).isdecimal() else 0.0
    anything = wanted.get("application/*", wanted.get("*/*", 0.0))
    return wanted.get(JSON, anything) > wanted.get(PDF, anything)


def _receipt_id(given: str) -> str:
    """The id of a receipt as rows have it. Raises Problem 404."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise not_found("receipt") from None


async def _by_id(context: Context, receipt_id: str) -> Receipt | None:
    """The receipt of that id. Raises OwnerUnavailable."""
    if RECEIPT.name not in context.layout.running:
        return None
    # A receipt's row is where its payment's is: which partition that is, its id does not say.
    everywhere, name = range(context.layout.partitions), index_key(receipt_id)
    found = await asyncio.gather(*(context.rows.scan(RECEIPT.name, each, name, 1) for each in everywhere))
    for rows in found:
        for _, row in rows:
            return await _by_payment(context, msgspec.json.decode(row, type=Place).payment_id)
    return None


async def _by_payment(context: Context, payment_id: str) -> Receipt | None:
    """The receipt of a payment. Raises OwnerUnavailable."""
    if RECEIPT.name not in context.layout.running:
        return None
    row = await context.rows.row(RECEIPT.name, payment_id, row_key(payment_id))
    return msgspec.json.decode(row, type=Receipt) if row is not None else None


def receipt_out(receipt: Receipt, page: str) -> ReceiptOut:
    method = receipt.method
    return ReceiptOut(
        receipt_id=receipt.receipt_id,
        receipt_number=receipt.number,
        payment_id=receipt.payment_id,
        booking_id=receipt.booking_id,
        user_id=receipt.user_id,
        confirmation_number=receipt.about.confirmation_number or None if receipt.about is not None else None,
        amount=Money.of(receipt.amount, receipt.currency),
        method=MethodOut.model_validate(msgspec.structs.asdict(method)) if method is not None else None,
        paid_at=receipt.paid_at,
        generated_at=receipt.generated_at,
        links=ReceiptLinks(self=f"/api/receipts/{receipt.receipt_id}", page=page),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/receipts/{receipt_id}",
        get_receipt,
        "A receipt, as PDF; as JSON where the Accept header prefers that",
        "payments",
        {200: (PDF, ReceiptOut)},
        problems=(404, 503),
    ),
    Operation(
        "GET",
        "/api/payments/{payment_id}/receipt",
        get_receipt_of_payment,
        "The receipt of a payment, as PDF; as JSON where the Accept header prefers that",
        "payments",
        {200: (PDF, ReceiptOut)},
        problems=(404, 503),
    ),
    Operation(
        "GET",
        "/receipts/{token}",
        open_receipt,
        "The receipt that a link is to, as PDF",
        "payments",
        {200: PDF},
        problems=(404, 503),
        open=True,
    ),
)
