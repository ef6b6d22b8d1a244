"""`vacancy replay`: a service's rows rebuilt from its inbox into a directory, and compared with the live ones."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli import instance
from cli.compose import STATEFUL
from cli.loop import run
from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.present import check_present
from cli.problem import Misuse, Problem
from cli.replay_report import Report, as_json_object, print_report
from config.directories import private
from config.layers import load
from config.logging import configure
from config.settings import Settings
from streams.broker import cluster_id
from streams.deciding import Decider
from streams.layout import Layout, load_layout
from streams.local import LocalRows
from streams.reader import consumer
from streams.rebuild import Comparison, Extent, Rebuild, compare, extents, read_extents, read_live
from streams.rows import Partition
from streams.services import Service


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed: from an offset of every partition or a time, until a time or the end."""

    layout: Layout
    service: Service
    since: int | datetime
    until: datetime | None
    into: Path
    diff: bool


def command(
    service: Annotated[str, typer.Option(help="The service whose inbox is read.")],
    since: Annotated[
        str, typer.Option("--from", metavar="OFFSET|TIME", help="0 for everything; a time without a zone is UTC.")
    ],
    into: Annotated[Path, typer.Option(help="An empty or absent directory for the rows.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Leaves out records from this time on.")] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare with the live rows; exit code 1 if they differ.")
    ] = False,
    data: DataDirectory = None,
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT instead of the instance's.")] = None,
    layout: Annotated[str | None, typer.Option(help="The layout of the instance.")] = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Decides a service's inbox again, from the log alone, into rows under DIR/SERVICE/PARTITION. Nothing is published,
    charged or mailed. With --diff every partition ends where the live rows stand.

    Example: vacancy replay --service booking --from 0 --into /tmp/rebuilt --diff
    """
    settings = instance.joined(load(given(None, data=data, broker=broker, layout=layout), config).settings)
    configure("replay", settings.log_level)
    found = load_layout(settings)
    asked = _asked(found, service, since, until, into, diff)
    began = time.monotonic()
    report = run(_replay(settings, asked))
    report.seconds = round(time.monotonic() - began, 2)
    if as_json:
        print(json.dumps(as_json_object(report)))
    else:
        print_report(report)
    if report.comparison is not None and report.comparison.differences:
        raise typer.Exit(1)


def _asked(layout: Layout, service: str, since: str, until: str | None, into: Path, diff: bool) -> Asked:
    names = [name for name in layout.running if name in STATEFUL]
    if service not in names:
        raise Misuse(f"--service: no service {service!r} has an inbox here; there are: {', '.join(names)}")
    begin = int(since) if since.isdecimal() else _time("--from", since, "an offset or a time")
    end = _time("--until", until, "a time") if until is not None else None
    if isinstance(begin, datetime) and end is not None and end <= begin:
        raise Misuse("--until: should be after --from")
    if diff and begin != 0:
        raise Misuse("--diff: needs --from 0: rows that lack what came before differ anyway")
    _check_empty(into)
    return Asked(layout, layout.services[service], begin, end, into, diff)


def _time(option: str, text: str, wanted: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(f"{option}: {text!r} is not {wanted} like 2026-03-01T12:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _check_empty(into: Path) -> None:
    try:
        if next(private(into).iterdir(), None) is not None:
            raise Misuse(f"--into: {into} is not empty: rebuilt rows belong in a directory of their own")
    except OSError as error:
        raise Misuse(f"--into: {into}: {error.strerror}") from None


async def _replay(settings: Settings, asked: Asked) -> Report:
    if await cluster_id(settings.bootstrap) is None:
        raise Problem(
            f"no broker answers at {settings.bootstrap}: start it with `vacancy broker start --data {settings.data}` "
            "or `vacancy up`"
        )
    topics = {asked.service.inbox, *([asked.service.rows] if asked.diff else ())}
    advice = "is it the instance's broker, and the layout and namespace right?"
    try:
        await check_present(settings.bootstrap, asked.layout, settings.environment, topics, advice)
        inbox = _partitions(asked, asked.service.inbox)
        changelog = _partitions(asked, asked.service.rows) if asked.diff else []
        async with _reading(settings.bootstrap, [*inbox, *changelog]) as reader:
            with ExitStack() as opened:
                return await _rebuilt(reader, asked, inbox, opened)
    except KafkaError as error:
        raise Problem(f"reading {asked.service.inbox} failed: {type(error).__name__}: {error}") from None
    except OSError as error:
        raise Problem(f"{asked.into}: {error.strerror or error}") from None


@asynccontextmanager
async def _reading(bootstrap: str, partitions: list[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    reader = consumer(bootstrap)
    await reader.start()
    # Once for all: one that never had an assignment raises when it is stopped, and one that was assigned anew and is
    # stopped soon after may never end.
    reader.assign(partitions)
    try:
        yield reader
    finally:
        await reader.stop()


def _partitions(asked: Asked, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(asked.layout.partitions)]


async def _rebuilt(reader: AIOKafkaConsumer, asked: Asked, inbox: list[TopicPartition], opened: ExitStack) -> Report:
    live = await _live(reader, asked, opened) if asked.diff else {}
    wanted = await extents(reader, inbox, asked.since, asked.until)
    partial = any(extent.start > 0 for extent in wanted.values())
    if asked.diff and partial:
        raise Problem(f"{asked.service.inbox} no longer has its first records: nothing to compare whole rows with")
    for number, partition in live.items():
        wanted[inbox[number]] = _upto(wanted[inbox[number]], partition.position)
    decider = Decider(asked.service, STATEFUL[asked.service.name][0](asked.layout), asked.layout.partitions)
    directory = asked.into / asked.service.name
    rebuilds = {tp: Rebuild(decider, directory / str(tp.partition)) for tp in inbox}
    for rebuild in rebuilds.values():
        opened.callback(rebuild.local.close)
    with _progress() as bar:
        task = bar.add_task(asked.service.name, total=max(1, sum(extent.records for extent in wanted.values())))
        await _decide_all(reader, wanted, rebuilds, bar, task)
    report = _report(asked, wanted, rebuilds, partial)
    if asked.diff:
        report.comparison = Comparison()
        for number, partition in live.items():
            rebuild, through = rebuilds[inbox[number]], wanted[inbox[number]].end - 1
            report.comparison.add(compare(rebuild.local, partition, through))
            report.undecided += wanted[inbox[number]].log_end - 1 - partition.position
    return report


async def _live(reader: AIOKafkaConsumer, asked: Asked, opened: ExitStack) -> dict[int, Partition]:
    """The live rows by partition, as a worker would restore them now."""
    changelog = _partitions(asked, asked.service.rows)
    kept = Path(opened.enter_context(TemporaryDirectory(dir=asked.into, prefix="live-")))
    rows = {tp: Partition(tp.partition, LocalRows(kept / str(tp.partition))) for tp in changelog}
    for partition in rows.values():
        opened.callback(partition.close)
    await read_live(reader, rows)
    return {tp.partition: partition for tp, partition in rows.items()}


def _upto(extent: Extent, position: int) -> Extent:
    return Extent(extent.start, max(extent.start, min(extent.end, position + 1)), extent.log_end)


async def _decide_all(
    reader: AIOKafkaConsumer,
    wanted: Mapping[TopicPartition, Extent],
    rebuilds: Mapping[TopicPartition, Rebuild],
    bar: Progress,
    task: TaskID,
) -> None:
    async for tp, records in read_extents(reader, wanted):
        rebuilds[tp].take(records)
        bar.advance(task, len(records))


def _report(
    asked: Asked, wanted: Mapping[TopicPartition, Extent], rebuilds: Mapping[TopicPartition, Rebuild], partial: bool
) -> Report:
    report = Report(asked.service.name, str(asked.into), partial=partial)
    report.first = {tp.partition: extent.start for tp, extent in wanted.items()}
    for rebuild in rebuilds.values():
        report.decided += rebuild.decided
        report.rows += sum(1 for _ in rebuild.local.keys())  # noqa: SIM118
        for kind, count in rebuild.dead.items():
            report.dead[kind] = report.dead.get(kind, 0) + count
    report.records = report.decided + sum(report.dead.values())
    return report


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
