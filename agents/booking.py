"""The booking service's agents: one decides bookings, one ticks when deadlines are over and stays have a step due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.envelope import originate
from streams.events import Event
from streams.events.booking import DeadlinePassed, StayDue
from streams.group import Runtime, batches
from streams.rows import NotOwner
from tables import reservations

#: Bookings expired, and stays moved on, in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 500
_TICK_S = 1.0

#: `faust -A agents.booking worker` finds its App as `app`.
__getattr__ = lazy_app("booking")


def attach(booking: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the booking service's App."""
    app, runtime = booking.app, tools.runtime

    @app.agent(booking.topic(booking.service.inbox), name="decide-bookings")
    async def decide_bookings(stream: Any) -> None:
        """Decides every booking's outcome, in the order of its inbox."""
        async for batch in batches(stream):
            await booking.decide(batch)

    # Nothing to pass on: payment answers in the inbox, where the order of its answers is on the log.
    follow(booking, tools, None)

    @app.timer(interval=_TICK_S, name="expire-bookings")  # type: ignore[untyped-decorator]
    async def expire_bookings() -> None:
        """Tells overdue bookings that time has passed; they decide by the tick's own record time whether it has."""
        await booking.guarded(tell_overdue(booking, runtime, datetime.now(UTC)))


async def tell_overdue(booking: ServiceApp, runtime: Runtime, now: datetime) -> None:
    """A tick for every booking of this worker whose deadline is over, and every stay whose next step is due."""
    numbers = [partition.number for partition in booking.store.owned()]
    ticks = [
        runtime.voice.say(originate(late, source="ticker", now=now))
        for number in numbers
        for late in _overdue(booking, number, now)
    ]
    for tick in ticks:
        await tick


def _overdue(booking: ServiceApp, partition: int, now: datetime) -> list[Event]:
    store = booking.store
    try:
        expired = reservations.due(store, partition, now, _MOST_AT_ONCE)
        moved = reservations.due_stays(store, partition, now, _MOST_AT_ONCE)
        return [
            *(DeadlinePassed(booking_id=booking_id) for booking_id in expired),
            *(StayDue(booking_id=step.booking_id, due=step.due) for step in moved),
        ]
    except NotOwner:
        return []  # a rebalance came between: the next owner's ticker finds them
