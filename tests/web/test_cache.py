"""Answers that may be a moment old: whose they are, how old, and what is never kept."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from adapters.cache import LocalCache
from web.auth import PRINCIPAL, Principal
from web.cache import AGES, Cached
from web.gateway import OPERATIONS
from web.problems import Handler, explain_failures, not_found

KPIS = "/api/analytics/kpis"
Client = TestClient[web.Request, web.Application]


class House:
    """Counts what it was really asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 1_000.0
        self.open, self.begun = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.cache = LocalCache(lambda: self.now)
        self.registry = CollectorRegistry()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        number = self.asked
        self.begun.set()
        await self.open.wait()
        if "fail" in request.query:
            raise not_found("figure")
        return web.json_response({"number": number})

    def app(self) -> web.Application:
        @web.middleware
        async def named(request: web.Request, handler: Handler) -> web.StreamResponse:
            request[PRINCIPAL] = Principal("x", uuid.UUID(int=int(request.headers.get("Who", "1"))))
            return await handler(request)

        cached = Cached(self.cache, self.registry, lambda: self.now).middleware()
        app = web.Application(middlewares=[explain_failures, named, cached])
        app.add_routes([web.get(KPIS, self.answer), web.get("/api/availability", self.answer)])
        return app


@pytest.fixture
async def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    async with TestClient(TestServer(house.app())) as found:
        yield found


async def test_an_answer_serves_for_its_moment(house: House, client: Client) -> None:
    first = await client.get(f"{KPIS}?a=1&b=2")
    house.now += 1
    again = await client.get(f"{KPIS}?b=2&a=1")
    assert (first.headers["X-Cache"], again.headers["X-Cache"]) == ("miss", "hit")
    assert (first.headers["Age"], again.headers["Age"]) == ("0", "1")
    assert await first.json() == await again.json()
    house.now += 1
    assert (await client.get(f"{KPIS}?a=1&b=2")).headers["X-Cache"] == "miss"
    assert house.asked == 2
    assert house.registry.get_sample_value("vacancy_cache_answers_total", {"cache": "hit"}) == 1


async def test_nobody_gets_what_another_asked_for(house: House, client: Client) -> None:
    for asked in (
        await client.get(KPIS),
        await client.get(KPIS, headers={"Who": "2"}),
        await client.get(f"{KPIS}?a=1"),
        await client.get(KPIS, headers={"Accept": "text/csv"}),
        await client.get(KPIS, headers={"Cache-Control": "no-cache"}),
    ):
        assert asked.headers["X-Cache"] == "miss"
    assert house.asked == 5


async def test_what_failed_and_what_bookings_depend_on_is_never_kept(house: House, client: Client) -> None:
    for path in (f"{KPIS}?fail=1", "/api/availability"):
        for _ in range(2):
            assert "X-Cache" not in (await client.get(path)).headers
    assert house.asked == 4


@pytest.mark.proves("ORD-09")
async def test_many_at_once_ask_once(house: House, client: Client) -> None:
    house.open.clear()
    asking = [asyncio.create_task(client.get(KPIS)) for _ in range(10)]
    await house.begun.wait()
    house.open.set()
    answers = await asyncio.gather(*asking)
    assert {(await each.json())["number"] for each in answers} == {1}


async def test_what_is_not_ours_in_the_cache_is_a_miss(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def strange(key: str) -> bytes | None:
        return b"not ours"

    monkeypatch.setattr(house.cache, "get", strange)
    assert (await client.get(KPIS)).headers["X-Cache"] == "miss"


def test_every_kept_route_is_one_of_the_gateways() -> None:
    assert set(AGES) <= {each.path for each in OPERATIONS if each.method == "GET"}
