"""`vacancy receipts render` against a gateway that makes pages, and one that cannot keep them."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.storage import Storage, storage_of
from cli.instance import Instance
from cli.problem import Problem
from cli.receipts import Rendered, Told, render
from tests.cli.command import vacancy

TOLD = [Told(receipt_id=f"r-{number}", payment_id=f"p-{number}", user_id="ada") for number in range(10)]


class Gateway:
    """Stores the page of every receipt it is asked for, as long as it can."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.asked: list[str] = []
        self.keeps = True
        self.status = 200

    async def receipt(self, request: web.Request) -> web.Response:
        payment_id = request.match_info["payment_id"]
        self.asked.append(payment_id)
        told = next(each for each in TOLD if each.payment_id == payment_id)
        if self.keeps:
            await self._storage.write(told.name, b"page")
        return web.Response(body=b"page", status=self.status)

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_get("/api/payments/{payment_id}/receipt", self.receipt)
        return TestServer(app)


async def run(gateway: Gateway, storage: Storage) -> Rendered:
    async with gateway.server() as server:
        target = Instance(str(server.make_url("")).rstrip("/"), "op.key", "127.0.0.1:9092", "catalogue")
        return await render(target, TOLD, storage)


async def test_what_is_not_stored_is_made_and_nothing_else(tmp_path: Path) -> None:
    storage = storage_of(tmp_path)
    await storage.write(TOLD[3].name, b"page")
    gateway = Gateway(storage)
    assert await run(gateway, storage) == Rendered(10, 9, 0)
    assert sorted(gateway.asked) == [each.payment_id for each in TOLD if each is not TOLD[3]]
    assert await run(gateway, storage) == Rendered(10, 0, 0)
    assert len(gateway.asked) == 9


async def test_what_could_not_be_stored_is_told(tmp_path: Path) -> None:
    gateway = Gateway(storage_of(tmp_path))
    gateway.keeps = False
    assert await run(gateway, storage_of(tmp_path)) == Rendered(10, 0, 10)


async def test_a_gateway_that_refuses_ends_it_with_what_to_do(tmp_path: Path) -> None:
    gateway = Gateway(storage_of(tmp_path))
    gateway.status = 404
    with pytest.raises(Problem, match="run it again"):
        await run(gateway, storage_of(tmp_path))


def test_without_an_instance_it_says_so(tmp_path: Path) -> None:
    found = vacancy("receipts", "render", "--data", str(tmp_path))
    assert found.code == 2
    assert "no instance in" in found.err
