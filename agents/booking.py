"""The booking service's agents: one decides bookings, one ticks when deadlines are over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.envelope import originate
from streams.events.booking import DeadlinePassed
from streams.group import Runtime, batches
from streams.rows import NotOwner
from tables import reservations

#: Bookings expired in one tick of one partition; the rest follows in the next.
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
    """A tick for every booking of this worker whose deadline is over."""
    numbers = [partition.number for partition in booking.store.owned()]
    ticks = [
        runtime.voice.say(originate(DeadlinePassed(booking_id=late), source="ticker", now=now))
        for number in numbers
        for late in _overdue(booking, number, now)
    ]
    for tick in ticks:
        await tick


def _overdue(booking: ServiceApp, partition: int, now: datetime) -> list[str]:
    try:
        return list(reservations.due(booking.store, partition, now, _MOST_AT_ONCE))
    except NotOwner:
        return []  # a rebalance came between: the next owner's ticker finds them
