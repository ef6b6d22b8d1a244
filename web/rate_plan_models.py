"""What a rate plan may say. Sums are in the currency of the unit, percents are added: -10 takes a tenth off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from streams.events.rate_plans import Day, EarlyBooking, LongStay, Occupancy, RatePlan, Season, Step, Weekend
from web.models import Request, StayWish
from web.money import SumIn
from web.texts import DateIn, IdIn, Text

MOST_SEASONS = 50
MOST_STEPS = 10
_PERCENT = re.compile(r"-?\d{1,4}(\.\d{1,2})?", re.ASCII)


def _percent(least: int, most: int, hint: str = "") -> Callable[[Any], Decimal]:
    def read(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError("should be a number of percent")
        if not _PERCENT.fullmatch(f"{value:f}" if isinstance(value, Decimal) else str(value)):
            raise ValueError("should be a number of percent with at most two decimals")
        if not least <= Decimal(value) <= most:
            raise ValueError(f"should be from {least} to {most}{hint}")
        return Decimal(value)

    return read


def _schema(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", "minimum": least, "maximum": most})


PercentIn = Annotated[Decimal, BeforeValidator(_percent(-100, 500)), _schema(-100, 500)]
DiscountIn = Annotated[
    Decimal, BeforeValidator(_percent(-100, 0, ": what is taken off is below zero, like -10")), _schema(-100, 0)
]
ThresholdIn = Annotated[Decimal, BeforeValidator(_percent(1, 100)), _schema(1, 100)]
HysteresisIn = Annotated[Decimal, BeforeValidator(_percent(0, 100)), _schema(0, 100)]


def _one_of(first: object, second: object, names: str) -> None:
    if (first is None) == (second is None):
        raise ValueError(f"should have one of {names}, and not both")


def _differ(values: Sequence[object], what: str) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"two of them have the same {what}")


class SeasonIn(Request):
    """The nights `[from, to)`: `to` is the morning after the last one."""

    from_: DateIn = Field(alias="from")
    to: DateIn
    percent: PercentIn | None = None
    price: SumIn | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        _one_of(self.percent, self.price, "percent and price")
        if self.to <= self.from_:
            raise ValueError("to should be after from")
        return self


class WeekendIn(Request):
    days: list[Day] = Field(min_length=1, max_length=7)
    percent: PercentIn | None = None
    amount: SumIn | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        _one_of(self.percent, self.amount, "percent and amount")
        _differ(self.days, "day")
        return self


class StepIn(Request):
    from_percent: ThresholdIn
    percent: PercentIn


class OccupancyIn(Request):
    steps: list[StepIn] = Field(min_length=1, max_length=MOST_STEPS)
    hysteresis_percent: HysteresisIn = Decimal(0)
    floor: SumIn | None = None
    ceiling: SumIn | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        _differ([step.from_percent for step in self.steps], "from_percent")
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise ValueError("floor should not be above ceiling")
        return self


class LongStayIn(Request):
    min_nights: int = Field(ge=1, le=366)
    percent: DiscountIn


class EarlyBookingIn(Request):
    min_days: int = Field(ge=0, le=1830)
    percent: DiscountIn


class RatePlanRequest(Request):
    """How nights are priced under a plan. What is left out does not apply; base is the unit's base price then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Flexible",
                    "weekend": {"days": ["fri", "sat"], "percent": 20},
                    "seasons": [{"from": "2026-12-20", "to": "2027-01-07", "price": "180.00"}],
                    "length_of_stay": [{"min_nights": 7, "percent": -10}],
                    "advance_purchase": [{"min_days": 60, "percent": -5}],
                    "occupancy": {
                        "steps": [{"from_percent": 50, "percent": 10}, {"from_percent": 80, "percent": 25}],
                        "hysteresis_percent": 5,
                        "floor": "80.00",
                        "ceiling": "250.00",
                    },
                }
            ]
        }
    )

    name: Text | None = None
    base: SumIn | None = None
    seasons: list[SeasonIn] = Field(default_factory=list, max_length=MOST_SEASONS)
    weekend: WeekendIn | None = None
    occupancy: OccupancyIn | None = None
    length_of_stay: list[LongStayIn] = Field(default_factory=list, max_length=MOST_STEPS)
    advance_purchase: list[EarlyBookingIn] = Field(default_factory=list, max_length=MOST_STEPS)

    @field_validator("seasons")
    @classmethod
    def _apart(cls, seasons: list[SeasonIn]) -> list[SeasonIn]:
        ordered = sorted(seasons, key=lambda season: season.from_)
        for earlier, later in pairwise(ordered):
            if later.from_ < earlier.to:
                raise ValueError(f"the seasons from {earlier.from_} and from {later.from_} overlap")
        return ordered

    @field_validator("length_of_stay")
    @classmethod
    def _stays_differ(cls, rules: list[LongStayIn]) -> list[LongStayIn]:
        _differ([rule.min_nights for rule in rules], "min_nights")
        return rules

    @field_validator("advance_purchase")
    @classmethod
    def _days_differ(cls, rules: list[EarlyBookingIn]) -> list[EarlyBookingIn]:
        _differ([rule.min_days for rule in rules], "min_days")
        return rules

    def sums(self) -> Iterator[tuple[str, Decimal | None]]:
        """Every sum of money in it, and the field it stands in."""
        yield "base", self.base
        yield from ((f"seasons.{number}.price", season.price) for number, season in enumerate(self.seasons))
        yield "weekend.amount", self.weekend.amount if self.weekend else None
        if self.occupancy:
            yield "occupancy.floor", self.occupancy.floor
            yield "occupancy.ceiling", self.occupancy.ceiling

    def plan(self) -> RatePlan:
        weekend, occupancy = self.weekend, self.occupancy
        steps = sorted(occupancy.steps, key=lambda step: step.from_percent) if occupancy else []
        return RatePlan(
            name=self.name,
            base=self.base,
            seasons=tuple(Season(**dict(season)) for season in self.seasons),
            weekend=Weekend(**{**dict(weekend), "days": tuple(weekend.days)}) if weekend else None,
            occupancy=Occupancy(**{**dict(occupancy), "steps": tuple(Step(**dict(step)) for step in steps)})
            if occupancy
            else None,
            length_of_stay=tuple(LongStay(**dict(rule)) for rule in self.length_of_stay),
            advance_purchase=tuple(EarlyBooking(**dict(rule)) for rule in self.advance_purchase),
        )


class QuoteRequest(StayWish):
    """What a stay would cost if it was booked now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "property_id": "PROP-001",
                    "unit_type": "standard",
                    "check_in": "2026-12-24",
                    "check_out": "2026-12-27",
                    "quantity": 1,
                }
            ]
        }
    )

    rate_plan: IdIn | None = None
