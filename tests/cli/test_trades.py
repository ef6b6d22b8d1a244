"""What each layout's guests ask for: bodies the gateway's own models take, and nothing a rule of theirs refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from cli.houses import LAST_ONES, UNITS, sayings
from cli.practice import Practice
from cli.trades import Goods, Stays, trade_of
from cli.traffic import MIX, Journey, plan
from web.appointment_models import AppointmentRequest
from web.bodies import check, parse
from web.calendar_models import BlockRequest, CalendarRequest
from web.models import ReservationRequest, UnitRequest
from web.order_models import OrderRequest
from web.rate_plan_models import RatePlanRequest

JOURNEYS = list(plan(7, 400, date(2026, 5, 1), 2))
SCARCE = {unit.property_id for unit in LAST_ONES}


def bodies(trade: Any, journeys: list[Journey]) -> list[Any]:
    return [parse(orjson.dumps(trade.wish(journey.stay).body)) for journey in journeys]


@pytest.mark.parametrize(
    ("trade", "model"), [(Stays(), ReservationRequest), (Goods(), OrderRequest), (Practice(), AppointmentRequest)]
)
def test_what_is_asked_is_what_the_gateway_takes(trade: Any, model: Any) -> None:
    for body in bodies(trade, JOURNEYS):
        assert check(model, body)


def test_what_is_said_of_the_units_is_what_the_gateway_takes() -> None:
    models: dict[str, Any] = {
        "units": UnitRequest,
        "rate-plans": RatePlanRequest,
        "calendar": CalendarRequest,
        "blocks": BlockRequest,
    }
    said = [each for unit in UNITS for each in sayings(unit, date(2026, 5, 31))]
    taken = set()
    for path, body in said:
        what = next(word for word in ("rate-plans", "calendar", "blocks", "units") if f"/{word}" in path)
        assert check(models[what], parse(orjson.dumps(body)))
        taken.add(what)
    assert taken == models.keys()
    assert said == [each for unit in UNITS for each in sayings(unit, date(2026, 5, 1))]


def test_who_comes_to_stay_walks_in_today() -> None:
    before = datetime.now(UTC).date()
    journey = next(journey for journey in JOURNEYS if journey.kind == "stay")
    body = Stays().wish(journey.stay, journey.kind).body
    after = datetime.now(UTC).date()
    assert body["check_in"] in (before, after)
    assert body["check_out"] - body["check_in"] == journey.stay.check_out - journey.stay.check_in


@pytest.mark.parametrize("trade", [Stays(), Goods(), Practice()])
def test_runners_of_a_race_want_the_very_same_thing(trade: Any) -> None:
    races: dict[int, list[Any]] = {}
    for journey in JOURNEYS:
        if journey.race is not None:
            body = dict(trade.wish(journey.stay).body)
            wanted = {
                name: body[name]
                for name in ("items", "property_id", "check_in", "doctorId", "date", "time")
                if name in body
            }
            races.setdefault(journey.race, []).append(wanted)
    assert races
    assert all(one == other for one, other in races.values())


def test_stays_have_every_kind_of_journey_and_the_others_what_they_can() -> None:
    assert Stays.travels.keys() == MIX.keys()
    assert Goods.travels.keys() < Practice.travels.keys() < Stays.travels.keys()


def test_a_layout_without_a_trade_of_its_own_sells_nights() -> None:
    assert isinstance(trade_of("orders"), Goods)
    assert isinstance(trade_of("clinic"), Practice)
    assert all(isinstance(trade_of(layout), Stays) for layout in ("catalogue", "campsite", "hotel"))
