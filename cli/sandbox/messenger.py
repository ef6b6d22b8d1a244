"""The sandbox's webhooks: each entry of its ledger is told to whoever wants to hear, signed, until it is taken.

It can be told to misbehave as providers do: late, twice, or out of order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import aiohttp
import orjson

from adapters.webhooks import signed
from cli.sandbox.ledger import Ledger
from cli.sandbox.operations import shown

Manner = Literal["prompt", "late", "twice", "shuffled"]

_POLL_S = 0.2
_LATE_S = 2.0
_MOST = 100
#: An event that was not taken is sent again after so many seconds each, then given up.
_RETRIES_S = (0.2, 1.0, 5.0, 30.0)
_TIMEOUT = aiohttp.ClientTimeout(total=5)
#: What retries cannot mend: the event is refused as it is.
_FINAL = frozenset({400, 401, 422})

logger = logging.getLogger("vacancy.provider")


class Messenger:
    """Tells every entry from now on. `find` says where to, as long as somebody is there."""

    def __init__(self, ledger: Ledger, find: Callable[[], str | None], secret: bytes, manner: Manner) -> None:
        self._ledger = ledger
        self._find = find
        self._secret = secret
        self._manner = manner
        self._told = max((entry["n"] for entry in ledger.entries()), default=0)

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, asyncio.TaskGroup() as sending:
            while True:
                entries = self._ledger.entries(self._told, _MOST)
                for entry in self._arranged(entries):
                    sending.create_task(self._tell(http, entry))
                self._told = entries[-1]["n"] if entries else self._told
                await asyncio.sleep(_POLL_S)

    def _arranged(self, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        match self._manner:
            case "twice":
                return [entry for entry in entries for _ in range(2)]
            case "shuffled":
                return list(reversed(entries))
            case _:
                return list(entries)

    async def _tell(self, http: aiohttp.ClientSession, entry: Mapping[str, Any]) -> None:
        if self._manner == "late":
            await asyncio.sleep(_LATE_S)
        body = event_of(self._ledger, entry)
        for delay in (*_RETRIES_S, None):
            if await self._post(http, f"evt_{entry['n']}", body) or delay is None:
                return
            await asyncio.sleep(delay)

    async def _post(self, http: aiohttp.ClientSession, event_id: str, body: bytes) -> bool:
        """Whether it need not be sent again."""
        url = self._find()
        headers = {**signed(self._secret, event_id, int(time.time()), body), "Content-Type": "application/json"}
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with http.post(f"{url}/api/webhooks/provider", data=body, headers=headers) as answer:
                if answer.status in _FINAL:
                    logger.warning("the event %s was refused with %d", event_id, answer.status)
                return answer.status < 300 or answer.status in _FINAL
        return False


def event_of(ledger: Ledger, entry: Mapping[str, Any]) -> bytes:
    """One entry as an event, with its payment as it stands now."""
    payment = ledger.payment(entry["payment"])
    assert payment is not None
    expired = entry["kind"] == "expired"
    said = {
        "type": "authorization.expired" if expired else f"payment.{entry['kind']}",
        "idempotency_key": None if expired else entry["idempotency_key"],
        "refund_reference": entry["refund_reference"],
        "payment": shown(ledger, payment),
    }
    return orjson.dumps(said)
