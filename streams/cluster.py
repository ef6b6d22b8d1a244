"""The embedded cluster: several embedded brokers over DIR/broker-1, DIR/broker-2 ... that are one Kafka together.

What three of them hold is on three disks only if their directories are: on one machine they are there so that one of
them may end, or be replaced, while the others go on. One node is an `EmbeddedBroker` as ever.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from streams import kafka_config, kafka_files, ports
from streams.broker import (
    PORTS,
    BrokerFailed,
    EmbeddedBroker,
    Member,
    choose_ports,
    formatted_with,
    name_of,
    new_cluster_id,
)

#: The heap of one broker, in MiB, by itself and among several.
MEMORY, MEMORY_OF_SEVERAL = 512, 320


@dataclass
class EmbeddedCluster:
    """So many brokers over `data`, numbered from 1; their ports are `port` and those after it where these are free.

    `memory` is the heap of each in MiB.
    """

    data: Path
    nodes: int = 3
    port: int = 9092
    memory: int | None = None
    #: End with the process that started them.
    tied: bool = True
    #: Those that run already, started by another process: the others join them, on the ports they had.
    running: Collection[int] = ()
    _brokers: list[EmbeddedBroker] = field(default_factory=list, init=False)
    _held: list[ports.Held] = field(default_factory=list, init=False)

    @property
    def brokers(self) -> list[EmbeddedBroker]:
        """Its nodes in their order, ports chosen: each may be spawned, awaited and stopped by itself."""
        if not self._brokers:
            self._brokers = self._alone() if self.nodes == 1 else self._together()
        return self._brokers

    @property
    def bootstrap(self) -> str:
        """ "host:port,host:port,host:port", for clients; of one node known once that has been prepared."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    @property
    def started(self) -> dict[int, EmbeddedBroker]:
        """Those of its nodes that are this object's to start and to stop."""
        return {node: broker for node, broker in enumerate(self.brokers, 1) if node not in self.running}

    async def start(self) -> str:
        """Starts all that do not run and waits until each serves; the bootstrap servers. Raises what a broker does."""
        # Here rather than by each of them at once.
        await asyncio.to_thread(lambda: kafka_files.find() or kafka_files.fetch())
        await _all(broker.spawn() for broker in self.started.values())
        await _all(broker.wait_ready() for broker in self.started.values())
        return self.bootstrap

    async def stop(self, within: float = 6.0) -> None:
        """Ends all of them cleanly, after `within` seconds forcibly."""
        await _all(broker.stop(within) for broker in self._brokers)
        for held in self._held:
            held.release()
        self._held, self._brokers = [], []

    def kill(self, node: int) -> None:
        """kill -9 of one."""
        pid = self._node(node).pid
        if pid is None:
            raise BrokerFailed(f"{self._node(node).name} does not run")
        os.kill(pid, signal.SIGKILL)

    async def restart(self, node: int) -> None:
        """Starts one again that ended, and waits until it serves."""
        await self._node(node).start()

    def _node(self, node: int) -> EmbeddedBroker:
        return self.brokers[node - 1]

    def _alone(self) -> list[EmbeddedBroker]:
        return [EmbeddedBroker(self.data, port=self.port, memory=self.memory or MEMORY, tied=self.tied)]

    def _together(self) -> list[EmbeddedBroker]:
        """Which ports each has all have to know, so they are chosen before the first of them starts."""
        directories = {node: self.data / name_of(node) for node in range(1, self.nodes + 1)}
        chosen = {node: self._ports(node, directory) for node, directory in directories.items()}
        controllers = {node: controller for node, (_, controller) in chosen.items()}
        cluster = next(filter(None, map(formatted_with, directories.values())), "") or new_cluster_id()
        memory = self.memory or MEMORY_OF_SEVERAL
        return [
            EmbeddedBroker(
                self.data, port=port, memory=memory, tied=self.tied, member=Member(node, cluster, controllers)
            )
            for node, (port, _) in chosen.items()
        ]

    def _ports(self, node: int, directory: Path) -> tuple[int, int]:
        """A node's port and its controller's."""
        if self.running:
            port, controller = (ports.noted(directory / PORTS, name) for name in ("broker", "controller"))
            if port is None or controller is None:
                raise BrokerFailed(f"{directory / PORTS} does not say where the others look for {directory.name}")
            return port, controller
        held = choose_ports(directory, self.port + node - 1)
        self._held += held
        return held[0].port, held[1].port


def nodes_of(data: Path) -> int:
    """With how many nodes the directory's Kafka was made; 0 while there is none."""
    several = max((kafka_config.nodes_of(path) for path in data.glob(name_of("*"))), default=0)
    return several or int((data / "broker" / kafka_config.LOG_DIRECTORY).is_dir())


async def _all(works: Iterable[Awaitable[object]]) -> None:
    """Raises the first failure once each of them has ended: none goes on unseen."""
    for ended in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
