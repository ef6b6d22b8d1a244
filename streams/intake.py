"""Intake: a group reads the documented topics it subscribes, and passes on what concerns its service (design 3).

What it makes of a message goes into the service's inbox under an id that follows from the message, so that one read
twice is known there. Outcomes that this instance did not sign are left to the gate (`streams.foreign`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from streams.codec import Undecodable
from streams.envelope import caused_by, resulting
from streams.events import Envelope, Event
from streams.foreign import FACTS, Seals, sealed
from streams.group import GroupApp, Runtime
from streams.listening import Listener
from streams.processor import Batch
from streams.publisher import Acknowledgement

#: Records passed on before others on the loop get their turn: what nobody waits for must not hold up a booking.
TURN = 32


class Along:
    """Reads along and passes nothing on."""

    def __init__(self, group: GroupApp) -> None:
        self._group = group

    async def apply(self, fetched: Sequence[Batch]) -> None:
        self._group.finished(fetched)


class Intake:
    """Passes a group's batches on. `translate` says what a piece of news means for the service; pure."""

    def __init__(
        self,
        group: GroupApp,
        runtime: Runtime,
        listener: Listener,
        keyring: Seals,
        translate: Callable[[Envelope], Sequence[Event]],
    ) -> None:
        self._group = group
        self._voice = runtime.voice
        self._listener = listener
        self._keyring = keyring
        self._translate = translate
        self._source = f"{group.name}-intake"
        #: Several groups may make a message of the same type of one piece of news: the group is part of its id.
        self._scope = f"{group.name}/"

    async def apply(self, fetched: Sequence[Batch]) -> None:
        """Passes on what was fetched; finished once all that follows is on the log."""
        said: list[Acknowledgement] = []
        records = [record for batch in fetched for record in batch.records]
        for count, record in enumerate(records, start=1):
            heard = self._listener.hear(record)
            try:
                news = heard.news
            except Undecodable:
                continue  # the gate has it
            said += self._pass_on(news) if heard.is_ours else await self._pass_on_foreign(news)
            if count % TURN == 0:
                await asyncio.sleep(0)
        await self._group.finish(fetched, said)

    def _pass_on(self, news: Envelope) -> list[Acknowledgement]:
        return [
            self._voice.say(
                caused_by(news, event, index=index, now=news.timestamp, source=self._source, scope=self._scope)
            )
            for index, event in enumerate(self._translate(news))
        ]

    async def _pass_on_foreign(self, news: Envelope) -> list[Acknowledgement]:
        if not isinstance(news.data, FACTS):
            return []  # an outcome is not theirs to say, and what they ask for is told again once it is decided
        news = await sealed(news, self._keyring)
        # Sealed anew in every attempt: so a fresh id, and the row knows what it tells of by the message's own.
        return [
            self._voice.say(resulting(news, event, now=news.timestamp, source=self._source))
            for event in self._translate(news)
        ]
