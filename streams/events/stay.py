"""When a stay may begin and end: what a property says of a unit type, and what a booking was made on."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from streams.events.base import Instant

#: A local hour of the day, e.g. "15:00".
Hour = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
#: Who takes a step: the platform itself once it is due, or only somebody who asks for it.
Run = Literal["auto", "manual"]


class StayRules(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The hours of a unit type, local to its property, and which steps are taken without anybody's asking."""

    #: From when on the day of arrival the unit is ready: a promise to the guest, no bar to an earlier check-in.
    check_in_from: Hour = "15:00"
    #: Until when on the day of departure the guest may stay.
    check_out_until: Hour = "11:00"
    #: From when on the day after the arrival a guest counts as not coming any more.
    no_show_from: Hour = "00:00"
    no_show: Run = "manual"
    check_out: Run = "manual"


class StayTimes(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The same for one stay, as instants: frozen when it was asked for, whatever becomes of the rules or the clocks."""

    #: The day of arrival begins.
    arrival: Instant
    check_in_from: Instant
    no_show_from: Instant
    check_out_until: Instant
    #: The day of departure is over.
    departed: Instant
    no_show: Run = "manual"
    check_out: Run = "manual"
