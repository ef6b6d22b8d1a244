"""`vacancy up`: a whole instance from one command, kept running until Ctrl-C.

Checks what can be checked before anything starts, and turns signals into an orderly end; the rest is `cli.bring_up`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cli import instance
from cli.bring_up import BringUp, plainly
from cli.options import SettingsFile, Several, given
from cli.problem import Misuse
from config.layers import load
from config.logging import configure
from config.settings import Settings
from streams import kafka_files, ports
from streams.layout import load_layout

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    layout: Annotated[str | None, typer.Option(help="Whose topics and events; catalogue by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of everything the instance keeps.")] = None,
    port: Annotated[int | None, typer.Option(help="The gateway's port; 0 for any free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    broker: Annotated[str | None, typer.Option(help="An existing Kafka: kafka://HOST:PORT.")] = None,
    demo: Annotated[float | None, typer.Option(metavar="RATE", help="Demo bookings per second, once ready.")] = None,
    config: SettingsFile = None,
    settings: Several = None,
) -> None:
    """Starts a whole instance and keeps it running until Ctrl-C.

    Example: vacancy up --data .vacancy --port 8080 --workers 2 --demo 20
    """
    if demo is not None and not 0 < demo <= 10_000:
        raise Misuse("--demo: should be more than 0 and at most 10000 bookings per second")
    command_line = given(settings, layout=layout, data=data, port=port, workers=workers, broker=broker)
    effective = load(command_line, config).settings
    load_layout(effective)  # what it refuses is said before anything starts
    run(effective, demo)


def run(settings: Settings, demo: float | None = None) -> None:
    """Runs an instance until a signal ends it; raises Problem when it cannot be brought up or a part is given up."""
    configure("up", settings.log_level)
    # While a broker starts, its clients complain of what is being waited for.
    logging.getLogger("aiokafka").setLevel(logging.DEBUG if settings.log_level == "debug" else logging.CRITICAL)
    with instance.alone(settings.data), _public_port(settings) as port:
        instance.claim_layout(settings.data, settings.layout, settings.namespace)
        settings = settings.model_copy(update={"port": port})
        _end_quietly_on_signals()
        if settings.broker is None and kafka_files.find() is None:
            # Here rather than later: this is the one long step, and a signal can end it here.
            with plainly():
                kafka_files.fetch()
        asyncio.run(_until_told(settings, demo))


async def _until_told(settings: Settings, demo: float | None) -> None:
    told = asyncio.Event()
    instance_up = BringUp(settings, demo)
    loop = asyncio.get_running_loop()
    for number in _handled():
        # Again while it stops: whoever presses twice does not want to wait.
        loop.add_signal_handler(number, lambda: instance_up.kill() if told.is_set() else told.set())
    tasks = [asyncio.create_task(work) for work in (instance_up.run(), instance_up.failure(), told.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await instance_up.stop()
        for number in _handled():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
    for task in done:
        task.result()


@contextmanager
def _public_port(settings: Settings) -> Iterator[int]:
    """The one port others know: taken means a question to the user, where an inner part would take another."""
    if settings.port == 0:
        held = ports.choose(settings.data / "run" / "ports.json", "gateway")
        yield held.port
        held.release()
        return
    if not ports.is_free(settings.port, settings.host):
        raise Misuse(f"port {settings.port} is taken by another program: end that one, or choose with --port")
    yield settings.port


def _end_quietly_on_signals() -> None:
    for number in _handled():
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _handled() -> list[signal.Signals]:
    """What ends us; not what whoever started us wants ignored (nohup)."""
    return [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
