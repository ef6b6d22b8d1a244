"""`vacancy broker start|stop|status`: the embedded Kafka by itself, in the background, for whoever wants only that.

`vacancy up` on the same directory uses brokers started so, and leaves them running.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import psutil
import typer

from cli import instance
from cli.brokers import answering, embedded, names_of, nodes_for, running, url_of
from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.problem import Misuse, Problem
from config.layers import load
from config.settings import Settings
from streams.broker import BrokerFailed
from streams.cluster import nodes_of
from streams.java import JavaMissing
from streams.kafka_files import KafkaMissing

app = typer.Typer(help="The embedded Kafka by itself.", no_args_is_help=True, add_completion=False)

#: Several hand over to each other first.
_STOP_WITHIN = 15.0
Nodes = Annotated[int | None, typer.Option(metavar="N", help="Brokers of a new directory: 1, or 3 that are one Kafka.")]


@app.command()
def start(data: DataDirectory = None, nodes: Nodes = None, config: SettingsFile = None) -> None:
    """Starts the brokers of a directory that do not run, in the background, and prints where they are.

    Example: vacancy broker start --nodes 3 --data .vacancy
    """
    settings = load(given(None, data=data, broker_nodes=nodes), config).settings
    print(asyncio.run(_started(settings)))


@app.command()
def stop(data: DataDirectory = None, config: SettingsFile = None) -> None:
    """Stops the brokers of a directory, cleanly if it can.

    Example: vacancy broker stop --data .vacancy
    """
    directory = load(given(None, data=data), config).settings.data
    if instance.runs(directory):
        raise Misuse(f"`vacancy up` runs on {directory} and would start its broker again: end that instead")
    found = running(directory)
    if not found:
        raise Problem(f"no broker runs in {directory}")
    _end([int(said["pid"]) for said in found.values()])
    for name in instance.brokers(directory):
        instance.run_file(directory, name).unlink(missing_ok=True)


@app.command()
def status(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Says whether each broker of a directory answers; exit code 1 when one does not.

    Example: vacancy broker status --json
    """
    directory = load(given(None, data=data), config).settings.data
    found, names = asyncio.run(answering(directory)), names_of(nodes_of(directory) or 1)
    well = all(name in found for name in names)
    if len(names) == 1:
        alone = found.get(names[0])
        said = {"running": well, **(alone or {})}
        lines = [f"running at {alone['url']} (pid {alone['pid']})" if alone else f"no broker runs in {directory}"]
    else:
        nodes = {name: {"running": name in found, **found.get(name, {})} for name in names}
        said = {"running": well, **({"url": url_of(found)} if found else {}), "nodes": nodes}
        lines = [
            f"{name}: running at {found[name]['url']} (pid {found[name]['pid']})"
            if name in found
            else f"{name}: does not answer"
            for name in names
        ]
    print(json.dumps(said) if as_json else "\n".join(lines))
    if not well:
        raise typer.Exit(1)


async def _started(settings: Settings) -> str:
    """Where the brokers are, once each of them runs."""
    found, names = await answering(settings.data), names_of(nodes_for(settings))
    if all(name in found for name in names):
        return url_of(found)
    if instance.runs(settings.data):
        raise Misuse(f"`vacancy up` runs on {settings.data} and has its own broker")
    try:
        cluster = embedded(settings, tied=False, running=found)
        try:
            await cluster.start()
        except BaseException:
            await cluster.stop()
            raise
    except (BrokerFailed, JavaMissing, KafkaMissing) as error:
        raise Problem(str(error)) from None
    for broker in cluster.started.values():
        said = {"url": f"kafka://{broker.bootstrap}", "pid": broker.pid}
        instance.write_whole(instance.run_file(settings.data, broker.name), said)
    return f"kafka://{cluster.bootstrap}"


def _end(pids: list[int]) -> None:
    """All at once: each of several waits for the others' leave."""
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    for process in processes:
        process.terminate()
    _, left = psutil.wait_procs(processes, timeout=_STOP_WITHIN)
    for process in left:
        process.kill()
    psutil.wait_procs(left)
