"""`vacancy receipts render`: every receipt that nobody has read yet, made by the gateway and put into the storage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec
import orjson
import typer
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.storage import Storage, StorageUnavailable, receipt_name, storage_of
from cli import instance
from cli.client import GatewayClient, Refused, Unreachable, open_session
from cli.instance import Instance
from cli.options import AsJson, RunningDirectory, SettingsFile, given
from cli.problem import Problem
from config.layers import load
from config.settings import Settings
from streams.layout import load_layout
from streams.reader import consumer, read_to_end
from streams.services import RECEIPT

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="The receipts of payments.")
_ROW = b"q|"
#: Asked for at a time: the gateway makes one after the other, and serves others meanwhile.
_AT_ONCE = 4


class Told(msgspec.Struct, frozen=True):
    """Of a receipt's row: what it is asked for by, and what it is stored under."""

    receipt_id: str
    payment_id: str
    user_id: str

    @property
    def name(self) -> str:
        return receipt_name(self.user_id, self.receipt_id)


class Rendered(msgspec.Struct, frozen=True):
    """What came of a run: receipts there are, those made by it, and those that are not stored even now."""

    receipts: int
    rendered: int
    missing: int


@app.callback()
def _receipts() -> None:
    """A group, of however many commands."""


@app.command("render")
def command(data: RunningDirectory = Path(".vacancy"), config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Make and store the receipts that are not stored yet; exit 1 where one is not stored even then.

    Example: vacancy receipts render --data .vacancy
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot do, it raises
    target = instance.find(data)
    settings = instance.joined(load(given(None, data=data), config).settings)
    storage = storage_of(settings.data / "receipts", settings.receipts_store, settings.receipts_endpoint)
    try:
        found = asyncio.run(_run(target, settings, storage))
    except KafkaError as error:
        raise Problem(f"Kafka at {settings.broker} does not answer ({type(error).__name__}): is it running?") from None
    except StorageUnavailable as error:
        where = settings.receipts_store or settings.data / "receipts"
        raise Problem(f"nothing can be kept at {where} ({error}): check receipts_store and its credentials") from None
    if as_json:
        print(orjson.dumps(msgspec.structs.asdict(found)).decode())
    else:
        print(f"{found.receipts} receipts, {found.rendered} rendered now, {found.missing} not stored")
    raise typer.Exit(1 if found.missing else 0)


async def _run(target: Instance, settings: Settings, storage: Storage) -> Rendered:
    return await render(target, await _told(settings), storage)


async def render(target: Instance, told: Iterable[Told], storage: Storage) -> Rendered:
    """Asks the gateway for every receipt that is not stored. Raises Problem where it does not answer."""
    wanted = {each.name: each for each in told}
    missing = await _missing(wanted, storage)
    with _progress() as bar:
        task = bar.add_task("rendering", total=len(missing))
        async with open_session() as session:
            client = GatewayClient(session, target.url, target.api_key)
            turns = asyncio.Semaphore(_AT_ONCE)

            async def ask(one: Told) -> None:
                async with turns:
                    await client.look(f"/api/payments/{one.payment_id}/receipt")
                    bar.advance(task)

            try:
                async with asyncio.TaskGroup() as asking:
                    for name in missing:
                        asking.create_task(ask(wanted[name]))
            except* (Unreachable, Refused) as errors:
                raise Problem(f"{target.url}: {errors.exceptions[0]}; run it again, it goes on from there") from None
    left = await _missing(missing, storage) if missing else []
    return Rendered(len(wanted), len(missing) - len(left), len(left))


async def _missing(names: Iterable[str], storage: Storage) -> list[str]:
    there = {name async for name in storage.names()}
    return [name for name in names if name not in there]


async def _told(settings: Settings) -> list[Told]:
    """Every receipt there is, from the rows of the receipt service. Raises KafkaError; Problem where none is given."""
    layout = load_layout(settings)
    if RECEIPT.name not in layout.running:
        raise Problem(f"the layout {layout.name} has no receipts")
    partitions = [TopicPartition(layout.services[RECEIPT.name].rows, number) for number in range(layout.partitions)]
    reader, found = consumer(settings.bootstrap), {}
    await reader.start()
    try:
        reader.assign(partitions)
        await reader.seek_to_beginning(*partitions)
        async for _, records in read_to_end(reader, partitions):
            for record in records:
                if record.key is not None and record.key.startswith(_ROW) and record.value is not None:
                    found[record.key] = msgspec.json.decode(record.value, type=Told)
    finally:
        await reader.stop()
    return list(found.values())


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
