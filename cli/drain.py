"""`vacancy drain`: until everything that stands on the log now is decided, and every call it asked for is made.

After an unclean stop some records may have been decided and said, and not remembered yet. They are decided again, and
have to be by the code that decided them first (design 5.11): drain with that version, stop it, then start the new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli import instance
from cli.options import DataDirectory
from cli.problem import Problem
from config.layers import load
from streams.admin import admin
from streams.layout import Layout, load_layout
from streams.reader import consumer

_LOOK_EVERY_S, _COORDINATOR_S = 0.3, 30.0
Ends = Mapping[TopicPartition, int]
Timeout = Annotated[float, typer.Option(min=0, help="Give up after so many seconds.")]


def command(data: DataDirectory = None, timeout: Timeout = 600.0) -> None:
    """Wait until all that is on the log now is done. Exit code 1: what is left, when the time was over.

    Example: vacancy drain --data .vacancy && kill -TERM $(cat .vacancy/up.lock)
    """
    settings = instance.joined(load({"data": data}).settings)
    try:
        left = asyncio.run(drain(settings.bootstrap, load_layout(settings), timeout))
    except (KafkaError, OSError, TimeoutError) as error:
        raise Problem(f"Kafka at {settings.bootstrap} does not say what is left: {type(error).__name__}") from None
    for tp, records in sorted(left.items()):
        typer.echo(f"{tp.topic}/{tp.partition}: {records} records are left")
    raise typer.Exit(1 if left else 0)


async def drain(bootstrap: str, layout: Layout, timeout: float) -> dict[TopicPartition, int]:  # noqa: ASYNC109
    """Waits for what is asked of the services, then for what they asked of the outside; how much is left of it."""
    until = time.monotonic() + timeout
    async with admin(bootstrap) as client:
        for groups in (inboxes(layout), effects(layout)):
            if left := await _passed(client, groups, await ends_of(bootstrap, groups.values(), layout), until):
                return left
    return {}


async def undecided(bootstrap: str, layout: Layout) -> dict[TopicPartition, int]:
    """The records of each inbox that no service has made durable."""
    groups = inboxes(layout)
    async with admin(bootstrap) as client:
        return await left_of(client, groups, await ends_of(bootstrap, groups.values(), layout))


def inboxes(layout: Layout) -> dict[str, str]:
    """The inbox each stateful service reads, by its group."""
    return {layout.group(name): layout.services[name].inbox for name in layout.running if name in layout.services}


def effects(layout: Layout) -> dict[str, str]:
    """The topics with calls to the outside, by the group that makes them."""
    services = (layout.services[name] for name in layout.running if name in layout.services)
    return {layout.group(_caller(each.name, layout)): each.effects_topic for each in services if each.effects}


def _caller(service: str, layout: Layout) -> str:
    """Mails are handed over by a group of its own where the layout has one."""
    return "mail" if service == "notification" and "mail" in layout.running else service


async def ends_of(bootstrap: str, topics: Iterable[str], layout: Layout) -> Ends:
    """Where the topics end now."""
    reader = consumer(bootstrap)
    await reader.start()
    try:
        ends: Ends = await reader.end_offsets([TopicPartition(t, n) for t in topics for n in range(layout.partitions)])
        return ends
    finally:
        await reader.stop()


async def left_of(client: AIOKafkaAdminClient, groups: Mapping[str, str], ends: Ends) -> dict[TopicPartition, int]:
    """How many records lie between what each group has committed and these ends."""
    said = await asyncio.gather(*(_committed(client, group) for group in groups))
    committed = dict(zip(groups.values(), said, strict=True))
    left: dict[TopicPartition, int] = {}
    for tp, end in ends.items():
        done = committed[tp.topic].get(tp)
        left[tp] = end - max(done or 0, 0)
    return {tp: records for tp, records in left.items() if records > 0}


async def _committed(client: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """Asked again while Kafka looks for who keeps the group, as just after its start."""
    until = time.monotonic() + _COORDINATOR_S
    while True:
        try:
            return {tp: at.offset for tp, at in (await client.list_consumer_group_offsets(group)).items()}
        except KafkaError as error:
            if not error.retriable or time.monotonic() > until:
                raise
        await asyncio.sleep(_LOOK_EVERY_S)


async def _passed(
    client: AIOKafkaAdminClient, groups: Mapping[str, str], ends: Ends, until: float
) -> dict[TopicPartition, int]:
    """Shows how the rest shrinks; what is left of it at the end."""
    left = await left_of(client, groups, ends)
    total = sum(left.values())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(", ".join(sorted({tp.topic for tp in left})) or "nothing is left", total=total)
        while left and time.monotonic() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
            left = await left_of(client, groups, ends)
            progress.update(task, completed=total - sum(left.values()))
    return left
