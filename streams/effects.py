"""Effects: calls to the outside, made beside the log and answered onto it (design 5.8).

An effects topic is read by a stateless agent. Calls of one key are made in order, calls of different keys side by
side; a result is appended to the service's inbox; only the unbroken run of records whose results are acknowledged
there is committed. A slow call therefore holds up neither its partition nor the loop, and a crash repeats at most
calls whose idempotency keys the provider knows.

What is not answered is tried again after the layout's delays. A call that outlasts them is parked where its service can
do so: given back to its row, which asks for it again later. Where it cannot, it is made until it is answered. While the
breaker of its dependency is open it waits, and that is no attempt. Content that is refused as often as the layout says
goes to the dead letters, and its refusal onto the log: nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streams.breakers import Breaker
from streams.calling import Attempts, Calling, NotAsked, Refused, Unreachable
from streams.codec import Undecodable, decode
from streams.dead_letters import Class, dead_letter
from streams.events import Envelope, Event
from streams.measures import failed
from streams.processor import Batch
from streams.publisher import Publisher
from streams.reader import Raw
from streams.topics import dead_letter_name

__all__ = ["EffectRunner", "NotAsked", "Refused", "Unreachable"]

#: Records of one partition that may be under way: memory, not patience, is what bounds it.
WINDOW = 2_000
#: On a record that was replayed from its dead letters: how often.
REPLAYS = "vacancy-replays"


@dataclass(slots=True)
class _Underway:
    offset: int
    done: bool = False


class EffectRunner:
    """Runs one service's effects.

    `call` makes the call an effect asks for and returns what is to be appended for it, or None if there is nothing;
    it raises `Unreachable` to be called again, and `Refused` if the content is not taken: after `refusals` of them
    `refused` makes the result. `append` returns once a result is on the log. `park` makes the result of a call that
    outlasts `delays`; None is to go on for ever. `breaker` has that of the dependency an effect calls; `asked` says of
    a result whether the dependency was asked for it. Calls of one key wait for each other if `ordered`.
    """

    def __init__(
        self,
        *,
        accepts: tuple[type[Event], ...],
        call: Callable[[Envelope], Awaitable[Envelope | None]],
        append: Callable[[Envelope], Awaitable[None]],
        already_answered: Callable[[int, Envelope], bool],
        commit: Callable[[int, int], None],
        publisher: Publisher,
        group: str,
        delays: tuple[float, ...],
        fail: Callable[[BaseException], object],
        park: Callable[[Envelope, Unreachable], Envelope] | None = None,
        refused: Callable[[Envelope, Refused], Envelope] | None = None,
        refusals: int = 1,
        breaker: Callable[[Envelope], Breaker] | None = None,
        asked: Callable[[Envelope], bool] = lambda result: True,
        ordered: bool = True,
    ) -> None:
        self._accepts = accepts
        self._append = append
        self._already_answered = already_answered
        self._commit = commit
        self._publisher = publisher
        self._group = group
        self._fail = fail
        self._calling = Calling(call, delays, park, refused, refusals, breaker, asked)
        self._ordered = ordered
        self._underway: dict[int, deque[_Underway]] = {}
        self._tails: dict[bytes, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        #: Attempts that ended, by partition: a call that waits to be made again is not stuck.
        self.attempts: Counter[int] = Counter()
        #: There is no room for more. Whatever else its group reads may be held up behind it.
        self.full = False
        self._generation = 0
        self._forgotten = False

    async def apply(self, batch: Batch) -> None:
        """Starts every effect of a batch; returns when they are under way."""
        # Nothing is lost if Faust believes the batch is finished: commits follow the results, not its acknowledgements.
        batch.done()
        if self._forgotten:
            return  # on its way when the partitions were taken: whoever has them next reads it again
        generation = self._generation
        queue = self._underway.setdefault(batch.partition, deque())
        for record in batch.records:
            while len(queue) >= WINDOW:
                self._room.clear()
                self.full = True
                try:
                    await self._room.wait()
                finally:
                    self.full = False
            if generation != self._generation:
                return
            entry = _Underway(record.offset)
            queue.append(entry)
            self._start(batch.partition, record, entry)

    def forget(self) -> None:
        """Drops what is under way: the partitions go to somebody else, who begins at the committed offset."""
        self._forgotten = True
        for task in self._tasks:
            task.cancel()
        self._generation += 1
        self._tails.clear()
        for queue in self._underway.values():
            queue.clear()
        self._underway.clear()
        self._room.set()

    async def resume(self, partitions: set[int]) -> None:
        """Partitions are assigned anew: work begins at what is committed."""
        self._forgotten = False

    def _start(self, partition: int, record: Raw, entry: _Underway) -> None:
        key = record.key or b""
        before = self._tails.get(key) if self._ordered else None
        task = asyncio.create_task(self._run(partition, record, entry, before))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self._ordered:
            return
        self._tails[key] = task
        task.add_done_callback(lambda done: self._tails.pop(key, None) if self._tails.get(key) is done else None)

    async def _run(self, partition: int, record: Raw, entry: _Underway, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._perform(partition, record)
            entry.done = True
            self._advance(partition)
        except Exception as error:
            self._fail(error)

    async def _perform(self, partition: int, record: Raw) -> None:
        try:
            effect = decode(record.value)
        except Undecodable as error:
            await self._bury(record, str(error), "undecodable")
            return
        if not isinstance(effect.data, self._accepts):
            await self._bury(record, f"{effect.event_type} is no effect of this topic", "misplaced")
            return
        # Whoever replays a dead letter wants the call to be made, whatever came of it before.
        replayed = any(name == REPLAYS for name, _ in record.headers)
        if not replayed and self._already_answered(partition, effect):
            return
        outcome = await self._calling.until_over(effect, lambda: self.attempts.update((partition,)))
        if outcome.refusal is not None:
            await self._bury(record, outcome.refusal, "refused", outcome.attempts)
        if outcome.result is not None:
            await self._append(outcome.result)

    async def _bury(self, record: Raw, reason: str, kind: Class, attempts: Attempts | None = None) -> None:
        failed(record.topic, self._group)
        been = attempts or Attempts()
        letter = dead_letter(
            record, reason=reason, kind=kind, group=self._group, attempts=been.made, first=been.first, last=been.last
        )
        await self._publisher.send(dead_letter_name(record.topic), 0, letter)

    def _advance(self, partition: int) -> None:
        queue = self._underway.get(partition)
        last = None
        while queue and queue[0].done:
            last = queue.popleft().offset
        if last is not None:
            self._commit(partition, last + 1)
            self._room.set()
