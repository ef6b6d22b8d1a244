"""`vacancy broker start|stop|status`: the embedded Kafka by itself, in the background, for whoever wants only that.

`vacancy up` on the same directory uses a broker started so, and leaves it running.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import typer

from cli import instance
from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.problem import Misuse, Problem
from config.layers import load
from config.settings import Settings
from streams.broker import BrokerFailed, EmbeddedBroker, cluster_id
from streams.java import JavaMissing
from streams.kafka_files import KafkaMissing

app = typer.Typer(help="The embedded Kafka by itself.", no_args_is_help=True, add_completion=False)

_STOP_WITHIN = 8.0


@app.command()
def start(data: DataDirectory = None, config: SettingsFile = None) -> None:
    """Starts the broker of a directory in the background and prints where it is.

    Example: vacancy broker start --data .vacancy
    """
    settings = load(given(None, data=data), config).settings
    if (found := asyncio.run(standing(settings.data))) is None:
        found = asyncio.run(_start(settings))
    print(found["url"])


@app.command()
def stop(data: DataDirectory = None, config: SettingsFile = None) -> None:
    """Stops the broker of a directory, cleanly if it can.

    Example: vacancy broker stop --data .vacancy
    """
    directory = load(given(None, data=data), config).settings.data
    if instance.runs(directory):
        raise Misuse(f"`vacancy up` runs on {directory} and would start its broker again: end that instead")
    found = asyncio.run(standing(directory))
    if found is None:
        raise Problem(f"no broker runs in {directory}")
    _end(int(found["pid"]))
    instance.run_file(directory, "broker").unlink(missing_ok=True)


@app.command()
def status(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Says whether the broker of a directory answers; exit code 1 when it does not.

    Example: vacancy broker status --json
    """
    directory = load(given(None, data=data), config).settings.data
    found = asyncio.run(standing(directory))
    if as_json:
        print(json.dumps({"running": found is not None, **(found or {})}))
    else:
        print(f"running at {found['url']} (pid {found['pid']})" if found else f"no broker runs in {directory}")
    if found is None:
        raise typer.Exit(1)


async def standing(directory: Path) -> dict[str, Any] | None:
    """What the broker of a directory said of itself, if it is there and answers."""
    found = instance.part(directory, "broker")
    if found is None or not _lives(int(found["pid"])):
        return None
    answers = await cluster_id(str(found["url"]).removeprefix("kafka://"))
    return found if answers is not None else None


async def _start(settings: Settings) -> dict[str, Any]:
    if instance.runs(settings.data):
        raise Misuse(f"`vacancy up` runs on {settings.data} and has its own broker")
    broker = EmbeddedBroker(settings.data, port=settings.broker_port, memory=settings.broker_memory, tied=False)
    try:
        said = {"url": f"kafka://{await broker.start()}", "pid": broker.pid}
    except (BrokerFailed, JavaMissing, KafkaMissing) as error:
        raise Problem(str(error)) from None
    instance.write_whole(instance.run_file(settings.data, "broker"), said)
    return said


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _STOP_WITHIN
    while _lives(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
