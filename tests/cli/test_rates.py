"""`vacancy rates simulate`: a plan before it is declared."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cli.instance import Instance
from cli.problem import Misuse, Problem
from cli.rates import as_dict, in_force, nights_between, read_plan, simulated
from domain.rate_plans import Base, night_price
from tests.cli.command import vacancy
from tests.domain.plans import FLEX


def written(tmp_path: Path, **more: object) -> Path:
    path = tmp_path / "plan.json"
    said = {"base": "100.00", "weekend": {"days": ["fri"], "percent": 20.5}, **more}
    path.write_text(json.dumps(said))
    return path


def test_a_file_alone_is_enough(tmp_path: Path) -> None:
    """Thursday 17 December at 100.00, Friday 20.5 percent more: 220.50 in all."""
    arguments = ("--plan", written(tmp_path), "--from", "2026-12-17", "--to", "2026-12-19")
    ran = vacancy("rates", "simulate", *arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert [(night["night"], night["simulated"]) for night in found["nights"]] == [
        ("2026-12-17", "100.00"),
        ("2026-12-18", "120.50"),
    ]
    assert (found["simulated"], found["in_force"], found["currency"]) == ("220.50", None, "EUR")
    table = vacancy("rates", "simulate", *arguments, "--currency", "USD")
    assert table.code == 0
    assert "220.50" in table.out
    assert "USD" in table.out


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (("--to", "2026-12-17"), "--to"),
        (("--to", "2028-12-17"), "--to"),
        (("--to", "soon"), "--to"),
        (("--to", "2026-12-18", "--unit", "double"), "--property"),
        (("--to", "2026-12-18", "--currency", "euro"), "--currency"),
        (("--to", "2026-12-18", "--occupancy", "101"), "--occupancy"),
    ],
)
def test_what_was_asked_wrongly_is_named(tmp_path: Path, more: tuple[str, ...], wrong: str) -> None:
    ran = vacancy("rates", "simulate", "--plan", written(tmp_path), "--from", "2026-12-17", *more)
    assert ran.code == 2
    assert wrong in ran.err


def test_a_file_is_held_to_the_rules_of_a_declaration(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"length_of_stay\.0\.percent: .*below zero"):
        read_plan(written(tmp_path, length_of_stay=[{"min_nights": 7, "percent": 10}]))
    with pytest.raises(Misuse, match="No such file"):
        read_plan(tmp_path / "none.json")
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(Misuse, match="is not JSON"):
        read_plan(tmp_path / "plan.json")


@pytest.mark.proves("HTL-04")
def test_the_plan_is_held_against_the_one_in_force() -> None:
    """At 80 percent the plan asks 25 percent more than the base price of 100.00."""
    base = Base(Decimal("100.00"), "EUR")
    nights = nights_between("2026-12-14", "2026-12-16")
    rows = simulated(FLEX, nights, 80, base, msgspec.structs.replace(FLEX, occupancy=None))
    assert [(row.tried.price, row.now.price) for row in rows if row.now] == [(Decimal("125.00"), Decimal("100.00"))] * 2
    assert as_dict(rows, "EUR", 80)["simulated"] == "250.00"
    assert rows[0].tried == night_price(FLEX, base, "2026-12-14", Decimal(80))


async def test_what_is_in_force_is_asked_of_the_gateway() -> None:
    async def unit(request: web.Request) -> web.Response:
        return web.json_response({"base_price": {"amount": "90.00", "currency": "EUR"}})

    async def plan(request: web.Request) -> web.Response:
        return web.json_response({"plan": msgspec.to_builtins(FLEX)})

    application = web.Application()
    application.router.add_get("/api/properties/P/units/double", unit)
    application.router.add_get("/api/properties/P/units/double/rate-plans/flex", plan)
    async with TestServer(application) as server:
        target = Instance(str(server.make_url("")).rstrip("/"), "op.key", "127.0.0.1:9092", "catalogue")
        found = await in_force(target, "P", "double", "flex")
        assert (found.base, found.plan) == (Base(Decimal("90.00"), "EUR"), FLEX)
        assert (await in_force(target, "P", "double", None)).plan != FLEX
        with pytest.raises(Problem, match="P / double: HTTP 404"):
            await in_force(target, "P", "double", "none")
