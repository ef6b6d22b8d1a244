"""What guests do who stay by the night."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cli.client import Booking, Stay
from cli.stay_rules import (
    be_given_back,
    book_as_quoted,
    cancel_as_quoted,
    leave_early,
    never_come,
    stay_longer,
    wait_for_another,
)
from cli.visit import COMMON, Travels, Visit, afterwards, book, unless_refused


async def _change(visit: Visit, booking: Booking) -> Booking:
    return await unless_refused(visit, booking, _another(visit.stay))


async def _come_and_go(visit: Visit, booking: Booking) -> Booking:
    await visit.client.move(visit.path, booking.booking_id, "check-in", key=f"{visit.key}-in")
    return await visit.client.move(visit.path, booking.booking_id, "check-out", key=f"{visit.key}-out")


STAYS: Travels = {
    **COMMON,
    "change": afterwards(_change),
    "stay": afterwards(_come_and_go),
    "quote": book_as_quoted,
    "closed": book,
    "dearer": afterwards(stay_longer),
    "policy": afterwards(cancel_as_quoted),
    "early": afterwards(leave_early),
    "refund": afterwards(be_given_back),
    "no_show": afterwards(never_come),
    "waitlist": wait_for_another,
}


def tonight(stay: Stay) -> Stay:
    """As many nights from now on: nobody checks in before their day."""
    today = datetime.now(ZoneInfo(stay.time_zone)).date()
    return replace(stay, check_in=today, check_out=today + (stay.check_out - stay.check_in))


def _another(stay: Stay) -> dict[str, Any]:
    """Dates that cost no more: a night less of several, else the night after."""
    if stay.check_out - stay.check_in > timedelta(days=1):
        return {"check_out": stay.check_out - timedelta(days=1)}
    return {"check_in": stay.check_in + timedelta(days=1), "check_out": stay.check_out + timedelta(days=1)}
