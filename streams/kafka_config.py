"""What the embedded broker is told: its properties, its logging, and the command lines that format and run it.

One node, loopback only. Paths are relative to the broker's own directory, so that no directory name needs escaping.
"""

from __future__ import annotations

from pathlib import Path

from streams.java import Java
from streams.kafka_files import class_path

LOG_DIRECTORY = "data"
#: Where a data directory is formatted before it is renamed: what bears the final name is complete.
UNFORMATTED = "data.new"

_PROPERTIES = """\
# Written anew at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={log_directory}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After kill -9 the controller lets the broker in again only once the old one's session is over: 9 s by default.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
# An instance that rests for months goes on where it was.
offsets.retention.minutes=5256000
# Changelogs and dead letters allow 4 MiB by their own topic settings.
replica.fetch.max.bytes=5242880
# The default of 128 MiB would be a quarter of the heap.
log.cleaner.dedupe.buffer.size=33554432
"""

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


def write(directory: Path, *, port: int, controller_port: int) -> None:
    """Writes server.properties, format.properties and log4j2.properties."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, log_directory in (("server", LOG_DIRECTORY), ("format", UNFORMATTED)):
        text = _PROPERTIES.format(port=port, controller_port=controller_port, log_directory=log_directory)
        (directory / f"{name}.properties").write_text(text, "utf-8")
    (directory / "log4j2.properties").write_text(_LOGGING, "utf-8")


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
