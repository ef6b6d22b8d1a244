"""What the embedded broker is told: its properties, its logging, and the command lines that format and run it.

Loopback only, every node a broker and a controller. Paths are relative to the broker's own directory, so that no
directory name needs escaping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from streams.java import Java
from streams.kafka_files import class_path

LOG_DIRECTORY = "data"
#: Where a data directory is formatted before it is renamed: what bears the final name is complete.
UNFORMATTED = "data.new"

_PROPERTIES = """\
# Written anew at every start.
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={log_directory}
auto.create.topics.enable=false
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After kill -9 the controller lets the broker in again only once the old one's session is over: 9 s by default.
# In a cluster it is also how long the partitions it led wait for another leader.
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=300
# An instance that rests for months goes on where it was.
offsets.retention.minutes=5256000
# Changelogs and dead letters allow 4 MiB by their own topic settings.
replica.fetch.max.bytes=5242880
# The default of 128 MiB would be a quarter of the heap.
log.cleaner.dedupe.buffer.size=33554432
"""

#: Of more copies than these nobody is any safer on one machine.
_MOST_COPIES = 3
_VOTERS = re.compile(r"^controller\.quorum\.voters=(.+)$", re.MULTILINE)

_LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=OUT
# Says at every start what it knows from its own tables.
logger.activation.name=org.apache.kafka.controller.QuorumController
logger.activation.level=error
"""


def write(directory: Path, *, node: int, port: int, controllers: Mapping[int, int]) -> None:
    """Writes server.properties, format.properties and log4j2.properties.

    `controllers` has the controller port of every node of the cluster, this one's own among them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    copies = min(len(controllers), _MOST_COPIES)
    known = {
        "node": node,
        "port": port,
        "controller_port": controllers[node],
        "voters": ",".join(f"{each}@127.0.0.1:{at}" for each, at in sorted(controllers.items())),
        "copies": copies,
        # One may be away, and what is acknowledged is still on two.
        "in_sync": max(1, copies - 1),
        # Several on a busy machine miss heartbeats that one alone never does, and each time leaders move.
        "session_ms": 2000 if copies == 1 else 3000,
    }
    for name, log_directory in (("server", LOG_DIRECTORY), ("format", UNFORMATTED)):
        text = _PROPERTIES.format(**known, log_directory=log_directory)
        (directory / f"{name}.properties").write_text(text, "utf-8")
    (directory / "log4j2.properties").write_text(_LOGGING, "utf-8")


def nodes_of(directory: Path) -> int:
    """Of how many nodes the cluster is that this directory was last started in; 0 when it never was."""
    file = directory / "server.properties"
    found = _VOTERS.search(file.read_text("utf-8")) if file.is_file() else None
    return len(found[1].split(",")) if found else 0


def format_command(java: Java, jars: list[Path], cluster_id: str) -> list[str]:
    tool = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", "format.properties"]
    return [*_start(java, jars, "-Xmx128m"), *tool]


def run_command(java: Java, jars: list[Path], *, memory: int, options: list[str]) -> list[str]:
    """`memory` is the heap's limit in MiB."""
    heap = [f"-Xms{memory // 2}m", f"-Xmx{memory}m", "-XX:+ExitOnOutOfMemoryError"]
    return [*_start(java, jars, *heap, *options), "kafka.Kafka", "server.properties"]


def _start(java: Java, jars: list[Path], *options: str) -> list[str]:
    common = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error", "-Djava.awt.headless=true"]
    logging = "-Dlog4j2.configurationFile=log4j2.properties"
    return [str(java.path), *common, *options, logging, "-cp", class_path(jars)]
