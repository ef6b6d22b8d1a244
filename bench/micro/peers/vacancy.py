"""Vacancy's processor on this pipeline's own small messages: a Faust App with two agents, as a service of ours has.

The first agent passes a booking on as it came, under its resource's key; the second decides in the product's
`Processor`, in this pipeline's language, on its rows, with its settler, changelog and publisher. Left out is what the
platform's envelope costs (identity, causation, signature): `availability.py` beside this has it. Settings are the
product's defaults.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import faust
import msgspec

from bench.micro.decision import CAPACITY
from bench.micro.load import PARTITIONS
from cli.loop import settle_memory
from cli.worker import new_loop
from config.settings import Settings
from streams.app import ServiceApp, service_app
from streams.deciding import Language, Poison
from streams.group import Runtime, batches, fetches
from streams.keys import partition_of
from streams.layout import load_layout
from streams.processor import Batch
from streams.publisher import Acknowledgement, KafkaPublisher, Record
from streams.reader import Raw
from streams.services import Service
from streams.topics import Topic
from streams.working import WorkingRows


class Asked(msgspec.Struct, frozen=True):
    booking_id: str
    provider_id: str
    product_id: str
    slot: str
    quantity: int
    sent: float

    @property
    def resource(self) -> str:
        return f"{self.provider_id}/{self.product_id}"


class Answer(msgspec.Struct, frozen=True):
    booking_id: str
    resource: str
    slot: str
    outcome: str
    left: int
    sent: float


class Place(msgspec.Struct, frozen=True):
    """All of a booking that the first hop looks at."""

    provider_id: str
    product_id: str


class Night(msgspec.Struct, frozen=True):
    held: int = 0
    bookings: dict[str, int] = {}


_asked = msgspec.json.Decoder(Asked).decode
_place = msgspec.json.Decoder(Place).decode
_encode = msgspec.json.Encoder().encode


class Nights:
    """The table: the decision on a row of the processor's."""

    def apply(self, rows: WorkingRows, message: Any, now: datetime, offset: int) -> Sequence[Any]:
        resource = message.resource
        key = f"{resource}|{message.slot}"
        night = rows.get(key, Night) or Night()
        outcome, left = "accepted", CAPACITY - night.held - message.quantity
        if message.booking_id in night.bookings:
            left = night.bookings[message.booking_id]
        elif left < 0:
            outcome, left = "refused", CAPACITY - night.held
        else:
            rows.put(key, Night(night.held + message.quantity, {**night.bookings, message.booking_id: left}))
        return (Answer(message.booking_id, resource, message.slot, outcome, left, message.sent),)

    def refuse(self, rows: WorkingRows, message: Any, now: datetime, offset: int, reason: str) -> None:
        """A row of eight bookings always fits."""


class Voice:
    """Answers go to one topic, under their resource's key."""

    def __init__(self, publisher: KafkaPublisher, output: str) -> None:
        self._publisher = publisher
        self._output = output

    def say(self, answer: Answer) -> Acknowledgement:
        key = answer.resource
        record = Record(key.encode(), _encode(answer))
        return self._publisher.send(self._output, partition_of(key, PARTITIONS), record)

    def lacks(self, event: object) -> bool:
        return False

    async def catch_up(self) -> None: ...


def read(record: Raw) -> Any:
    try:
        asked = _asked(record.value or b"")
    except msgspec.DecodeError as error:
        raise Poison("undecodable", str(error)) from None
    if partition_of(asked.resource, PARTITIONS) != record.partition:
        raise Poison("misplaced", f"{asked.resource} belongs in another partition")
    return asked


async def build(bootstrap: str, run: str, source: str, middle: str, output: str, directory: str) -> faust.App:
    layout = load_layout(Settings(namespace=run, layout="catalogue"))
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    voice: Any = Voice(publisher, output)
    runtime = Runtime(bootstrap, layout, Path(directory), 0, Settings().session_timeout, publisher, voice)
    service = Service("micro", "resource", (), namespace=run)
    assert service.inbox == middle
    built = service_app(service, Nights(), runtime, Language(read, lambda asked, answer, index, now: answer))
    attach(built, publisher, Topic(source, PARTITIONS))
    return built.app


def attach(micro: ServiceApp, publisher: KafkaPublisher, source: Topic) -> None:
    """Attaches both hops, as `agents` does."""

    @micro.app.agent(micro.topic(micro.service.inbox), name="decide")
    async def decide(stream: Any) -> None:
        async for batch in batches(stream):
            await micro.decide(batch)

    @micro.app.agent(micro.topics([source]), name="by-resource")
    async def by_resource(stream: Any) -> None:
        async for fetched in fetches(stream):
            await micro.guarded(pass_on(fetched))

    async def pass_on(fetched: Sequence[Batch]) -> None:
        inbox, said = micro.service.inbox, dict[Acknowledgement, None]()
        for record in [record for batch in fetched for record in batch.records]:
            place = _place(record.value or b"")
            key = f"{place.provider_id}/{place.product_id}"
            said[publisher.send(inbox, partition_of(key, PARTITIONS), Record(key.encode(), record.value))] = None
        await micro.finish(fetched, said)


def main() -> None:
    loop = new_loop()
    asyncio.set_event_loop(loop)
    app = loop.run_until_complete(build(*sys.argv[1:7]))
    settle_memory()
    worker = faust.Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
