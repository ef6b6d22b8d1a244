"""The public HTTP API as a Python program uses it: typed, patient, and safe to repeat.

A request that cannot be served now (503, a broken connection, a timeout) is sent again, a POST under its own
Idempotency-Key. What is booked, and what its outcome means, is the caller's business.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_RETRIED = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
#: How long one request may take, in seconds, beside what the server was asked to wait.
_REQUEST_TIMEOUT = 15.0


class Refused(Exception):
    """The gateway refused a request for good. `status` is HTTP's, `detail` the problem's own words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.detail = detail


class Unreachable(Exception):
    """A request could not be served for as long as the client was patient."""


class NoOutcome(Exception):
    """A booking was still where it was when the client's patience was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What a guest asks for: a unit over the nights `[check_in, check_out)`, paid with a provider's token."""

    property_id: str
    unit_type: str
    check_in: date
    check_out: date
    email: str
    first_name: str
    last_name: str
    token: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """A request for a booking: the collection it is posted to, and its body."""

    path: str
    body: Mapping[str, Any]


class Money(msgspec.Struct, frozen=True):
    amount: str
    currency: str


class Accepted(msgspec.Struct, frozen=True):
    """The gateway's 201: the booking is on the log, and will have an outcome."""

    booking_id: str
    confirmation_number: str
    price: Money


class Booking(msgspec.Struct, frozen=True):
    """A booking as it stands."""

    booking_id: str
    confirmation_number: str
    status: str
    reason: str | None = None


class Settlement(msgspec.Struct, frozen=True):
    """What one request of a settlement run booked, and what is left."""

    settlement_id: str
    payments: int
    totals: list[Money]
    remaining: int


class GatewayClient:
    """Speaks to one gateway. `patience` is how long a request is tried and an outcome waited for, in seconds."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        key: str,
        *,
        patience: float = 60.0,
        on_retry: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._patience = patience
        self._on_retry = on_retry

    async def put(self, path: str, body: object) -> None:
        """Declares something; readable as soon as this returns."""
        await self._call("PUT", path, body=orjson.dumps(body))

    async def look(self, path: str) -> bytes:
        """What stands there, as JSON."""
        return await self._call("GET", path)

    async def post(self, path: str, body: object, *, key: str) -> bytes:
        """The answer's body."""
        return await self._call("POST", path, orjson.dumps(body), key)

    async def patch(self, path: str, body: object) -> bytes:
        """The answer's body."""
        return await self._call("PATCH", path, orjson.dumps(body))

    async def book(self, wish: Wish, *, key: str) -> Accepted:
        """Returns once the booking is accepted for good (201)."""
        return msgspec.json.decode(await self.post(wish.path, wish.body, key=key), type=Accepted)

    async def get(self, path: str, booking_id: str, *, wait: float = 0) -> Booking:
        """The booking now, or after up to `wait` seconds as soon as it has an outcome."""
        asked = f"{path}/{booking_id}" + (f"?wait={wait:g}" if wait else "")
        return msgspec.json.decode(await self._call("GET", asked, within=_REQUEST_TIMEOUT + wait), type=Booking)

    async def outcome(self, path: str, booking_id: str, *, wait: float = 10.0) -> Booking:
        """The booking once it is anything but PENDING. Raises NoOutcome."""
        return await self._once_not("PENDING", path, booking_id, wait)

    async def cancel(self, path: str, booking_id: str, reason: str, *, key: str) -> Booking:
        """The booking once it is cancelled. Raises NoOutcome."""
        raw = await self.post(f"{path}/{booking_id}/cancel", {"reason": reason}, key=key)
        booking = msgspec.json.decode(raw, type=Booking)
        # 202: the cancellation is on the log, and not yet in the row.
        return await self._once_not("CONFIRMED", path, booking_id, 0) if booking.status == "CONFIRMED" else booking

    async def move(self, path: str, booking_id: str, what: str, *, key: str) -> Booking:
        """The booking once it is checked in, checked out or a no-show. Waits for a payment that is under way."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        while True:
            try:
                raw = await self.post(f"{path}/{booking_id}/{what}", {}, key=key)
                return msgspec.json.decode(raw, type=Booking)
            except Refused as refusal:
                if refusal.status != 409 or loop.time() >= give_up:
                    raise
            await asyncio.sleep(_FIRST_PAUSE)

    async def settle(self, *, key: str) -> Settlement:
        """Settles the next payments that were taken; `key` names the run."""
        return msgspec.json.decode(await self._call("POST", "/api/payments/settlements", key=key), type=Settlement)

    async def _once_not(self, status: str, path: str, booking_id: str, wait: float) -> Booking:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        while (booking := await self.get(path, booking_id, wait=wait)).status == status:
            if loop.time() >= give_up:
                raise NoOutcome(f"{booking_id}: still {status} after {self._patience:g} s")
            await asyncio.sleep(_FIRST_PAUSE)
        return booking

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        key: str | None = None,
        within: float = _REQUEST_TIMEOUT,
    ) -> bytes:
        """The body of a 2xx. Raises Refused, or Unreachable once the patience is over."""
        loop = asyncio.get_running_loop()
        give_up, pause = loop.time() + self._patience, _FIRST_PAUSE
        headers = self._headers if key is None else {**self._headers, "Idempotency-Key": key}
        limit = aiohttp.ClientTimeout(total=within)
        while True:
            try:
                async with self._session.request(
                    method, self._url + path, data=body, headers=headers, timeout=limit
                ) as response:
                    raw = await response.read()
                if response.status < 300:
                    return raw
                if response.status not in _RETRIED:
                    raise Refused(response.status, _detail(raw))
                why, wait = f"HTTP {response.status}", _retry_after(response) or pause
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                why, wait = type(error).__name__, pause
            if loop.time() + wait > give_up:
                raise Unreachable(f"{method} {path.partition('?')[0]}: {why}, tried for {self._patience:g} s")
            self._on_retry(why)
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session for load: as many connections as there are requests under way, no cookies to look through."""
    connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=None)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def _detail(raw: bytes) -> str:
    try:
        problem = orjson.loads(raw)
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return raw[:200].decode("utf-8", "replace")


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Seconds; 0 where the header is missing or says nothing usable."""
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
