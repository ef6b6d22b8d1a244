"""The receiver of webhooks that fault runs have: what it takes, and what it tells apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from standardwebhooks import Webhook

from bench.chaos.receiver import Receiver

SECRET = "whsec_" + "c2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyBvbmx5"


@pytest.mark.parametrize(
    ("off", "secret", "status", "counted"),
    [
        (0, SECRET, 204, (1, 0, 0)),
        (10, SECRET, 400, (0, 1, 0)),
        (-10, SECRET, 400, (0, 1, 0)),
        (0, "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMsIHRvbyEh", 400, (0, 0, 1)),
    ],
)
async def test_a_wrong_clock_is_no_forgery(off: int, secret: str, status: int, counted: tuple[int, ...]) -> None:
    receiver = Receiver(secret=SECRET)
    await receiver.start()
    try:
        at, body = datetime.now(UTC) + timedelta(minutes=off), '{"type":"booking.booking.confirmed"}'
        headers = {
            "webhook-id": "e1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign("e1", at, body),
        }
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"http://127.0.0.1:{receiver.port}/events", data=body, headers=headers) as answer,
        ):
            assert answer.status == status
    finally:
        await receiver.stop()
    assert (receiver.received.total(), receiver.untimely, receiver.forged) == counted
