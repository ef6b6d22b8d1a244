"""What the API answers of a stay's hours: as a unit type has them, and as instants of one stay."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Run = Literal["auto", "manual"]


class Hours(BaseModel):
    """Of stays by the night, in the unit type's time zone; all null where it holds no guest to a day."""

    check_in_from: str | None = Field(default=None, examples=["15:00"])
    check_out_until: str | None = Field(default=None, examples=["11:00"])
    #: Of the day after the arrival.
    no_show_from: str | None = Field(default=None, examples=["00:00"])
    no_show: Run | None = None
    check_out: Run | None = None


class StayTimesOut(BaseModel):
    """When a stay may begin and end. `arrival` is when its day begins, from which on check-in is possible, `departed`
    when the day of departure is over.
    """

    model_config = ConfigDict(frozen=True)

    arrival: datetime
    check_in_from: datetime
    no_show_from: datetime
    check_out_until: datetime
    departed: datetime
    no_show: Run
    check_out: Run
