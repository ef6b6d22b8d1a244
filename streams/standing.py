"""Where a group stands, as its watchdog sees it: what was handed over and is not done, what is on the log unfetched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import cast

from faust.types import TP

from streams.group import GroupApp
from streams.transport import Consumer
from streams.watchdog import PATIENCE_S, Seen

logger = logging.getLogger(__name__)
#: Between two looks at where the log ends, in seconds, and what one may take.
_LOOK_EVERY_S = 5.0
#: So many times the patience for a single partition beside others that move, and for calls to the outside: one of them
#: may be asked to wait a minute.
_LONGER = 10


class Standing:
    """One group. `excused` says whether calls of its process wait behind a breaker."""

    def __init__(
        self, group: GroupApp, excused: Callable[[], bool] = lambda: False, patience: float = PATIENCE_S
    ) -> None:
        self._group = group
        self._patience = patience
        self._excused = excused
        #: Partitions with records nobody fetched yet, and where they are read.
        self._unfetched: dict[TP, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look_at_ends(), name=f"lag of {self._group.name}")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def seen(self) -> Sequence[Seen]:
        """The group as a whole, and each partition by itself, which is given more time.

        Calls to the outside are judged by partition only: one of them may wait longer than the group's patience. While
        they have no room for more, everything else may be held up behind them: then it moves if they do.
        """
        group = self._group
        if not group.ready or not group.lease.fresh():
            return ()  # a rebalance, a restore, a broker that is away
        underway, unfetched = cast("Consumer", group.app.consumer).underway(), self._unfetched
        waiting = {tp for tp, (handed, done) in underway.items() if handed > done} | set(unfetched)
        marks = {tp: (underway.get(tp), unfetched.get(tp), self._attempts(tp)) for tp in {*underway, *unfetched}}
        calls = {tp for tp in marks if tp.topic in group.effects}
        full = tuple(marks[tp] for tp in sorted(calls) if group.effects[tp.topic].full)
        longer = self._patience * _LONGER
        inner = (full, *(marks[tp] for tp in sorted(marks.keys() - calls)))
        whole = Seen(group.name, not waiting <= calls, inner, longer if full else self._patience)
        alone = sorted(waiting - calls if self._excused() else waiting)
        return (whole, *(Seen(f"{tp.topic}/{tp.partition}", True, (full, marks[tp]), longer) for tp in alone))

    def _attempts(self, tp: TP) -> int:
        """How many calls ended there: to wait for the next attempt is no standstill."""
        runner = self._group.effects.get(tp.topic)
        return 0 if runner is None else runner.attempts[tp.partition]

    def paused(self) -> None:
        self._group.lease.doubt()

    async def _look_at_ends(self) -> None:
        """For ever: a consumer that fetches nothing any more says so to nobody."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            found: dict[TP, int] = {}
            if self._group.ready:
                try:
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        found = await self._behind()
                except Exception as error:  # Kafka does not say, or a rebalance came between
                    logger.debug("where %s's topics end is not known: %r", self._group.name, error)
            self._unfetched = found

    async def _behind(self) -> dict[TP, int]:
        consumer = cast("Consumer", self._group.app.consumer)
        rows = self._group.app.tables.changelog_topics  # which stay paused: another consumer follows them
        read = [tp for tp in consumer.assignment() if tp.topic not in rows]
        ends = await consumer.highwaters(*read) if read else {}
        positions = {tp: await consumer.position(tp) for tp in ends}
        return {tp: at for tp, end in ends.items() if (at := positions[tp]) is not None and at < end}
