"""What a property says of its nights, and how they are answered: calendars, blocks, and what is free."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from domain.night_rules import Block, NightRules
from streams.events.night_rules import BlockReason, Weekday
from web.answers import Answer, Money, RateOut
from web.models import Request
from web.texts import DateIn, InstantIn

FromDate = Annotated[DateIn, Field(alias="from")]
ToDate = Annotated[DateIn, Field(alias="to")]
#: A stay's length in nights, and a number of days ahead.
Nights = Annotated[int, Field(ge=1, le=366)]
Days = Annotated[int, Field(ge=0, le=5 * 366)]


class Period(Request):
    """Nights `[from, to)`, in dates of the property."""

    from_date: FromDate
    to_date: ToDate


class CalendarRequest(Period):
    """Rules for nights. A field that is left out stays as it is, null clears it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"from": "2026-12-24", "to": "2027-01-02", "min_stay": 3, "closed_to_arrival": None},
                {"from": "2026-07-01", "to": "2026-09-01", "weekdays": ["fri", "sat"], "min_stay": 2},
            ]
        }
    )

    weekdays: list[Weekday] = Field(default=[], max_length=7)
    stop_sell: bool | None = None
    closed_to_arrival: bool | None = None
    closed_to_departure: bool | None = None
    min_stay: Nights | None = None
    max_stay: Nights | None = None
    min_advance_days: Days | None = None
    max_advance_days: Days | None = None
    overbooking_limit: Annotated[int, Field(ge=0, le=1_000)] | None = None


class BlockRequest(Period):
    """Units that are not for sale: out of order, or kept for a group until `release_at`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"from": "2026-11-02", "to": "2026-11-09", "units": 1, "reason": "maintenance"},
                {
                    "from": "2026-12-27",
                    "to": "2026-12-30",
                    "units": 5,
                    "reason": "group",
                    "release_at": "2026-12-01T12:00:00Z",
                },
            ]
        }
    )

    units: int = Field(ge=1, le=10_000)
    reason: BlockReason
    release_at: InstantIn | None = None


class CalendarNightOut(Answer):
    """One night's own rules; null and false where it has none and the unit type's hold."""

    date: str
    stop_sell: bool
    closed_to_arrival: bool
    closed_to_departure: bool
    min_stay: int | None = None
    max_stay: int | None = None
    min_advance_days: int | None = None
    max_advance_days: int | None = None
    overbooking_limit: int | None = None

    @classmethod
    def of(cls, night: str, rules: NightRules) -> CalendarNightOut:
        own = {name: getattr(rules, name) for name in cls.model_fields if name != "date"}
        return cls(date=night, **own)


class CalendarOut(Answer):
    property_id: str
    unit_type: str
    nights: list[CalendarNightOut]


class BlockOut(Answer):
    """A block as it stands. `released`: its time has come, and it takes nothing any more."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    block_id: str
    from_date: Annotated[date, Field(serialization_alias="from")]
    to_date: Annotated[date, Field(serialization_alias="to")]
    units: int
    reason: BlockReason
    release_at: datetime | None = None
    released: bool

    @classmethod
    def of(cls, block: Block, now: datetime) -> BlockOut:
        return cls(
            block_id=block.block_id,
            from_date=block.from_date,
            to_date=block.to_date,
            units=block.units,
            reason=block.reason,
            release_at=block.release_at,
            released=block.release_at is not None and now >= block.release_at,
        )


class BlocksOut(Answer):
    property_id: str
    unit_type: str
    blocks: list[BlockOut]


class SlotOut(Answer):
    """One night or slot. `held` waits for an outcome, `confirmed` is sold, `blocked` is kept out of sale.

    A stay takes nights that are all `bookable`, begins with one that has `arrival`, ends on a date that has
    `departure`, and is as long as its first night says.
    """

    slot: str
    capacity: int
    held: int
    confirmed: int
    blocked: int
    free: int
    #: Without a rate plan, and under each plan that there is.
    price: Money
    rates: list[RateOut] = Field(default=[])
    #: Whether a unit of it is sold, if only to a stay that begins before it.
    bookable: bool
    why_not: Literal["past", "sold_out", "stop_sell"] | None = None
    arrival: bool
    departure: bool
    min_stay: int
    max_stay: int | None = None
    #: Everything that restricts it: why it is not bookable, then what arrivals and departures are told.
    reasons: list[str] = Field(examples=[["closed_to_arrival", "min_stay 3"]])


class AvailabilityOut(Answer):
    property_id: str
    unit_type: str
    time_zone: str
    nights: list[SlotOut]
