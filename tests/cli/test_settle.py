"""`vacancy settle` against a gateway that has more to settle than it takes at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from cli import instance
from cli.client import Money, Settlement
from cli.instance import Instance
from cli.problem import Misuse, Problem
from cli.settle import command, settle
from tests.cli.command import vacancy

KEY = "op.key"


class Gateway:
    """Answers one step after the other, and then that there is nothing left."""

    def __init__(self, *steps: tuple[int, list[tuple[str, str]], int]) -> None:
        self.steps = list(steps)
        self.keys: list[str] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        if self.status != 200:
            return web.json_response({"detail": "not here"}, status=self.status)
        self.keys.append(request.headers["Idempotency-Key"])
        payments, totals, remaining = self.steps.pop(0) if self.steps else (0, [], 0)
        body: dict[str, Any] = {"settlement_id": "run-1", "payments": payments, "remaining": remaining}
        body["totals"] = [{"amount": amount, "currency": currency} for amount, currency in totals]
        return web.json_response(body)

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_post("/api/payments/settlements", self.answer)
        return TestServer(app)


def target(server: BaseTestServer) -> Instance:
    return Instance(str(server.make_url("")).rstrip("/"), KEY, "127.0.0.1:9092", "catalogue")


async def test_it_goes_on_under_one_key_until_nothing_remains() -> None:
    gateway = Gateway((500, [("100.10", "EUR")], 3), (3, [("0.20", "EUR"), ("7", "JPY")], 0))
    async with gateway.server() as server:
        found = await settle(target(server))
    assert (found.payments, found.remaining, found.settlement_id) == (503, 0, "run-1")
    assert [(total.amount, total.currency) for total in found.totals] == [("100.30", "EUR"), ("7", "JPY")]
    assert len(gateway.keys) == 2
    assert len(set(gateway.keys)) == 1


async def test_what_another_run_takes_is_not_waited_for() -> None:
    gateway = Gateway((0, [], 5), (1, [("1.00", "EUR")], 0))
    async with gateway.server() as server:
        found = await settle(target(server))
    assert (found.payments, found.remaining) == (0, 5)


async def test_a_refusal_is_told() -> None:
    gateway = Gateway()
    gateway.status = 401
    async with gateway.server() as server:
        with pytest.raises(Problem, match="refuses to settle: HTTP 401: not here"):
            await settle(target(server))


def test_a_url_has_a_scheme() -> None:
    with pytest.raises(Misuse, match="should begin with http"):
        command(url="localhost:8080")


def test_without_an_instance_it_says_what_to_do(tmp_path: Path) -> None:
    ran = vacancy("settle", "--data", tmp_path)
    assert ran.code == 2
    assert "vacancy up" in ran.err
    assert ran.out == ""


async def test_the_command_prints_text_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settled = Settlement("run-1", 2, [Money("12.50", "EUR")], 0)

    def run(main: Any) -> Any:
        main.close()
        return settled

    monkeypatch.setattr("cli.settle.run", run)
    monkeypatch.setattr(instance, "find", lambda data, url: Instance("http://h", KEY, "b", "catalogue"))
    command(data=tmp_path)
    assert capsys.readouterr().out == "settled 2 payments: 12.50 EUR (run run-1)\n"
    command(data=tmp_path, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "settlement_id": "run-1",
        "payments": 2,
        "totals": [{"amount": "12.50", "currency": "EUR"}],
        "remaining": 0,
    }
