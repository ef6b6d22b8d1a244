"""A gateway that decides at once and remembers nothing but its bookings: what the demo speaks to in its tests.

Its faults are set from outside, as counts that run down or as switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

API_KEY = "op.key-of-the-tests"
_DECLINED = frozenset({"tok_declined", "tok_insufficient_funds", "tok_expired_card"})
_SLOW = frozenset({"tok_slow", "tok_flaky"})


class FakeGateway:
    """Bookings by id, with the contract's answers."""

    def __init__(self) -> None:
        self.url = ""
        self.units: dict[tuple[str, str], int] = {}
        self.bookings: dict[str, dict[str, Any]] = {}
        self.posts = 0
        #: So many POSTs from now on are answered 503, or have their connection cut after the work was done.
        self.unavailable = 0
        self.cut_off = 0
        #: Answers 202 to a cancellation that the row shows only later.
        self.cancels_later = False
        self.forgets_outcomes = False
        self.approves_everything = False
        self.sells_twice = False
        self.refuses = False
        self.changes_nothing = False
        #: So many check-ins from now on find that the payment is still under way.
        self.unpaid = 0
        self._outcome = asyncio.Condition()
        self._settlers: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_put("/api/properties/{property_id}/units/{unit_type}", self._put_unit)
        app.router.add_post("/api/reservations", self._book)
        app.router.add_get("/api/reservations/{booking_id}", self._get)
        app.router.add_post("/api/reservations/{booking_id}/cancel", self._cancel)
        app.router.add_patch("/api/reservations/{booking_id}", self._change_dates)
        app.router.add_post("/api/reservations/{booking_id}/{move}", self._move)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return problem(401, "Who are you?")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _put_unit(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.units[request.match_info["property_id"], request.match_info["unit_type"]] = body["capacity"]
        return web.json_response(body)

    async def _book(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        if self.refuses:
            return problem(422, "check_in: is in the past")
        if self.unavailable:
            self.unavailable -= 1
            return web.json_response({}, status=503, headers={"Retry-After": "0.01"})
        key, asked = request.headers["Idempotency-Key"], await request.json()
        if key not in self.bookings:
            self._open(key, asked)
        if self.cut_off:
            self.cut_off -= 1
            assert request.transport is not None
            request.transport.abort()
        price = {"amount": "100.00", "currency": "EUR"}
        return web.json_response({**self.bookings[key], "status": "PENDING", "price": price}, status=201)

    def _open(self, key: str, asked: dict[str, Any]) -> None:
        number = f"RSV-2026-{len(self.bookings) + 1:06}"
        self.bookings[key] = {"booking_id": key, "confirmation_number": number, "status": "PENDING", "asked": asked}
        if not self.forgets_outcomes:
            task = asyncio.create_task(self._settle(key, asked))
            self._settlers.add(task)
            task.add_done_callback(self._settlers.discard)

    async def _settle(self, key: str, asked: dict[str, Any]) -> None:
        token = asked["payment_method"]["token"]
        await asyncio.sleep(0.2 if token in _SLOW else 0)
        if token in _DECLINED and not self.approves_everything:
            await self._change(key, "REJECTED", "card_declined")
        elif self._taken(asked) >= self.units[asked["property_id"], asked["unit_type"]] and not self.sells_twice:
            await self._change(key, "REJECTED", "sold_out")
        else:
            await self._change(key, "CONFIRMED")

    def _taken(self, asked: dict[str, Any]) -> int:
        """How many others have the same unit from the same night on."""
        what = ("property_id", "unit_type", "check_in")
        same = [one for one in self.bookings.values() if all(one["asked"][name] == asked[name] for name in what)]
        return sum(one["status"] == "CONFIRMED" for one in same)

    async def _change(self, key: str, status: str, reason: str | None = None) -> None:
        async with self._outcome:
            self.bookings[key].update(status=status, reason=reason)
            self._outcome.notify_all()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        booking = self.bookings[request.match_info["booking_id"]]
        # Less patient than it is asked to be, as a gateway may be.
        wait = min(float(request.query.get("wait", "0")), 0.1)
        try:
            async with asyncio.timeout(wait), self._outcome:
                await self._outcome.wait_for(lambda: booking["status"] != "PENDING")
        except TimeoutError:
            pass
        return web.json_response(booking)

    async def _change_dates(self, request: web.Request) -> web.StreamResponse:
        booking = self.bookings[request.match_info["booking_id"]]
        if self.changes_nothing:
            return problem(409, "sold_out")
        booking["asked"] = booking["asked"] | await request.json()
        booking["revision"] = booking.get("revision", 1) + 1
        return web.json_response(booking)

    async def _move(self, request: web.Request) -> web.StreamResponse:
        if self.unpaid:
            self.unpaid -= 1
            return problem(409, "not paid yet")
        key, move = request.match_info["booking_id"], request.match_info["move"]
        await self._change(key, {"check-in": "CHECKED_IN", "check-out": "COMPLETED"}[move])
        return web.json_response(self.bookings[key])

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["booking_id"]
        if self.cancels_later:
            task = asyncio.create_task(self._change(key, "CANCELLED", "plans changed"))
            self._settlers.add(task)
            task.add_done_callback(self._settlers.discard)
            return web.json_response(self.bookings[key], status=202)
        await self._change(key, "CANCELLED", (await request.json())["reason"])
        return web.json_response(self.bookings[key])


def problem(status: int, detail: str) -> web.Response:
    return web.json_response(
        {"status": status, "title": "No", "detail": detail}, status=status, content_type="application/problem+json"
    )


@asynccontextmanager
async def running() -> AsyncIterator[FakeGateway]:
    gateway = FakeGateway()
    server = TestServer(gateway.application())
    await server.start_server(shutdown_timeout=0.1)
    gateway.url = str(server.make_url("")).rstrip("/")
    try:
        yield gateway
    finally:
        await server.close()
