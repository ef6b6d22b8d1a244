"""The booking service's agents: one decides bookings, one ticks when deadlines are over and stays have a step due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.ticking import tick
from agents.tools import Tools
from streams.app import ServiceApp
from streams.events import Event
from streams.events.booking import DeadlinePassed, StayDue
from streams.group import batches
from streams.rows import RowStore
from tables import reservations

#: Bookings expired, and stays moved on, in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 500

#: `faust -A agents.booking worker` finds its App as `app`.
__getattr__ = lazy_app("booking")


def attach(booking: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the booking service's App."""

    @booking.app.agent(booking.topic(booking.service.inbox), name="decide-bookings")
    async def decide_bookings(stream: Any) -> None:
        """Decides every booking's outcome, in the order of its inbox."""
        async for batch in batches(stream):
            await booking.decide(batch)

    # Nothing to pass on: payment answers in the inbox, where the order of its answers is on the log.
    follow(booking, tools, None)

    tick(booking, tools.runtime, "expire-bookings", overdue)


def overdue(store: RowStore, partition: int, now: datetime) -> list[Event]:
    """Bookings whose deadline is over, and stays whose next step is due."""
    return [
        *(DeadlinePassed(booking_id=late) for late in reservations.due(store, partition, now, _MOST_AT_ONCE)),
        *(
            StayDue(booking_id=step.booking_id, due=step.due)
            for step in reservations.due_stays(store, partition, now, _MOST_AT_ONCE)
        ),
    ]
