"""What is compared: how each system is started, what it promises, and what the topics between its hops are called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import NewTopic

import bench
from bench.micro import envelopes, foreign
from bench.micro.check import Said, said
from bench.micro.load import PARTITIONS

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a system, and where it reads and writes."""

    name: str
    bootstrap: str
    source: str
    middle: str
    output: str
    group: str
    directory: Path

    @property
    def arguments(self) -> list[str]:
        return [self.bootstrap, self.name, self.source, self.middle, self.output, str(self.directory)]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Templates of names know `{run}`, those of the middle and the group also `{source}` and `{middle}`."""

    name: str
    guarantee: str
    command: Callable[[], Sequence[str | Path]]
    arguments: tuple[str, ...] = ()
    middle: str
    group: str
    output: str = "{run}-answers"
    #: Its input where it is not the shared one.
    source: str = ""
    #: Beside the input, the middle and the output.
    topics: Callable[[str], list[NewTopic]] = lambda run: []
    read: Callable[[bytes], Said] = said
    #: Whether it is measured on as many events as a minute allows.
    slow: bool = False
    #: Events a second at which its latency is measured; 0 where it is not.
    paced: int = 5_000
    #: Whether it runs in our own interpreter.
    ours: bool = True
    #: Whether answers become readable together with everything else that a system keeps.
    atomic: bool = False
    #: Whether its input is the product's own messages; there a repeated booking is answered once.
    enveloped: bool = False
    does_more: str = ""

    def run(self, name: str, bootstrap: str, source: str, directory: Path) -> Run:
        own = self.source.format(run=name) or source
        middle = self.middle.format(run=name, source=own)
        group = self.group.format(run=name, middle=middle)
        return Run(name, bootstrap, own, middle, self.output.format(run=name), group, directory)


def compacted(name: str) -> NewTopic:
    """A changelog that a system does not make itself."""
    return NewTopic(name, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact", "max.message.bytes": "4194304"})


def _ours(module: str) -> Callable[[], Sequence[str | Path]]:
    return lambda: [sys.executable, "-m", f"bench.micro.peers.{module}"]


def environment() -> dict[str, str]:
    """For peers in our own interpreter: where this package lies."""
    return {"PYTHONPATH": str(Path(bench.__file__).resolve().parent.parent)}


def _quix(guarantee: str) -> System:
    return System(
        name=f"quix-{guarantee}",
        guarantee=guarantee.replace("-", " "),
        command=foreign.quix,
        arguments=(guarantee,),
        ours=False,
        atomic=guarantee == "exactly-once",
        middle="repartition__{run}--{source}--resource",
        group="{run}",
    )


def _kafka_streams(guarantee: str, setting: str) -> System:
    return System(
        name=f"kafka-streams-{guarantee}",
        guarantee=guarantee.replace("-", " "),
        command=foreign.kafka_streams,
        arguments=(setting,),
        ours=False,
        atomic=guarantee == "exactly-once",
        middle="{run}-resource-repartition",
        group="{run}",
    )


SYSTEMS = (
    System(
        name="vacancy",
        guarantee="effectively once",
        command=_ours("vacancy"),
        middle="vacancy.{run}.micro.inbox",
        group="{run}.vacancy-micro",
        topics=lambda run: [compacted(f"vacancy.{run}.micro.rows")],
    ),
    System(
        name="vacancy-availability",
        guarantee="effectively once",
        command=_ours("availability"),
        source="{run}.booking.booking.created",
        middle="vacancy.{run}.availability.inbox",
        output="vacancy.{run}.booking.inbox",
        group="{run}.vacancy-availability",
        topics=envelopes.topics,
        read=envelopes.said,
        enveloped=True,
        slow=True,
        paced=0,
        does_more=(
            "the product's availability service: canonical envelopes, validated on reading, with derived ids and the "
            "chain of causes; the signature of every input checked and of every news made; a row for each night and "
            "one for each hold; and of every accepted booking a second output, what is left of its night"
        ),
    ),
    _quix("exactly-once"),
    _quix("at-least-once"),
    _kafka_streams("exactly-once", "exactly_once_v2"),
    _kafka_streams("at-least-once", "at_least_once"),
    System(
        name="plain",
        guarantee="none: its rows are never restored",
        command=_ours("plain"),
        middle="{run}-by-resource",
        group="{run}-{middle}",
        topics=lambda run: [compacted(f"{run}-rows")],
    ),
    System(
        name="faust",
        guarantee="at least once",
        command=_ours("stock_faust"),
        middle="{run}-by-resource",
        group="{run}",
        topics=lambda run: [compacted(f"{run}-rows-changelog")],
        slow=True,
        paced=1_000,
    ),
)
