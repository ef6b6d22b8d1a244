"""The embedded broker: a real Apache Kafka on loopback, run as a child of this process, its data kept in DIR/broker.

It is formatted once, keeps its cluster id and its ports, and starts again after any kind of end. Several make a
cluster: `streams.cluster`.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams import java, kafka_config, kafka_files, ports
from streams.child import Child, last_lines, spawn
from streams.class_archive import ClassArchive

#: Which ports a broker has, in its directory.
PORTS = "ports.json"
_PATIENCE = 90.0
_POLL = 0.05
_ASK = 5.0


class BrokerFailed(RuntimeError):
    """The broker did not start; one line, with the last of its log."""


@dataclass(frozen=True)
class Member:
    """A broker's place among several, as they settled it together."""

    node: int
    cluster_id: str
    #: The controller port of every node, by its number.
    controllers: Mapping[int, int]


@dataclass
class EmbeddedBroker:
    """One broker over `data`. Its port is `port` when that is free; `memory` is its heap in MiB.

    A member of a cluster has its ports from there.
    """

    data: Path
    port: int = 9092
    memory: int = 512
    #: Ends with the process that started it; `vacancy broker start` is the one that does not want that.
    tied: bool = True
    member: Member | None = None
    _java: java.Java | None = field(default=None, init=False)
    _jars: list[Path] = field(default_factory=list, init=False)
    _archive: ClassArchive | None = field(default=None, init=False)
    _child: Child | None = field(default=None, init=False)
    _ports: list[ports.Held] = field(default_factory=list, init=False)
    _settled: bool = field(default=False, init=False)

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @property
    def bootstrap(self) -> str:
        """ "host:port", for clients; known once prepared, and the same after every restart."""
        return f"127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return "broker" if self.member is None else name_of(self.member.node)

    @property
    def log(self) -> Path:
        return self.data / "log" / f"{self.name}.log"

    @property
    def directory(self) -> Path:
        return self.data / self.name

    @property
    def cluster_id(self) -> str:
        """The id its data was formatted with; empty while it is not."""
        return formatted_with(self.directory)

    async def start(self) -> str:
        """Starts it and waits until it serves; the bootstrap servers. BrokerFailed, JavaMissing, KafkaMissing."""
        await self.spawn()
        await self.wait_ready()
        return self.bootstrap

    async def spawn(self) -> Child:
        """Starts it and does not wait. The first time files are fetched, ports chosen, data formatted."""
        if self._child is not None:
            # One that was killed just now still has its port and its lock.
            await self._child.exited()
        if self._java is None:
            self._java = await asyncio.to_thread(java.find)
            self._jars = await asyncio.to_thread(lambda: kafka_files.find() or kafka_files.fetch())
        if not self._settled:
            self._configure()
        if not (self.directory / kafka_config.LOG_DIRECTORY).is_dir():
            await asyncio.to_thread(self._format, self._java)
        self._archive = ClassArchive.of(self._java)
        options = self._archive.options()
        command = kafka_config.run_command(self._java, self._jars, memory=self.memory, options=options)
        self._child = spawn(command, log=self.log, directory=self.directory, tied=self.tied)
        return self._child

    async def wait_ready(self) -> None:
        """Returns once it answers for its cluster; raises BrokerFailed when it ended or takes over 90 s."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await self._serves():  # noqa: ASYNC110  # another process cannot set our event
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise BrokerFailed(f"{self._kafka} was not ready within {_PATIENCE:.0f} s; its log is {self.log}") from None
        self._settled = True

    async def stop(self, within: float = 6.0) -> None:
        """Ends it cleanly, after `within` seconds forcibly."""
        if self._child is not None and self._archive is not None:
            self._archive.settle(clean=await self._child.stop(within))
        self._release_ports()
        self._settled = False

    def _configure(self) -> None:
        if self.member is not None:
            node, controllers = self.member.node, self.member.controllers
        else:
            node, controllers = 1, {1: self._choose_ports()}
        kafka_config.write(self.directory, node=node, port=self.port, controllers=controllers)

    def _choose_ports(self) -> int:
        """The controller's. Clients know the port once it has served: it is chosen again only while it never has."""
        self._release_ports()
        self._ports = choose_ports(self.directory, self.port)
        self.port, controller_port = (held.port for held in self._ports)
        return controller_port

    def _release_ports(self) -> None:
        for held in self._ports:
            held.release()
        self._ports = []

    def _format(self, found: java.Java) -> None:
        """Done beside and renamed, so that a format that was interrupted is simply done again."""
        beside = self.directory / kafka_config.UNFORMATTED
        shutil.rmtree(beside, ignore_errors=True)
        cluster = self.member.cluster_id if self.member is not None else new_cluster_id()
        command = kafka_config.format_command(found, self._jars, cluster)
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise BrokerFailed(f"Kafka could not format {self.directory}: {' '.join(done.stderr.split())[-400:]}")
        beside.rename(self.directory / kafka_config.LOG_DIRECTORY)

    async def _serves(self) -> bool:
        """Asks for the cluster's metadata: an open port is not yet a broker that answers, nor always ours."""
        if self._child is None or not self._child.alive:
            raise BrokerFailed(f"{self._kafka} ended while starting: {_reason(self.log)}; its log is {self.log}")
        return await _port_is_open(self.port) and await cluster_id(self.bootstrap) == self.cluster_id

    @property
    def _kafka(self) -> str:
        """What it is called when it fails."""
        return "Kafka" if self.member is None else f"{self.name} of Kafka"


async def cluster_id(bootstrap: str) -> str | None:
    """The id of the cluster that answers there, itself counted in; None while none does."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(_ASK * 1000))
    try:
        await client.start()
        cluster = await client.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await client.close()
    return str(cluster["cluster_id"]) if cluster["brokers"] else None


def name_of(node: int | str) -> str:
    """What a member of a cluster is called, and its directory; of "*" a pattern for all of them."""
    return f"broker-{node}"


def formatted_with(directory: Path) -> str:
    """The cluster id that a broker's directory was formatted with; empty while it is not."""
    file = directory / kafka_config.LOG_DIRECTORY / "meta.properties"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("cluster.id")), "")


def choose_ports(directory: Path, preferred: int) -> list[ports.Held]:
    """The broker's port and the controller's: those it had before, where they are free."""
    noted = directory / PORTS
    return [ports.choose(noted, "broker", preferred), ports.choose(noted, "controller")]


def _reason(log: Path) -> str:
    """The last complaint in a log, without Java's list of calls."""
    complaints = [line.strip() for line in last_lines(log, 40) if not line.startswith("\tat ")]
    return next((line[:400] for line in reversed(complaints) if line), "it said nothing")


async def _port_is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def new_cluster_id() -> str:
    """As Kafka writes them: 16 random bytes in URL-safe base64, never with a dash in front."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text
