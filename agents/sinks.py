"""The groups that keep files (CLN-17, CAT-30): a log of all events, an archive of their bytes, and CloudEvents for
other companies' programs. Each reads its topics as they are and commits what is on the disk.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

import orjson

from adapters.journal import Journal, Line
from agents.lazy import app_of
from agents.tools import Tools
from streams.codec import Undecodable
from streams.events import Envelope
from streams.group import GroupApp, fetches
from streams.processor import Batch
from streams.reader import Raw
from streams.wire.cloudevents import cloud_event

#: What is written of a record; None for nothing.
Describe = Callable[[Raw], Awaitable[Mapping[str, Any] | None]]
Read = Callable[[Raw], Envelope | None]

#: What the log shows of an event beside its type: ids, and nothing of what they stand for.
_IDS = (
    "booking_id",
    "payment_id",
    "record_id",
    "user_id",
    "receipt_id",
    "refund_id",
    "notification_id",
    "entity_id",
    "provider_id",
    "product_id",
)


def __getattr__(name: str) -> Any:
    """The App of one of the three groups: `faust -A agents.sinks:archive worker`."""
    if name in ("integration", "logging", "archive"):
        return app_of(name)
    raise AttributeError(f"there is no {name!r} in the agents of files")


def attach_integration(group: GroupApp, tools: Tools) -> None:
    """DIR/integration: our events as CloudEvents, for programs outside to fetch; the journal's `offset` beside each is
    an extension attribute, too.
    """
    known, hear = reading(tools), tools.listener.hear

    async def describe(record: Raw) -> Mapping[str, Any] | None:
        news = known(record) if hear(record).is_ours else None
        return cloud_event(news) if news is not None else None

    _attach(group, tools, "integration", describe)


def attach_logging(group: GroupApp, tools: Tools) -> None:
    """DIR/journal/log: one line for each event, with its ids and without personal data."""
    known = reading(tools)

    async def describe(record: Raw) -> Mapping[str, Any]:
        return log_line(record, known(record))

    _attach(group, tools, "journal/log", describe)


def attach_archive(group: GroupApp, tools: Tools) -> None:
    """DIR/archive: the original bytes of every record, so that a topic can be rebuilt beyond its retention."""
    known = reading(tools)

    async def describe(record: Raw) -> Mapping[str, Any]:
        return await archived(record, known(record), tools.keyring)

    _attach(group, tools, "archive", describe)


class Sink:
    """Writes what its group reads to a journal."""

    def __init__(self, group: GroupApp, journal: Journal, describe: Describe) -> None:
        self._group = group
        self._journal = journal
        self._describe = describe

    async def apply(self, fetched: Sequence[Batch]) -> None:
        """Writes what was fetched; it is committed once its lines are on the disk (CLN-02)."""
        lines = [await self._lines(batch) for batch in fetched]
        await asyncio.to_thread(self._write, fetched, lines)
        self._group.finished(fetched)

    async def _lines(self, batch: Batch) -> list[Line]:
        described = [(record, await self._describe(record)) for record in batch.records]
        return [Line(record.offset, day_of(record), content) for record, content in described if content is not None]

    def _write(self, fetched: Sequence[Batch], lines: Sequence[Sequence[Line]]) -> None:
        for batch, of_batch in zip(fetched, lines, strict=True):
            self._journal.append(batch.records[0].topic, batch.partition, of_batch)


def _attach(group: GroupApp, tools: Tools, folder: str, describe: Describe) -> None:
    topics = tools.runtime.layout.subscriptions(group.name)
    if not topics:
        return
    journal = Journal(tools.settings.data / folder)
    sink = Sink(group, journal, describe)
    group.on_revoked.append(journal.forget)

    @group.app.agent(group.topics(topics), name=f"write-{group.name}")
    async def write_lines(stream: Any) -> None:
        """Writes down every record of the group's topics."""
        async for fetched in fetches(stream):
            await group.guarded(sink.apply(fetched))


def reading(tools: Tools) -> Read:
    """Reads records in the layout's words; what cannot be read is None: the gate has it."""
    hear = tools.listener.hear

    def known(record: Raw) -> Envelope | None:
        try:
            return hear(record).news
        except Undecodable:
            return None

    return known


def log_line(record: Raw, news: Envelope | None) -> dict[str, Any]:
    """One event for the log: when, where, what, and the ids it is about."""
    place = {"time": _time(record).isoformat(), "topic": record.topic, "partition": record.partition}
    if news is None:
        return {**place, "type": None}
    action = getattr(news.data, "action", None) or news.event_type.rpartition(".")[2]
    ids = {name: getattr(news.data, name, None) for name in _IDS}
    return {
        **place,
        "type": news.event_type,
        "action": action,
        "event_id": news.event_id,
        "correlation_id": news.correlation_id,
        **{name: value for name, value in ids.items() if value is not None},
    }


class Seals(Protocol):
    """What the archive needs of the keyring."""

    async def seal(self, user_id: str, text: str) -> str: ...


async def archived(record: Raw, news: Envelope | None, keyring: Seals) -> dict[str, Any]:
    """A record as it came: time in milliseconds, key, value and headers in base64.

    What concerns a user is sealed as a whole under the user's key: documents show personal data in clear, and the
    archive outlives the topic. Erasing the user's keys erases it here too (C21).
    """
    content = {
        "key": _base64(record.key),
        "value": _base64(record.value),
        "headers": [[name, _base64(value)] for name, value in record.headers],
    }
    user_id = getattr(news.data, "user_id", None) if news is not None else None
    if user_id is None:
        return {"timestamp": record.timestamp, **content}
    sealed = await keyring.seal(str(user_id), orjson.dumps(content).decode())
    return {"timestamp": record.timestamp, "user_id": user_id, "sealed": sealed}


def day_of(record: Raw) -> date:
    """The day of a record, in UTC."""
    return _time(record).date()


def _time(record: Raw) -> datetime:
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # a time that another program made up
        return datetime.fromtimestamp(0, UTC)


def _base64(raw: bytes | None) -> str | None:
    return base64.b64encode(raw).decode() if raw is not None else None
