"""Messages of other programs on documented topics: what they may ask for, and what is theirs to say (design 3)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from streams.codec import Undecodable
from streams.dead_letters import Class, dead_letter
from streams.envelope import resulting
from streams.events import Envelope, Event
from streams.events.booking_news import BookingCancelled, BookingCreated, BookingUpdated
from streams.events.records import RecordNews
from streams.events.users import UserNews
from streams.group import GroupApp, Runtime
from streams.listening import Heard, Listener
from streams.measures import failed
from streams.phones import usable_phone
from streams.processor import Batch
from streams.publisher import Acknowledgement
from streams.reader import Raw
from streams.replays import for_group, replays_topic
from streams.topics import dead_letter_name

#: What another program may write; everything else on a documented topic is an outcome, and ours to say.
REQUESTS = (BookingCreated, BookingUpdated, BookingCancelled, UserNews, RecordNews)
#: Of these, what they announce to the world themselves: it is not said again by us.
FACTS = (BookingCreated, UserNews, RecordNews)


class Seals(Protocol):
    """What reading other programs' messages needs of the keyring."""

    async def seal(self, user_id: str, text: str) -> str: ...


class Refused(Exception):
    """A request of another program that cannot be taken as it is. The text says why."""


async def sealed(news: Envelope, keyring: Seals) -> Envelope:
    """The message with its personal data sealed, as everything inside is. What it says is sealed already is not
    believed: only we seal, and what looks sealed may be clear text.
    """
    event, text = news.data, ""
    if news.personal:
        said = json.dumps(dict(news.personal), ensure_ascii=False)
        text = await keyring.seal(str(getattr(event, "user_id", "")), said)
    about = getattr(event, "about", None)
    if isinstance(event, RecordNews):
        data: Event = msgspec.structs.replace(event, content=text)
    elif isinstance(event, UserNews):
        data = msgspec.structs.replace(event, personal=text)
    elif about is not None:
        phone = usable_phone(news.personal.get("phone")) is not None
        data = msgspec.structs.replace(event, about=msgspec.structs.replace(about, guest=text or None, phone=phone))
    else:
        data = event
    return msgspec.structs.replace(news, data=data, personal={})


class Gate:
    """Lets requests of other programs in, and buries what is not theirs to say. Ours pass unread.

    `clean` takes out of a request what must not come in; `admit` makes of it what goes into an inbox, and may raise
    `Refused`.
    """

    def __init__(
        self,
        group: GroupApp,
        runtime: Runtime,
        listener: Listener,
        keyring: Seals,
        clean: Callable[[Envelope], Envelope],
        admit: Callable[[Envelope], Awaitable[Sequence[Event]]],
    ) -> None:
        self._group = group
        self._runtime = runtime
        self._name = runtime.layout.group(group.name)
        self._replays = replays_topic(runtime.layout).name
        self._listener = listener
        self._keyring = keyring
        self._clean = clean
        self._admit = admit

    async def apply(self, fetched: Sequence[Batch]) -> None:
        """Looks at what was fetched; finished once everything that follows from it is on the log."""
        said: list[Acknowledgement] = []
        for record in [record for batch in fetched for record in batch.records]:
            if record.topic == self._replays:
                said += await self._look_again(record)
                continue
            heard = self._listener.hear(record)
            if not heard.is_ours:
                said += await self._look_at(record, heard, record.topic)
        await self._group.finish(fetched, said)

    async def _look_again(self, record: Raw) -> list[Acknowledgement]:
        """A dead letter that is replayed to this group is judged as it was on its own topic."""
        again = for_group(record, self._name, self._runtime.layout)
        if again is None:
            return []
        heard = self._listener.afresh(again)
        # What is ours was never buried here, and is said: nothing follows from it.
        return [] if heard.is_ours else await self._look_at(record, heard, again.topic)

    async def _look_at(self, record: Raw, heard: Heard, home: str) -> list[Acknowledgement]:
        """Its letter names the record itself, and lies with those of the topic it is at home on."""
        try:
            news = heard.news
        except Undecodable as error:
            return [self._bury(record, home, str(error), "undecodable")]
        if not isinstance(news.data, REQUESTS):
            reason = f"{news.event_type} is an outcome, which only this instance says"
            return [self._bury(record, home, reason, "not-ours")]
        try:
            asked = await self._admit(await sealed(self._clean(news), self._keyring))
        except Refused as error:
            return [self._bury(record, home, str(error), "refused")]
        return [
            self._runtime.voice.say(resulting(news, event, now=news.timestamp, source="foreign")) for event in asked
        ]

    def _bury(self, record: Raw, home: str, reason: str, kind: Class) -> Acknowledgement:
        failed(home, self._name)
        letter = dead_letter(record, reason=reason, kind=kind, group=self._name)
        return self._runtime.publisher.send(dead_letter_name(home), 0, letter)
