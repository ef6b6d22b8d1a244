"""The embedded brokers of a directory: how many it has, which of them run, and where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import psutil

from cli import instance
from cli.problem import Misuse, Problem
from config.settings import Settings
from streams.broker import cluster_id, name_of
from streams.cluster import EmbeddedCluster, nodes_of


def embedded(settings: Settings, *, tied: bool = True, running: Collection[str] = ()) -> EmbeddedCluster:
    """The brokers that a directory has or is to have, none of them started; those of `running` run already."""
    nodes = nodes_for(settings)
    return EmbeddedCluster(
        settings.data,
        nodes,
        port=settings.broker_port,
        memory=settings.broker_memory,
        tied=tied,
        running=[node for node in range(1, nodes + 1) if name_of(node) in running],
    )


def nodes_for(settings: Settings) -> int:
    """How many brokers: as many as the directory was made with, if it was. Misuse when others are asked for."""
    made = nodes_of(settings.data)
    if made and made != settings.broker_nodes and "broker_nodes" in settings.model_fields_set:
        raise Misuse(
            f"the Kafka in {settings.data} was made with {made} broker{'s' * (made > 1)}, not {settings.broker_nodes}: "
            "topics would not get or lose copies; use that number or another --data DIR"
        )
    return made or settings.broker_nodes


def names_of(nodes: int) -> list[str]:
    """What so many brokers are called."""
    return ["broker"] if nodes == 1 else [name_of(node) for node in range(1, nodes + 1)]


def running(directory: Path) -> dict[str, dict[str, Any]]:
    """What the brokers of a directory said of themselves, of those whose process lives."""
    said = instance.brokers(directory)
    return {name: each for name, each in said.items() if _is_ours(int(each["pid"]), directory / name)}


async def answering(directory: Path) -> dict[str, dict[str, Any]]:
    """The same of those that also answer."""
    said = running(directory)
    answers = await asyncio.gather(*(cluster_id(_server(each)) for each in said.values()))
    return {name: each for (name, each), answer in zip(said.items(), answers, strict=True) if answer is not None}


async def standing(directory: Path) -> str | None:
    """Where the brokers of a directory are, if enough of them answer; None when none does.

    Raises:
        Problem: some do, and can neither be used nor have others started beside them by an instance.
    """
    found, nodes = await answering(directory), nodes_of(directory) or 1
    if not found:
        return None
    if 2 * len(found) <= nodes:
        away = ", ".join(name for name in names_of(nodes) if name not in found)
        raise Problem(f"{away} of {directory} do not answer: `vacancy broker start --data {directory}` starts them")
    return url_of(found)


def url_of(said: dict[str, dict[str, Any]]) -> str:
    """All of them as one address."""
    return f"kafka://{','.join(_server(each) for each in said.values())}"


def _server(said: dict[str, Any]) -> str:
    return str(said["url"]).removeprefix("kafka://")


def _is_ours(pid: int, directory: Path) -> bool:
    """Whether it is that broker still: after a restart of the machine the number may be somebody else's."""
    try:
        return Path(psutil.Process(pid).cwd()) == directory.resolve()
    except psutil.Error:
        return False
