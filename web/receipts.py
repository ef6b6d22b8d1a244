"""The receipts of payments, as text."""

from __future__ import annotations

import asyncio

from aiohttp import web

from adapters.receipt_files import ReceiptFiles
from web.context import context_of
from web.operations import Operation
from web.problems import not_found
from web.requests import id_in_path


async def get_receipt(request: web.Request) -> web.Response:
    receipt_id = id_in_path(request, "receipt_id", "receipt")
    text = await asyncio.to_thread(ReceiptFiles(context_of(request).data / "receipts").read, receipt_id)
    if text is None:
        raise not_found("receipt")
    return web.Response(text=text, content_type="text/plain")


OPERATIONS = (
    Operation(
        "GET",
        "/api/receipts/{receipt_id}",
        get_receipt,
        "The receipt of a payment",
        "payments",
        {200: "text/plain"},
        problems=(404,),
    ),
)
