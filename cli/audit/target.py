"""What is audited: the broker of a running instance, or the embedded one of a stopped one, started for the audit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cli import instance
from cli.audit.broker import CannotAuditError
from streams.broker import BrokerFailed
from streams.cluster import EmbeddedCluster, nodes_of
from streams.java import JavaMissing
from streams.kafka_files import KafkaMissing


@dataclass(frozen=True)
class Target:
    """Where the log is, when the audit of a running instance began, in ms (None for a stopped one), and the layout that
    the instance notes, if it does.
    """

    bootstrap: str
    started: int | None
    layout: str | None = None


@contextlib.asynccontextmanager
async def target_of(data: Path, broker: str | None) -> AsyncIterator[Target]:
    """The instance of a directory, its broker running for as long as it is looked at.

    Raises CannotAuditError when there is nothing to audit.
    """
    noted = _noted(data, "vacancy.json")
    layout = noted.get("layout") or _noted(data, "instance.json").get("layout")
    named = str(layout) if layout else None
    bootstrap = broker.removeprefix("kafka://") if broker else str(noted.get("bootstrap_servers") or "")
    if bootstrap and await _answers(bootstrap):
        yield Target(bootstrap, round(time.time() * 1000) if _runs(noted) else None, named)
    elif broker:
        raise CannotAuditError(f"no broker answers at {broker}")
    elif not nodes_of(data):
        raise CannotAuditError(f"no instance in {data}: name one with --data DIR, or its broker with --broker")
    else:
        with instance.alone(data):
            async with _embedded(data) as bootstrap:
                yield Target(bootstrap, None, named)


@contextlib.asynccontextmanager
async def _embedded(data: Path) -> AsyncIterator[str]:
    """Only here does the auditor use a part of the platform: somebody has to start the broker."""
    cluster = EmbeddedCluster(data, nodes_of(data))
    try:
        bootstrap = await cluster.start()
    except (BrokerFailed, JavaMissing, KafkaMissing) as error:
        await cluster.stop()
        raise CannotAuditError(str(error)) from None
    try:
        yield bootstrap
    finally:
        await cluster.stop()


def journal(path: Path) -> Iterable[str]:
    """The ids of the acknowledged bookings in a journal: JSON lines with `booking_id`. CannotAuditError for others."""
    try:
        lines = path.read_bytes().splitlines()
        return {str(line["booking_id"]) for line in map(orjson.loads, filter(None, lines)) if line.get("booking_id")}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CannotAuditError(f"{path}: not a journal of JSON lines: {error}") from None


def _noted(data: Path, file: str) -> dict[str, object]:
    try:
        found = orjson.loads((data / file).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _runs(noted: dict[str, object]) -> bool:
    """`vacancy up` empties the list of its processes when it ends."""
    return bool(noted.get("pids", True))


async def _answers(bootstrap: str) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await client.start()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await client.close()
    return True
