"""`vacancy projections run|status|rebuild|check`: the SQL tables that follow the rows of an instance."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import psutil
import typer
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import instance
from cli.loop import run as run_loop
from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.problem import Misuse, Problem
from cli.projecting import PART, opened, until_signalled
from config.layers import load
from config.logging import configure
from config.settings import Settings
from projections.checking import compare, take
from projections.database import DOWN, reason
from projections.follower import Follower, Source
from projections.store import Store, WrongCluster
from streams.following import stopped
from streams.reader import consumer

app = typer.Typer(
    help="The SQL tables that follow the rows of an instance.", no_args_is_help=True, add_completion=False
)

#: How much less of a busy processor than others this process gets (nice).
_YIELDS = 10
_POLL_S = 0.3
_SHOWN = 20
_T = TypeVar("_T")
Service = Annotated[str | None, typer.Option(help="Only the tables of this service.")]


@app.command()
def run(data: DataDirectory = None, config: SettingsFile = None) -> None:
    """Keeps the tables up with the log, until Ctrl-C; `vacancy up` does this by itself.

    Example: vacancy projections run --data .vacancy
    """
    settings = _settings(data, config)
    configure(PART, settings.log_level)
    os.nice(_YIELDS)  # nobody waits for it
    _done(until_signalled(settings))


@app.command()
def status(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """How far behind the log the tables are. Exit 1 while a table is not complete.

    Example: vacancy projections status --data .vacancy --json
    """
    rows = _done(_status(_settings(data, config)))
    if as_json:
        print(json.dumps(rows))
    else:
        for row in rows:
            missing = "" if row["whole"] else "  being filled"
            print(
                f"{row['topic']:32} {row['next']:>10} of {row['end']:<10} lag {row['lag']:<8} {row['as_of']}{missing}"
            )
    raise typer.Exit(0 if all(row["whole"] for row in rows) else 1)


@app.command()
def rebuild(data: DataDirectory = None, service: Service = None, config: SettingsFile = None) -> None:
    """Empties the tables and fills them from the log again; readers are refused until they are complete.

    Example: vacancy projections rebuild --data .vacancy --service booking
    """
    _done(_rebuild(_settings(data, config), service))


@app.command()
def check(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Compares every row of every table with the log. Exit 1 where one differs.

    Example: vacancy projections check --data .vacancy
    """
    found = _done(_check(_settings(data, config)))
    if as_json:
        print(json.dumps({"checked": found.checked, "differences": found.differences}))
    else:
        for table, key, what in found.differences[:_SHOWN]:
            print(f"{table}: {key} {what}")
        print(f"{found.checked} rows compared, {len(found.differences)} differ")
    raise typer.Exit(1 if found.differences else 0)


def _settings(data: Any, config: Any) -> Settings:
    return instance.joined(load(given(None, data=data), config).settings)


def _done(work: Coroutine[object, object, _T]) -> _T:
    try:
        return run_loop(work)
    except WrongCluster as error:
        raise Problem(str(error)) from None
    except KafkaError as error:
        raise Problem(f"Kafka does not answer ({type(error).__name__}): is it running?") from None
    except DOWN as error:
        raise Problem(f"the projections' database does not answer: {reason(error)}") from None


async def _ends(source: Source) -> dict[TopicPartition, int]:
    """Where the changelogs end now."""
    reader = consumer(source.bootstrap)
    await reader.start()
    try:
        everything = range(source.layout.partitions)
        partitions = [TopicPartition(topic, number) for topic in source.topics for number in everything]
        reader.assign(partitions)
        return dict(await reader.end_offsets(partitions))
    finally:
        await stopped(reader)


async def _status(settings: Settings) -> list[dict[str, Any]]:
    async with opened(settings) as (source, database):
        await database.migrate()
        known, ends = await Store(database).watermarks(), await _ends(source)
    found = []
    for topic in source.topics:
        mine = {tp: end for tp, end in ends.items() if tp.topic == topic}
        marks = [known[tp] for tp in mine if tp in known]
        shown = sum(mark.next for mark in marks)
        times = [mark.as_of for mark in marks if mark.as_of is not None]
        found.append(
            {
                "topic": topic,
                "next": shown,
                "end": sum(mine.values()),
                "lag": max(sum(mine.values()) - shown, 0),
                "as_of": min(times).isoformat() if times else None,
                "whole": len(marks) == len(mine) and all(mark.whole for mark in marks),
            }
        )
    return found


async def _rebuild(settings: Settings, service: str | None) -> None:
    async with opened(settings) as (source, database):
        wanted = {topic: name for topic, name in source.topics.items() if service in (None, name)}
        if not wanted:
            raise Misuse(f"--service {service}: should be one of {', '.join(source.topics.values())}")
        await database.migrate()
        store, ends = Store(database), await _ends(source)
        if service is None:
            await store.disown()
        await store.claim(source.cluster_id, source.layout.namespace)
        for topic, name in wanted.items():
            mine = {tp: end for tp, end in ends.items() if tp.topic == topic}
            await store.reset(name, mine, table_wide=True)
        helper = None if _runs(settings) else asyncio.create_task(Follower(source, database).run())
        try:
            await _shown(store, {tp: end for tp, end in ends.items() if tp.topic in wanted}, helper)
        finally:
            if helper is not None:
                helper.cancel()
                await asyncio.wait({helper})


def _runs(settings: Settings) -> bool:
    """Whether a process keeps the tables, which fills them again."""
    pid = (instance.part(settings.data, PART) or {}).get("pid")
    return pid is not None and psutil.pid_exists(pid)


async def _shown(store: Store, ends: dict[TopicPartition, int], helper: asyncio.Task[None] | None) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("filling", total=sum(ends.values()))
        while True:
            known = await store.watermarks()
            bar.update(task, completed=sum(min(known[tp].next, end) for tp, end in ends.items() if tp in known))
            if all(tp in known and known[tp].next >= end for tp, end in ends.items()):
                break
            if helper is not None and helper.done():
                helper.result()
            await asyncio.sleep(_POLL_S)
    print(f"the tables are complete again, from {sum(ends.values())} offsets of {len(ends)} partitions")


async def _check(settings: Settings) -> Any:
    async with opened(settings) as (source, database):
        await database.migrate()
        return await compare(source.bootstrap, await take(database, source.topics), source.topics)
