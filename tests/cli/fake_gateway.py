"""A gateway that decides at once and remembers nothing but its bookings: what the demo speaks to in its tests.

Its faults are set from outside, as counts that run down or as switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.cli.fake_desk import FakeDesk
from tests.cli.fake_house import FakeHouse

API_KEY = "op.key-of-the-tests"
_DECLINED = frozenset({"tok_declined", "tok_insufficient_funds", "tok_expired_card"})
_SLOW = frozenset({"tok_slow", "tok_flaky"})


class FakeGateway:
    """Bookings by id, with the contract's answers."""

    def __init__(self) -> None:
        self.url = ""
        self.house = FakeHouse()
        self.desk = FakeDesk(self.house, self._open)
        self.bookings: dict[str, dict[str, Any]] = {}
        self.posts = 0
        #: So many POSTs from now on are answered 503, or have their connection cut after the work was done.
        self.unavailable = 0
        self.cut_off = 0
        #: Answers 202 to a cancellation that the row shows only later.
        self.cancels_later = False
        self.forgets_outcomes = False
        #: Numbers a booking anew each time it is requested.
        self.forgets_keys = False
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
        app.router.add_put("/api/properties/{property_id}/units/{unit_type}/{said:.+}", self._say)
        app.router.add_post("/api/rates/quote", self._quote)
        app.router.add_post("/api/reservations", self._book)
        app.router.add_get("/api/reservations/{booking_id}", self._get)
        app.router.add_get("/api/reservations/{booking_id}/cancellation", self._fee)
        app.router.add_post("/api/reservations/{booking_id}/cancel", self._cancel)
        app.router.add_patch("/api/reservations/{booking_id}", self._change_dates)
        app.router.add_post("/api/reservations/{booking_id}/{move}", self._move)
        app.add_routes(self.desk.routes())
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return problem(401, "Who are you?")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _put_unit(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.house.units[request.match_info["property_id"], request.match_info["unit_type"]] = body
        return web.json_response(body)

    async def _say(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.house.said.setdefault(request.path, []).append(body)
        return web.json_response(body)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.house.quote(await request.json()))

    async def _book(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        if self.refuses:
            return problem(422, "check_in: is in the past")
        if self.unavailable:
            self.unavailable -= 1
            return web.json_response({}, status=503, headers={"Retry-After": "0.01"})
        key, asked = request.headers["Idempotency-Key"], await request.json()
        if key not in self.bookings or self.forgets_keys:
            self._open(key, asked)
        if self.cut_off:
            self.cut_off -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({**self.bookings[key], "status": "PENDING"}, status=201)

    def _open(self, key: str, asked: dict[str, Any]) -> None:
        number = f"RSV-2026-{len(self.bookings) + 1:06}"
        booking = {"booking_id": key, "confirmation_number": number, "status": "PENDING", "asked": asked}
        price, times = self.house.price(asked), self.house.times(asked)
        self.bookings[key] = {**booking, "price": price, "payments": [], "times": times}
        self.desk.pay(self.bookings[key], Decimal(price["amount"]))
        if not self.forgets_outcomes:
            task = asyncio.create_task(self._settle(key, asked))
            self._settlers.add(task)
            task.add_done_callback(self._settlers.discard)

    async def _settle(self, key: str, asked: dict[str, Any]) -> None:
        token = asked["payment_method"]["token"]
        await asyncio.sleep(0.2 if token in _SLOW else 0)
        if token in _DECLINED and not self.approves_everything:
            await self._change(key, "REJECTED", "card_declined")
        elif reason := self.house.closed(asked):
            await self._change(key, "REJECTED", reason)
        elif self._taken(asked) >= self.house.unit(asked)["capacity"] and not self.sells_twice:
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
            return problem(409, "sold_out", "change-refused", reason="sold_out")
        booking["asked"] = booking["asked"] | await request.json()
        booking["revision"] = booking.get("revision", 1) + 1
        before, booking["price"] = booking["price"], self.house.price(booking["asked"])
        more = Decimal(booking["price"]["amount"]) - Decimal(before["amount"])
        if more > 0 and "dearer" not in self.house.broken:
            self.desk.pay(booking, more)
        return web.json_response(booking)

    async def _move(self, request: web.Request) -> web.StreamResponse:
        if self.unpaid:
            self.unpaid -= 1
            return problem(409, "not paid yet")
        key, move = request.match_info["booking_id"], request.match_info["move"]
        booking = self.bookings[key]
        if move == "no-show" and booking["times"]:
            return problem(409, "the night is not over", "too-early")
        if move == "no-show":
            booking["cancellation"] = self.house.no_show(booking)
        if move == "check-out":
            booking["price"] = self.house.left_early(booking)
        await self._change(key, {"check-in": "CHECKED_IN", "check-out": "COMPLETED", "no-show": "NO_SHOW"}[move])
        return web.json_response(booking)

    async def _fee(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.house.cancelling(self.bookings[request.match_info["booking_id"]]))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        key, asked = request.match_info["booking_id"], await request.json()
        booking = self.bookings[key]
        booking["cancellation"] = self.house.cancelling(booking)
        fee = booking["cancellation"]["fee"]["amount"]
        if "policy" in self.house.broken:
            booking["cancellation"]["refund"] = booking["cancellation"]["fee"]
        if asked.get("expected_fee", fee) != fee:
            return problem(409, "The fee is another one", "fee-changed")
        self.desk.freed(booking["asked"])
        if self.cancels_later:
            task = asyncio.create_task(self._change(key, "CANCELLED", asked["reason"]))
            self._settlers.add(task)
            task.add_done_callback(self._settlers.discard)
            return web.json_response(self.bookings[key], status=202)
        await self._change(key, "CANCELLED", asked["reason"])
        return web.json_response(self.bookings[key])


def problem(status: int, detail: str, kind: str = "not-yet", **more: str) -> web.Response:
    body = {"type": f"urn:vacancy:problem:{kind}", "status": status, "title": "No", "detail": detail, **more}
    return web.json_response(body, status=status, content_type="application/problem+json")


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
