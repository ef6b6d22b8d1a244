"""The desk where dead letters are answered: found, edited, replayed, dropped, and every action written down.

What is done comes first, its entry on `vacancy.dead-letters` after. A crash in between leaves the letter open, so it is
replayed once more, which is harmless (design 5.5); the other way round it would look replayed and be lost. Nothing
replays by itself, and the count of replays travels with the record, so that none goes round for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from streams.codec import Undecodable, decode, encode
from streams.dead_letters import Letter, edited_copy, letter_of
from streams.envelope import originate
from streams.events.control import DeadLetterHandled, LetterAction
from streams.layout import Layout
from streams.letters import Filter, Standing, Status, place_of
from streams.publisher import Record
from streams.reader import Raw
from streams.replays import Replay, Unreplayable, replay_of
from streams.services import internal_name
from streams.topics import dead_letter_name

#: Letters answered together, where no rate is asked for.
_TOGETHER = 100
_DEAD = ".dlq"


class LetterLog(Protocol):
    """Where letters lie (`streams.letter_log.KafkaLetters`). Both raise LogUnavailable."""

    def read(self, begins: Mapping[str, int]) -> AsyncGenerator[Raw, None]: ...
    async def append(self, records: Sequence[Replay]) -> list[int]: ...


class Found(NamedTuple):
    """A letter and how it stands, and whether it is one of those that were asked for."""

    letter: Letter
    status: Status
    wanted: bool = True


class Outcome(NamedTuple):
    """What came of asking for one letter; why nothing, where it was refused."""

    letter: Letter
    refused: str | None = None


class Desk:
    """All dead letters of one instance. What was done is remembered here and read on, so that asking again is cheap."""

    def __init__(
        self, log: LetterLog, layout: Layout, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._log = log
        self._layout = layout
        self._clock = clock
        self._entries = internal_name("dead-letters", layout.namespace)
        self._standing = Standing()
        self._counts: Counter[tuple[str, str]] = Counter()
        #: The next record to be taken of the entries, and to be counted of each topic's letters.
        self._next = 0
        self._counted: dict[str, int] = {}
        self._catching_up = asyncio.Lock()

    @property
    def topics(self) -> list[str]:
        """The topics that have letters, in the order they are listed in."""
        names = (topic.name for topic in self._layout.all_topics)
        return sorted(name.removesuffix(_DEAD) for name in names if name.endswith(_DEAD))

    async def catch_up(self) -> None:
        """Reads what was done meanwhile, here or elsewhere."""
        async with self._catching_up, aclosing(self._log.read({self._entries: self._next})) as records:
            async for record in records:
                self._take(record)

    async def look_through(self, wanted: Filter, after: tuple[str, int] | None = None) -> AsyncGenerator[Found, None]:
        """Every letter after a place, by topic and offset, wanted or not: who asks may stop anywhere."""
        await self.catch_up()
        begins = {topic: 0 for topic in self.topics if wanted.topic in (None, topic)}
        if after is not None:
            begins = {topic: after[1] + 1 if topic == after[0] else 0 for topic in begins if topic >= after[0]}
        async with aclosing(self._log.read(_of_letters(begins))) as records:
            async for record in records:
                letter = letter_of(record)
                status = self._standing.status(letter)
                yield Found(letter, status, wanted.covers(letter, status))

    async def get(self, letter_id: str) -> Found | None:
        """The letter of that id; None where there is none."""
        place = place_of(letter_id)
        if place is None or place[0] not in self.topics:
            return None
        await self.catch_up()
        async with aclosing(self._log.read(_of_letters({place[0]: place[1]}))) as records:
            async for record in records:
                letter = letter_of(record)
                return Found(letter, self._standing.status(letter)) if letter.id == letter_id else None
        return None

    async def counts(self, most: int) -> tuple[Counter[tuple[str, str]], bool]:
        """How many letters each (topic, class) has, and whether all are counted: at most so many are at one time."""
        seen, begins = 0, {topic: self._counted.get(topic, 0) for topic in self.topics}
        async with self._catching_up, aclosing(self._log.read(_of_letters(begins))) as records:
            async for record in records:
                letter = letter_of(record)
                self._counts[letter.topic, letter.kind] += 1
                self._counted[letter.topic] = letter.offset + 1
                seen += 1
                if seen >= most:
                    return self._counts.copy(), False
        return self._counts.copy(), True

    def handled_letters(self) -> Collection[str]:
        """The ids of the letters that something was done to, as far as is known here."""
        return self._standing.done.keys()

    def handled(self) -> Counter[tuple[str, str]]:
        """How many of them something was done to."""
        return Counter((letter.rpartition("/")[0], done.kind) for letter, done in self._standing.done.items())

    def objection(self, letter: Letter, action: LetterAction, *, force: bool) -> str | None:
        """Why an action would be refused; None where it would not."""
        standing = self._standing
        # A quarantined letter is there to be edited or dropped.
        blocked = action == "replayed" or standing.status(letter) != "quarantined"
        if not force and blocked and (why := standing.objection(letter)) is not None:
            return why
        if action == "replayed":
            try:
                replay_of(letter, self._layout, 1)
            except Unreplayable as error:
                return str(error)
        return None

    async def answer(
        self,
        letters: AsyncIterator[Letter],
        action: LetterAction,
        *,
        by: str,
        note: str = "",
        force: bool = False,
        rate: float | None = None,
    ) -> AsyncGenerator[Outcome, None]:
        """Replays or drops letters, at most `rate` in a second; each is told of once it is done and written down."""
        together = _TOGETHER if rate is None else max(1, min(_TOGETHER, int(rate)))
        loop, done = asyncio.get_running_loop(), 0
        began = loop.time()
        chosen: list[Letter] = []
        async for letter in letters:
            why = self.objection(letter, action, force=force)
            if why is not None:
                yield Outcome(letter, why)
                continue
            chosen.append(letter)
            if len(chosen) >= together:
                for each in await self._do(chosen, action, by, note):
                    yield each
                done += len(chosen)
                chosen = []
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + done / rate - loop.time()))
        for each in await self._do(chosen, action, by, note):
            yield each

    async def edit(self, letter: Letter, value: bytes, *, by: str, note: str = "") -> str:
        """Appends a copy with another value, open as any letter is; returns its id."""
        [offset] = await self._log.append([Replay(dead_letter_name(letter.topic), 0, edited_copy(letter, value))])
        copy = f"{letter.topic}/{offset}"
        await self._write_down([self._entry(letter, "edited", by, note, self._standing.replays(letter), copy)])
        return copy

    async def history(self) -> AsyncGenerator[DeadLetterHandled, None]:
        """Everything that was ever done, in its order."""
        async with aclosing(self._log.read({self._entries: 0})) as records:
            async for record in records:
                if (event := _entry_of(record)) is not None:
                    yield event

    async def _do(self, letters: Sequence[Letter], action: LetterAction, by: str, note: str) -> list[Outcome]:
        if not letters:
            return []
        counts = [self._standing.replays(letter) + (action == "replayed") for letter in letters]
        if action == "replayed":
            pairs = zip(letters, counts, strict=True)
            await self._log.append([replay_of(letter, self._layout, count) for letter, count in pairs])
        pairs = zip(letters, counts, strict=True)
        await self._write_down([self._entry(letter, action, by, note, count) for letter, count in pairs])
        return [Outcome(letter) for letter in letters]

    def _entry(
        self, letter: Letter, action: LetterAction, by: str, note: str, replays: int, copy: str | None = None
    ) -> DeadLetterHandled:
        return DeadLetterHandled(
            letter=letter.id,
            action=action,
            kind=letter.kind,
            by=by,
            at=self._clock(),
            note=note,
            replays=replays,
            copy=copy,
        )

    async def _write_down(self, entries: Sequence[DeadLetterHandled]) -> None:
        said = [originate(entry, source="dead-letters", now=entry.at) for entry in entries]
        records = [Record(entry.letter.encode(), encode(each)) for entry, each in zip(entries, said, strict=True)]
        await self._log.append([Replay(self._entries, 0, record) for record in records])
        for entry in entries:
            self._standing.take(entry)

    def _take(self, record: Raw) -> None:
        self._next = record.offset + 1
        if (event := _entry_of(record)) is not None:
            self._standing.take(event)


def _of_letters(begins: Mapping[str, int]) -> dict[str, int]:
    return {dead_letter_name(topic): begin for topic, begin in begins.items()}


def _entry_of(record: Raw) -> DeadLetterHandled | None:
    try:
        event = decode(record.value).data
    except Undecodable:
        return None
    return event if isinstance(event, DeadLetterHandled) else None
