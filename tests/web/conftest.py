"""A gateway and a worker's views on loopback, before an instance in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestClient, TestServer

from adapters.links import Links
from adapters.storage import storage_of
from streams.events.control import WorkerOwns
from streams.letter_desk import Desk
from streams.services import SERVICES
from tests.memory_letters import MemoryLetters
from tests.web.instance import NOW, Instance, Numbers, Seals
from web import views
from web.auth import Keys, operator_of
from web.context import Context, Limits
from web.gateway import build
from web.owners import Owners
from web.readiness import Readiness
from web.receipt_desk import ReceiptDesk
from web.rows import Rows

KEY = "op1.a-test-key"
TOKEN = "internal-token"
WEBHOOK_SECRET = b"what the provider signs with"
LINKS = Links("https://book.example.com", b"what links are signed with")
TODAY = NOW.date()


@dataclass
class Gateway:
    """A caller's view of the gateway, and what stands behind it."""

    client: TestClient[web.Request, web.Application]
    instance: Instance
    seals: Seals
    worker: BaseTestServer

    async def call(
        self, method: str, path: str, body: object = None, key: str | None = KEY, **headers: str
    ) -> ClientResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        if body is None:
            return await self.client.request(method, path, headers=sent)
        return await self.client.request(method, path, headers=sent, json=body)

    async def unit(self, **more: object) -> None:
        body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, **more}
        answer = await self.call("PUT", "/api/properties/PROP-001/units/standard", body)
        assert answer.status == 200, await answer.text()
        self.instance.appended.clear()

    async def book(self, **more: object) -> dict[str, Any]:
        answer = await self.call("POST", "/api/reservations", stay(**more))
        assert answer.status == 201, await answer.text()
        booked: dict[str, Any] = await answer.json()
        return booked

    async def claim(self, url: str) -> None:
        """Says that the worker at `url` owns everything."""
        for service in SERVICES:
            for number in range(self.instance.layout.partitions):
                claim = WorkerOwns(service=service, partition=number, url=url, worker="worker-1", since=NOW)
                await self.instance.workers.put(f"{service}/{number}", claim)


def stay(**more: object) -> dict[str, Any]:
    """Two nights that can be booked."""
    return {
        "property_id": "PROP-001",
        "unit_type": "standard",
        "check_in": str(TODAY + timedelta(days=30)),
        "check_out": str(TODAY + timedelta(days=32)),
        "guest": {"email": "Ada@example.com", "first_name": "Ada", "last_name": "Guest"},
        "payment_method": {"token": "tok_visa"},
        **more,
    }


def booking(**more: object) -> dict[str, Any]:
    """The same in the catalogue's words."""
    day = TODAY + timedelta(days=30)
    return {
        "user_id": "user-1",
        "product_id": "standard",
        "provider_id": "PROP-001",
        "start_time": f"{day}T14:00:00Z",
        "end_time": f"{day + timedelta(days=1)}T10:00:00Z",
        "quantity": 1,
        "price_amount": 100.0,
        "price_currency": "EUR",
        "payment_method": {"token": "tok_visa"},
        **more,
    }


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.fixture
def layout() -> str:
    """The layout a module's tests run under; they may say another."""
    return "catalogue"


@pytest.fixture
def instance(tmp_path: Path, layout: str) -> Iterator[Instance]:
    found = Instance(tmp_path, layout)
    yield found
    found.close()


@pytest.fixture
async def gateway(instance: Instance) -> AsyncIterator[Gateway]:
    worker_app = web.Application()
    worker_app.add_routes(views.routes(instance.stores, TOKEN))
    worker_app.add_routes([web.get("/readyz", _ready), web.get("/metrics", _worker_metrics)])
    seals = Seals()
    async with TestServer(worker_app) as worker, ClientSession() as http:
        app = build(_context(instance, seals, http), Keys({KEY: operator_of("test")}), http, body_limit=65_536)
        async with TestClient(TestServer(app)) as client:
            found = Gateway(client, instance, seals, worker)
            await found.claim(str(worker.make_url("")).rstrip("/"))
            yield found


def _context(instance: Instance, seals: Seals, http: ClientSession) -> Context:
    partitions = instance.layout.partitions
    return Context(
        log=instance,
        rates=instance.rates,
        plans=instance.plans,
        keyring=seals,
        numbers=Numbers(),
        rows=Rows(Owners(http, instance.workers, partitions=partitions, token=TOKEN, patience=0.3)),
        limits=Limits(max_quantity=1000, max_nights=366, deadline=timedelta(minutes=10), patience=0.3),
        layout=instance.layout,
        data=instance.directory,
        bootstrap="127.0.0.1:9092",
        version="0.1.0",
        clock=lambda: instance.now,
        webhook_secret=WEBHOOK_SECRET,
        hindrance=lambda: instance.hindrance,
        links=LINKS,
        readiness=Readiness(http, instance.workers, SERVICES, partitions),
        letters=Desk(MemoryLetters(instance.dead), instance.layout, lambda: instance.now),
        receipts=ReceiptDesk(
            storage_of(instance.directory / "receipts"), Links("https://rooms.example", b"s" * 32), seals
        ),
    )


async def _ready(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _worker_metrics(request: web.Request) -> web.Response:
    return web.Response(text="# HELP slices_total Slices.\n# TYPE slices_total counter\nslices_total 7.0\n")
