"""The sandbox tells what it did, signed: at once, late, twice or out of order, and again until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.webhooks import verify
from cli.sandbox import messenger, operations
from cli.sandbox.ledger import Ledger
from cli.sandbox.messenger import Manner, Messenger

SECRET = b"a secret of both"


class Listener:
    """Takes events, after answering 503 to as many as it is told."""

    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.heard: list[tuple[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event_id = verify(SECRET, request.headers, body, int(request.headers["webhook-timestamp"]))
        if self.busy:
            self.busy -= 1
            return web.Response(status=503)
        self.heard.append((event_id, orjson.loads(body)["type"]))
        return web.Response()


async def heard(tmp_path: Path, manner: Manner, count: int, busy: int = 0) -> Sequence[tuple[str, str]]:
    """What is told of an authorization and its capture, until `count` events are taken."""
    listener, ledger = Listener(busy), Ledger(tmp_path / "ledger.sqlite")
    app = web.Application()
    app.router.add_post("/api/webhooks/provider", listener.take)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        task = asyncio.create_task(Messenger(ledger, lambda: url, SECRET, manner).run())
        operations.authorize(
            ledger, "call-1", reference="pay-1", amount=Decimal("100.00"), currency="EUR", token="tok_visa"
        )
        payment = ledger.by_reference("pay-1")
        assert payment is not None
        operations.capture(ledger, "call-2", payment.id, None)
        async with asyncio.timeout(20):
            while len(listener.heard) < count:  # noqa: ASYNC110  # it is another task
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    ledger.close()
    return sorted(listener.heard)


AUTHORIZED, CAPTURED = ("evt_1", "payment.authorized"), ("evt_2", "payment.captured")


@pytest.mark.proves("HTL-05")
@pytest.mark.parametrize(
    ("manner", "busy", "expected"),
    [
        ("prompt", 0, [AUTHORIZED, CAPTURED]),
        ("twice", 0, [AUTHORIZED, AUTHORIZED, CAPTURED, CAPTURED]),
        ("shuffled", 0, [AUTHORIZED, CAPTURED]),
        ("late", 0, [AUTHORIZED, CAPTURED]),
        ("prompt", 3, [AUTHORIZED, CAPTURED]),
    ],
)
async def test_everything_is_told_until_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manner: Manner, busy: int, expected: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(messenger, "_LATE_S", 0.1)
    monkeypatch.setattr(messenger, "_RETRIES_S", (0.01, 0.01, 0.01, 0.01))
    assert await heard(tmp_path, manner, len(expected), busy) == expected
