"""How a journey is travelled through the public API, and how a plan of them is driven, on time and open-loop.

A journey that is slow delays no other: each starts when it is due, and its latency counts from then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import IO

import orjson

from cli.client import Accepted, Booking, GatewayClient, NoOutcome, Refused, Unreachable
from cli.tally import Tally
from cli.trades import Trade
from cli.traffic import Journey

_GLANCE = 0.2


class Drive:
    """One run. `run` names it in every Idempotency-Key, so that another run of the same plan books anew."""

    def __init__(
        self,
        client: GatewayClient,
        tally: Tally,
        run: str,
        trade: Trade,
        *,
        journal: IO[bytes] | None = None,
        on_confirmed: Callable[[Booking, float], None] = lambda booking, seconds: None,
    ) -> None:
        self._client = client
        self._tally = tally
        self._run = run
        self._trade = trade
        self._journal = journal
        self._on_confirmed = on_confirmed
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
        try:
            await self._book(journey, due)
        except (Refused, Unreachable, NoOutcome) as error:
            self._tally.wrong(f"{journey.kind} {journey.n}: {error}")
        except Exception as error:
            # An answer that is not what the interface promises; the run goes on and says so at the end.
            self._tally.wrong(f"{journey.kind} {journey.n}: {type(error).__name__}: {error}")

    async def _book(self, journey: Journey, due: float) -> None:
        loop, tally = asyncio.get_running_loop(), self._tally
        key = f"demo-{self._run}-{journey.n}"
        wish = self._trade.wish(journey.stay, journey.kind)
        accepted = await self._client.book(wish, key=key)
        tally.accept.append(loop.time() - due)
        tally.accepted += 1
        self._note(accepted, key)
        booking = await self._client.outcome(wish.path, accepted.booking_id)
        seconds = loop.time() - due
        tally.confirm.append(seconds)
        if booking.status == "CONFIRMED":
            self._on_confirmed(booking, seconds)
            if journey.kind == "cancel":
                booking = await self._client.cancel(wish.path, booking.booking_id, "plans changed", key=f"{key}-cancel")
            booking = await self._trade.afterwards(journey.kind, self._client, journey.stay, booking, key)
        tally.settle(booking.status, booking.reason)
        if journey.race is not None:
            tally.finished(journey.race, booking.status)
        if fault := unexpected(journey, booking, pays=self._trade.pays):
            tally.wrong(f"{journey.kind} {journey.n}: {fault}")

    def _note(self, accepted: Accepted, key: str) -> None:
        """One line per acknowledged booking, in the file before anything else happens to it."""
        if self._journal is not None:
            line = {"booking_id": accepted.booking_id, "key": key, "time": datetime.now(UTC)}
            self._journal.write(orjson.dumps({**line, "confirmation_number": accepted.confirmation_number}) + b"\n")


def unexpected(journey: Journey, booking: Booking, *, pays: bool = True) -> str | None:
    """What is wrong with an outcome, given what was asked; None where it can be right."""
    if pays and journey.kind == "decline" and booking.status == "CONFIRMED":
        return f"{booking.booking_id} is CONFIRMED, though its payment was declined"
    if journey.kind == "cancel" and booking.status == "CONFIRMED":
        return f"{booking.booking_id} is CONFIRMED, though it was cancelled"
    return None
