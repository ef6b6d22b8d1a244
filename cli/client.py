"""The public HTTP API as a Python program uses it: typed, patient, and safe to repeat.

A request that cannot be served now (503, a broken connection, a timeout) is sent again, a POST under its own
Idempotency-Key. What is booked, and what its outcome means, is the caller's business.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import aiohttp
import msgspec
import orjson

from cli.client_answers import Accepted as Accepted
from cli.client_answers import Booking as Booking
from cli.client_answers import Money as Money
from cli.client_answers import Settlement as Settlement
from cli.client_errors import NoOutcome as NoOutcome
from cli.client_errors import Refused as Refused
from cli.client_errors import Unreachable as Unreachable
from cli.client_errors import refusal_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_RETRIED = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 8.0
#: How long one request may take, in seconds, beside what the server was asked to wait.
_REQUEST_TIMEOUT = 15.0


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
    phone: str | None = None
    quantity: int = 1
    rate_plan: str | None = None
    #: The property's, whose dates these are.
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request for a booking: the collection it is posted to, and its body."""

    path: str
    body: Mapping[str, Any]


class Stands(Protocol):
    """What has a status."""

    @property
    def status(self) -> str: ...


Standing = TypeVar("Standing", bound=Stands)


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

    async def delete(self, path: str) -> bytes:
        """The answer's body."""
        return await self._call("DELETE", path)

    async def book(self, wish: Wish, *, key: str) -> Accepted:
        """Returns once the booking is accepted for good (201)."""
        return msgspec.json.decode(await self.post(wish.path, wish.body, key=key), type=Accepted)

    async def get(self, path: str, booking_id: str) -> Booking:
        """The booking now."""
        return msgspec.json.decode(await self.look(f"{path}/{booking_id}"), type=Booking)

    async def once(
        self, path: str, kind: type[Standing], done: Callable[[Standing], bool], wait: float = 0
    ) -> Standing:
        """What stands there as soon as it is done, if the gateway can wait up to `wait` seconds. Raises NoOutcome."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        asked, within = (f"{path}?wait={wait:g}" if wait else path), _REQUEST_TIMEOUT + wait
        while not done(found := msgspec.json.decode(await self._call("GET", asked, within=within), type=kind)):
            if loop.time() >= give_up:
                raise NoOutcome(f"{path}: still {found.status} after {self._patience:g} s")
            await asyncio.sleep(_FIRST_PAUSE)
        return found

    async def outcome(self, path: str, booking_id: str, *, wait: float = 10.0) -> Booking:
        """The booking once it is anything but PENDING. Raises NoOutcome."""
        return await self.once(f"{path}/{booking_id}", Booking, lambda booking: booking.status != "PENDING", wait)

    async def cancel(self, path: str, booking_id: str, reason: str, *, key: str, fee: str | None = None) -> Booking:
        """The booking once it is cancelled, at no other fee if one is named. Raises NoOutcome."""
        asked = {"reason": reason} if fee is None else {"reason": reason, "expected_fee": fee}
        raw = await self.post(f"{path}/{booking_id}/cancel", asked, key=key)
        booking = msgspec.json.decode(raw, type=Booking)
        if booking.status != "CONFIRMED":
            return booking
        # 202: the cancellation is on the log, and not yet in the row.
        return await self.once(f"{path}/{booking_id}", Booking, lambda row: row.status != "CONFIRMED")

    async def move(self, path: str, booking_id: str, what: str, *, key: str) -> Booking:
        """The booking once it is checked in, checked out or a no-show. Waits for a payment that is under way."""

        def under_way(refusal: Refused) -> bool:
            return refusal.status == 409 and refusal.kind != "too-early"

        raw = await self.patiently(lambda: self.post(f"{path}/{booking_id}/{what}", {}, key=key), under_way)
        return msgspec.json.decode(raw, type=Booking)

    async def patiently(self, ask: Callable[[], Awaitable[bytes]], under_way: Callable[[Refused], bool]) -> bytes:
        """Asks again while it is refused for what will be over. Raises Refused for everything else."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        while True:
            try:
                return await ask()
            except Refused as refusal:
                if not under_way(refusal) or loop.time() >= give_up:
                    raise
            await asyncio.sleep(_FIRST_PAUSE)

    async def settle(self, *, key: str) -> Settlement:
        """Settles the next payments that were taken; `key` names the run."""
        return msgspec.json.decode(await self._call("POST", "/api/payments/settlements", key=key), type=Settlement)

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
                    raise refusal_of(response.status, raw)
                why, wait = f"HTTP {response.status}", max(_retry_after(response), pause)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                why, wait = type(error).__name__, pause
            # All who were refused at once shall not come back at once.
            wait *= random.uniform(0.8, 1.3)
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


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Seconds; 0 where the header is missing or says nothing usable."""
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
