"""Providers to test the client with: any server of ours, and ones that hang, break off, or say as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.provider import Answer, ProviderClient
from streams.events.payment import Operation


@asynccontextmanager
async def serving(app: web.Application, patience: float = 5.0) -> AsyncIterator[ProviderClient]:
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        async with aiohttp.ClientSession() as session:
            yield ProviderClient(session, str(server.make_url("")), patience)
    finally:
        await server.close()


@asynccontextmanager
async def answering(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    found: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
    patience: float = 5.0,
) -> AsyncIterator[ProviderClient]:
    """A provider that answers every call alike, and every look-up with `found` (404 if there is none)."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    app.router.add_get("/v1/payments", found or said({"error": {"code": "payment_not_found", "message": ""}}, 404))
    async with serving(app, patience) as client:
        yield client


def said(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def payment(**more: object) -> dict[str, object]:
    return {
        "id": "pi_1",
        "reference": "pay-1",
        "status": "authorized",
        "amount": "100.00",
        "currency": "EUR",
        "captured": "0",
        "refunded": "0",
        "method": {"type": "card", "brand": "visa", "last4": "4242"},
        "refunds": [],
        **more,
    }


async def authorize(client: ProviderClient) -> Answer:
    return await client.call(
        "authorize",
        payment_id="pay-1",
        amount=Decimal("100.00"),
        currency="EUR",
        token="tok_visa",
        idempotency_key="a",
    )


async def later(client: ProviderClient, operation: Operation) -> Answer:
    """A call on the payment `pi_1`."""
    return await client.call(
        operation,
        payment_id="pay-1",
        amount=Decimal("100.00"),
        currency="EUR",
        provider_payment_id="pi_1",
        refund_id="refund-1",
        idempotency_key="b",
    )
