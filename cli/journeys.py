"""How a journey is travelled through the public API, and how a plan of them is driven, on time and open-loop.

A journey that is slow delays no other: each starts when it is due, and its latency counts from then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from cli.client import Booking, GatewayClient, NoOutcome, Refused, Unreachable
from cli.trades import Trade
from cli.traffic import Journey
from cli.visit import Notebook, Visit

_GLANCE = 0.2


class Drive:
    """One run. `run` names it in every Idempotency-Key, so that another run of the same plan books anew."""

    def __init__(self, client: GatewayClient, notebook: Notebook, run: str, trade: Trade) -> None:
        self._client = client
        self._notebook = notebook
        self._tally = notebook.tally
        self._run = run
        self._trade = trade
        self._tasks: set[asyncio.Task[None]] = set()
        #: When journeys under way are cut off, by the loop's clock; None while the run goes on.
        self._cut_off: float | None = None

    def stop(self, grace: float) -> None:
        """Starts no more journeys and gives those under way `grace` seconds to end; asked again, none."""
        now = asyncio.get_running_loop().time()
        self._cut_off = now + grace if self._cut_off is None else now

    async def through(self, plan: Iterable[Journey]) -> None:
        """Travels the plan; returns when every journey has ended."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for journey in plan:
            due = start + journey.at
            while (left := due - loop.time()) > 0 and self._cut_off is None:  # noqa: ASYNC110  # it is a clock
                await asyncio.sleep(min(left, _GLANCE))
            if self._cut_off is not None:
                break
            task = loop.create_task(self._travel(journey, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await self._drain()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._tasks:
            if self._cut_off is not None and loop.time() >= self._cut_off:
                for task in self._tasks:
                    task.cancel()
            await asyncio.wait(self._tasks, timeout=_GLANCE)

    async def _travel(self, journey: Journey, due: float) -> None:
        self._tally.started += 1
        self._tally.kinds[journey.kind] += 1
        wish = self._trade.wish(journey.stay, journey.kind)
        visit = Visit(self._client, self._notebook, journey, wish, f"demo-{self._run}-{journey.n}", due)
        try:
            self._look_at(visit, await self._trade.travels[journey.kind](visit))
        except (Refused, Unreachable, NoOutcome) as error:
            visit.wrong(str(error))
        except Exception as error:
            # An answer that is not what the interface promises; the run goes on and says so at the end.
            visit.wrong(f"{type(error).__name__}: {error}")
        finally:
            for booking in visit.bookings.values():
                self._tally.settle(booking.status, booking.reason)

    def _look_at(self, visit: Visit, booking: Booking) -> None:
        if visit.journey.race is not None:
            self._tally.finished(visit.journey.race, booking.status)
        if fault := unexpected(visit.journey, booking, pays=self._trade.pays):
            visit.wrong(fault)


def unexpected(journey: Journey, booking: Booking, *, pays: bool = True) -> str | None:
    """What is wrong with an outcome, given what was asked; None where it can be right."""
    if pays and journey.kind == "decline" and booking.status == "CONFIRMED":
        return f"{booking.booking_id} is CONFIRMED, though its payment was declined"
    if journey.kind == "cancel" and booking.status == "CONFIRMED":
        return f"{booking.booking_id} is CONFIRMED, though it was cancelled"
    if journey.closed is not None and (booking.status == "CONFIRMED" or booking.reason != journey.closed):
        return f"{booking.booking_id} is {booking.status} ({booking.reason}), not REJECTED for {journey.closed}"
    return None
