"""What the tests of a layout see of its instance: the public interface, and the topics as any other program does."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer

from streams.reader import Raw
from tests.layouts.broker import OnBroker, topics_of
from tests.whole.api import Answer, Api, eventually

Body = dict[str, Any]
#: A header as another program writes one.
Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Said:
    """A message on a documented topic."""

    topic: str
    key: str
    body: Body
    headers: Mapping[str, bytes]
    record: Raw


class World(Api):
    """One instance. Topics are read with as many partitions as the broker says."""

    def __init__(self, session: aiohttp.ClientSession, bootstrap: str, data: Path) -> None:
        super().__init__(session, bootstrap)
        self.data = data
        self._topics: dict[str, OnBroker] = {}

    async def said(self, *topics: str) -> list[Said]:
        """Everything on these topics that is a JSON object, in the order of each partition."""
        found = [record for topic in topics for record in await self.all_of(topic)]
        return [each for each in map(_said, found) if each is not None]

    async def of(self, field: str, value: str, *topics: str) -> list[Body]:
        """The messages with that value in that field, or in an object of theirs."""
        return [each.body for each in await self.said(*topics) if _has(each.body, field, value)]

    async def all_of(self, topic: str) -> list[Raw]:
        return await self.records(topic, await self._partitions(topic))

    async def heard(self, event_type: str, booking_id: str) -> list[Body]:
        """The data of news of a booking that the document has no topic for."""
        found = await self.said("vacancy.events")
        return [
            each.body["data"]
            for each in found
            if each.body.get("event_type") == event_type and each.body["data"].get("booking_id") == booking_id
        ]

    async def tell(self, topic: str, value: Body | bytes, key: str | None = None, headers: Headers = ()) -> None:
        """What a program of somebody else writes: a plain producer, its own partitioner, no headers unless given."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            raw = value if isinstance(value, bytes) else json_of(value)
            await producer.send_and_wait(topic, raw, key=key.encode() if key else None, headers=list(headers))
        finally:
            await producer.stop()

    async def letters(self, topic: str) -> list[tuple[str, bytes]]:
        """Class and content of a topic's dead letters."""
        found = await self.records(f"{topic}.dlq", 1)
        return [(dict(each.headers)["vacancy-dlq-class"].decode(), each.value or b"") for each in found]

    async def buried(self, topic: str, value: bytes, *, as_: str) -> None:
        """Waits until these bytes are a dead letter of that class."""
        await eventually(lambda: self._is_buried(topic, value, as_))

    async def _is_buried(self, topic: str, value: bytes, kind: str) -> bool:
        return (kind, value) in await self.letters(topic)

    async def get(self, path: str) -> Body:
        """A body that is there. Raises AssertionError for anything but 200."""
        answer = await self.call("GET", path)
        assert answer.status == 200, answer
        found: Body = answer.body
        return found

    async def put(self, path: str, body: Body) -> None:
        answer = await self.call("PUT", path, body)
        assert answer.status == 200, answer

    async def post(self, path: str, body: Body, **headers: str) -> Body:
        """The body of a 200, 201 or 202."""
        answer = await self.call("POST", path, body, **headers)
        assert answer.status in (200, 201, 202), answer
        found: Body = answer.body
        return found

    async def patch(self, path: str, body: Body) -> Body:
        answer = await self.call("PATCH", path, body)
        assert answer.status in (200, 202), answer
        found: Body = answer.body
        return found

    async def ended(self, path: str, booking_id: str, *statuses: str) -> Body:
        """The booking once it is there and no more PENDING, or has one of these statuses."""

        async def there() -> Body | None:
            answer = await self.call("GET", f"{path}/{booking_id}?wait=2")
            if answer.status != 200:
                return None
            done = answer.body["status"] in statuses if statuses else answer.body["status"] != "PENDING"
            return dict(answer.body) if done else None

        found: Body = await eventually(there, 30)
        return found

    async def mails(self, to: str, *subjects: str) -> list[str]:
        """The subjects of the mails to an address, once those that begin like these are among them."""

        async def arrived() -> list[str] | None:
            answer = await self.call("GET", f"/dev/inbox?limit=500&to={to}")
            found = [mail["subject"] for mail in answer.body]
            missing = [each for each in subjects if not any(subject.startswith(each) for subject in found)]
            return None if missing else found or [""]

        found: list[str] = await eventually(arrived)
        return found

    async def told_in_app(self, user_id: str, *templates: str) -> list[str]:
        """The templates of a user's notices in the app, once these are among them."""

        async def arrived() -> list[str] | None:
            answer = await self.get(f"/api/users/{user_id}/notifications")
            found = [notice["template"] for notice in answer["notifications"]]
            return found if set(templates) <= set(found) else None

        found: list[str] = await eventually(arrived)
        return found

    async def race(self, path: str, ask: Callable[[], Awaitable[Answer]]) -> Counter[tuple[str, str | None]]:
        """A hundred at once want the same; how many came to which end."""
        answers = await asyncio.gather(*(ask() for _ in range(100)))
        assert {answer.status for answer in answers} == {201}, answers[0]
        ends = await asyncio.gather(*(self.ended(path, answer.body["booking_id"]) for answer in answers))
        return Counter((end["status"], end.get("status_reason", end.get("reason"))) for end in ends)

    async def _partitions(self, topic: str) -> int:
        if not self._topics:
            self._topics = await topics_of(self.bootstrap)
        return self._topics[topic].partitions


def json_of(body: Body) -> bytes:
    """A message as another program writes it."""
    return json.dumps(body).encode()


def _said(record: Raw) -> Said | None:
    try:
        body = json.loads(record.value or b"")
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    return Said(record.topic, (record.key or b"").decode(), body, dict(record.headers), record)


def _has(body: Body, field: str, value: str) -> bool:
    return body.get(field) == value or any(each.get(field) == value for each in body.values() if isinstance(each, dict))


#: Of a hundred, one has what there is one of.
ONE_OF_A_HUNDRED = Counter({("CONFIRMED", None): 1, ("REJECTED", "sold_out"): 99})
