"""`vacancy bridge`: what one layout's topics say, carried to the topics of another layout."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli import instance
from cli.loop import run
from cli.options import AsJson, given
from cli.present import check_present
from cli.problem import Misuse, Problem
from config import secrets
from config.layers import load
from config.logging import configure
from config.secrets import Secrets
from config.settings import Settings
from streams.bridge import Bridge, Side
from streams.broker import cluster_id
from streams.carrying import Carrier, Tally
from streams.compacted import Compacted
from streams.ending import end_process
from streams.events.control import UserKeyAdded
from streams.keyring import Keyring
from streams.layout import load_layout
from streams.publisher import KafkaPublisher
from streams.topics import dead_letter_name
from streams.wire import Reveal


@dataclass(frozen=True)
class End:
    """One side as the command line names it; its secrets where its directory was given."""

    side: Side
    settings: Settings
    secrets: Secrets | None

    @property
    def bootstrap(self) -> str:
        return self.settings.bootstrap


def command(
    source: Annotated[str, typer.Option("--from", metavar="LAYOUT", help="The layout that is read.")],
    target: Annotated[str, typer.Option("--to", metavar="LAYOUT", help="The layout that is written.")],
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT to read from; else the instance's.")] = None,
    to_broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT to write to; else the same.")] = None,
    namespace: Annotated[str | None, typer.Option(help="The namespace that is read.")] = None,
    to_namespace: Annotated[str | None, typer.Option(help="The namespace that is written.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Directory of the instance that is read: its guests are shown by name then.")
    ] = None,
    to_data: Annotated[Path | None, typer.Option(help="Directory of the instance that is written to.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Another consumer group: where one source is carried to two such targets.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End where the topics end now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carries every piece of public news to another layout's topics, under the same ids, until Ctrl-C. Nothing comes
    back that came from there. Stopped, it goes on where it was. Without --data nothing personal is shown.

    Example: vacancy bridge --from catalogue --to hotel --to-namespace berlin --data .vacancy
    """
    begin = _end(source, data, broker, namespace)
    if to_data is None:  # what is set for the instance here says nothing of one elsewhere
        to_broker, to_namespace = to_broker or begin.settings.broker, to_namespace or ""
    end = _end(target, to_data, to_broker, to_namespace)
    configure("bridge", begin.settings.log_level)
    name = group or f"vacancy-bridge-{begin.side.label}-{end.side.label}"
    tally = run(_carry(begin, end, name, once))
    counts = asdict(tally)
    print(json.dumps(counts) if as_json else _said(tally))


def _end(layout: str, data: Path | None, broker: str | None, namespace: str | None) -> End:
    settings = instance.joined(load(given(None, layout=layout, data=data, broker=broker, namespace=namespace)).settings)
    if data is not None:
        instance.claim_layout(data, layout, settings.namespace)
    return End(Side(load_layout(settings)), settings, _secrets(settings) if data is not None else None)


def _secrets(settings: Settings) -> Secrets:
    if settings.secret is None and not (settings.data / secrets.FILE_NAME).is_file():
        raise Misuse(f"{settings.data}: has no {secrets.FILE_NAME}, so it is no instance's directory")
    return Secrets.of(settings)


async def _carry(begin: End, end: End, group: str, once: bool) -> Tally:
    clusters = [await _cluster(each.bootstrap) for each in (begin, end)]
    same_cluster = clusters[0] == clusters[1]
    if same_cluster and begin.side.name == end.side.name:
        raise Misuse("--to: the same layout in the same namespace of the same cluster: there is nowhere to carry to")
    read = {topic.name for topic in begin.side.layout.public}
    letters = {dead_letter_name(name) for name in read}
    await _check(begin, read | letters, "is it the layout and namespace of what runs there?")
    await _check(end, {topic.name for topic in end.side.layout.public}, f"create them: {_apply_hint(end)}")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with _keyring(begin) as keyring, _publishing(begin) as back, _publishing(end) as there:
            bridge = Bridge(
                begin.side,
                end.side,
                reveal=_reveal(keyring),
                same_secret=_same_secret(begin, end),
                same_cluster=same_cluster,
            )
            prepare = keyring.caught_up if keyring is not None else None
            carrier = Carrier(bridge, group, there=there, back=back, prepare=prepare)
            if not once:
                print(
                    f"vacancy: carrying {begin.side.name} to {end.side.name} until Ctrl-C", file=sys.stderr, flush=True
                )
            with _progress() as bar:
                task = bar.add_task(_said(carrier.tally), total=None)
                await carrier.run(
                    begin.bootstrap, stop, once=once, shown=lambda tally: bar.update(task, description=_said(tally))
                )
            return carrier.tally
    except (KafkaError, TimeoutError) as error:
        raise Problem(f"Kafka failed ({type(error).__name__}: {error}); started again, it goes on from there") from None


async def _cluster(bootstrap: str) -> str:
    found = await cluster_id(bootstrap)
    if found is None:
        raise Problem(f"no broker answers at {bootstrap}: start it, or name another with --broker and --to-broker")
    return found


async def _check(end: End, names: Collection[str], advice: str) -> None:
    await check_present(end.bootstrap, end.side.layout, end.settings.environment, names, advice)


def _apply_hint(end: End) -> str:
    layout = end.side.layout
    where = f"VACANCY_NAMESPACE={layout.namespace} " if layout.namespace else ""
    return f"`{where}vacancy topics apply --layout {layout.name} --broker kafka://{end.bootstrap}`"


@asynccontextmanager
async def _keyring(begin: End) -> AsyncIterator[Keyring | None]:
    if begin.secrets is None:
        yield None
        return
    keys = Compacted(begin.bootstrap, begin.side.layout.user_keys, UserKeyAdded, end_process)
    keyring = Keyring(begin.secrets.secret, keys)
    await keyring.start()
    try:
        yield keyring
    finally:
        await keyring.stop()


@asynccontextmanager
async def _publishing(end: End) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(end.bootstrap)
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


def _reveal(keyring: Keyring | None) -> Reveal | None:
    return keyring.reveal if keyring is not None else None


def _same_secret(begin: End, end: End) -> bool:
    return begin.secrets is not None and end.secrets is not None and begin.secrets.secret == end.secrets.secret


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _said(tally: Tally) -> str:
    return f"carried {tally.carried:,}, there already {tally.home:,}, dead letters {tally.dead:,}"
