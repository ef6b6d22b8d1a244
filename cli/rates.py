"""`vacancy rates`: what a rate plan would make of prices before it is declared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import orjson
import typer
from babel.numbers import is_currency
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli import instance
from cli.client import GatewayClient, Refused, Unreachable, open_session
from cli.instance import Instance
from cli.loop import run
from cli.options import AsJson, GatewayUrl, RunningDirectory
from cli.problem import Misuse, Problem
from domain.rate_plans import BASE, Base, NightPrice, night_price, step_in_force
from streams.events.rate_plans import RatePlan
from web.money import written
from web.rate_plan_models import RatePlanRequest
from web.texts import read_date

app = typer.Typer(help="What a rate plan would make of prices.", no_args_is_help=True)
MOST_NIGHTS = 366


@dataclass(frozen=True, slots=True)
class InForce:
    """What a unit asks for now: its base price, and the plan that another one is held against."""

    base: Base
    plan: RatePlan


@dataclass(frozen=True, slots=True)
class Simulated:
    """One night under the plan that is tried, beside what it costs now; None where there is nothing in force."""

    tried: NightPrice
    now: NightPrice | None


@app.callback()
def rates() -> None:
    """What a rate plan would make of prices, before it is declared."""


@app.command("simulate")
def simulate(
    plan: Annotated[Path, typer.Option(help="A file with the plan, as it would be PUT.")],
    first: Annotated[str, typer.Option("--from", help="The first night, e.g. 2026-12-24.")],
    end: Annotated[str, typer.Option("--to", help="The day after the last night.")],
    property_id: Annotated[str | None, typer.Option("--property", help="The property.")] = None,
    unit: Annotated[str | None, typer.Option(help="The unit type.")] = None,
    against: Annotated[str | None, typer.Option(help="A plan in force; the unit's base price by default.")] = None,
    occupancy: Annotated[int, typer.Option(min=0, max=100, help="Percent of the units that are taken.")] = 0,
    currency: Annotated[str, typer.Option(help="Of a plan that is tried without a unit.")] = "EUR",
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the prices of a plan that is not in force, against those that are.

    Without --property and --unit the plan is shown by itself; then it has to name its own base.

    Example: vacancy rates simulate --property P --unit double --plan plan.json --from 2026-12-20 --to 2026-12-27
    """
    nights, tried = nights_between(first, end), read_plan(plan)
    if (property_id is None) != (unit is None):
        raise Misuse("--property and --unit go together")
    if property_id is not None and unit is not None:
        found = run(in_force(instance.find(data, url), property_id, unit, against))
        rows = simulated(tried, nights, occupancy, found.base, found.plan)
        shown = found.base.currency
    else:
        if tried.base is None:
            raise Misuse(f"--plan {plan}: without --property and --unit the plan needs a base of its own")
        if not is_currency(currency):
            raise Misuse(f"--currency {currency}: should be an ISO 4217 code like EUR")
        rows, shown = simulated(tried, nights, occupancy, Base(tried.base, currency), None), currency
    if as_json:
        print(orjson.dumps(as_dict(rows, shown, occupancy)).decode())
    else:
        Console().print(_table(rows, shown))


def simulated(
    tried: RatePlan, nights: Sequence[str], occupancy: int, base: Base, now: RatePlan | None
) -> list[Simulated]:
    """Each night under both plans, with so many percent of the units taken. Pure."""

    def priced(plan: RatePlan, night: str) -> NightPrice:
        return night_price(plan, base, night, step_in_force(plan.occupancy, Decimal(0), occupancy, 100))

    return [Simulated(priced(tried, night), priced(now, night) if now is not None else None) for night in nights]


def nights_between(first: str, end: str) -> list[str]:
    """The nights `[first, end)`. Raises Misuse."""
    days: list[date] = []
    for name, text in (("from", first), ("to", end)):
        try:
            days.append(read_date(text))
        except ValueError as error:
            raise Misuse(f"--{name} {text}: {error}") from None
    count = (days[1] - days[0]).days
    if not 1 <= count <= MOST_NIGHTS:
        raise Misuse(f"--to {end}: should be 1 to {MOST_NIGHTS} days after --from")
    return [(days[0] + timedelta(days=number)).isoformat() for number in range(count)]


def read_plan(path: Path) -> RatePlan:
    """The plan of a file, held to the same rules as one that is declared. Raises Misuse naming the field."""
    try:
        said = json.loads(path.read_text("utf-8"), parse_float=Decimal)
        return RatePlanRequest.model_validate(said).plan()
    except OSError as error:
        raise Misuse(f"--plan {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the plan"
        raise Misuse(f"--plan {path}: {field}: {first['msg'].removeprefix('Value error, ')}") from None
    except (ValueError, RecursionError):
        raise Misuse(f"--plan {path}: is not JSON") from None


async def in_force(target: Instance, property_id: str, unit: str, against: str | None) -> InForce:
    """What the running instance has declared. Raises Problem."""
    path = f"/api/properties/{quote(property_id, safe='')}/units/{quote(unit, safe='')}"
    async with open_session() as session:
        client = GatewayClient(session, target.url, target.api_key, patience=10.0)
        try:
            price = orjson.loads(await client.look(path))["base_price"]
            if against is None:
                return InForce(_base(price), BASE)
            found = orjson.loads(await client.look(f"{path}/rate-plans/{quote(against, safe='')}"))
        except Unreachable as error:
            raise Problem(f"nothing answers at {target.url}: is `vacancy up` running? ({error})") from None
        except Refused as refusal:
            raise Problem(f"{property_id} / {unit}: {refusal}") from None
    return InForce(_base(price), msgspec.convert(found["plan"], RatePlan, strict=False))


def _base(price: dict[str, str]) -> Base:
    return Base(Decimal(price["amount"]), price["currency"])


def as_dict(rows: Sequence[Simulated], currency: str, occupancy: int) -> dict[str, Any]:
    """What `--json` prints."""
    nights = [
        {
            "night": row.tried.night,
            "in_force": written(row.now.price, currency) if row.now is not None else None,
            "simulated": written(row.tried.price, currency),
            "adjustments": [
                {"rule": line.rule, "amount": written(line.amount, currency)} for line in row.tried.adjustments
            ],
        }
        for row in rows
    ]
    tried, now = totals(rows)
    return {
        "currency": currency,
        "occupancy": occupancy,
        "nights": nights,
        "in_force": written(now, currency) if now is not None else None,
        "simulated": written(tried, currency),
    }


def totals(rows: Sequence[Simulated]) -> tuple[Decimal, Decimal | None]:
    """The sums of all nights, simulated and in force."""
    now = [row.now.price for row in rows if row.now is not None]
    return sum((row.tried.price for row in rows), Decimal(0)), sum(now, Decimal(0)) if now else None


def _table(rows: Sequence[Simulated], currency: str) -> Table:
    table = Table("night", "in force", "simulated", "difference", "why", show_footer=True)
    tried, now = totals(rows)
    for row in rows:
        why = ", ".join(f"{line.rule} {line.amount:+}" for line in row.tried.adjustments)
        table.add_row(row.tried.night, *_pair(row.tried.price, row.now.price if row.now else None, currency), why)
    for column, footer in zip(table.columns, (currency, *_pair(tried, now, currency), ""), strict=True):
        column.footer = footer
    return table


def _pair(tried: Decimal, now: Decimal | None, currency: str) -> tuple[str, str, str]:
    if now is None:
        return "", written(tried, currency), ""
    return written(now, currency), written(tried, currency), f"{tried - now:+}"
