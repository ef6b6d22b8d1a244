"""Everywhere an instance keeps something: its topics as a client reads them, and the files of its directory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from aiokafka import TopicPartition

from cli.erasure_search import Search
from domain.erasure import gone_by
from streams.admin import admin, settings_of
from streams.layout import Layout
from streams.leftovers import may_be_ours
from streams.reader import Raw, consumer, read_to_end
from streams.replays import replays_topic

#: `documented` shows what its document shows; a `dead letters` topic has messages as they came, other programs' too.
Kind = Literal["internal", "documented", "dead letters", "files"]
#: Kafka's own files: what stands in them was read as topics, through the broker.
_THROUGH_THE_BROKER = ("broker", "broker-*")
_DEAD = ".dlq"
_MAILS = (".eml", ".again")
#: And what lies beside it: .sqlite-wal, .sqlite-journal.
_DATABASE = ".sqlite"
_CHUNK = 8 * 1024 * 1024
_OVERLAP = 4096


@dataclass
class Place:
    """What is left of a person in one topic (records) or one directory or file of the instance (files)."""

    name: str
    kind: Kind
    searched: int = 0
    found: int = 0
    #: Of the youngest record found.
    last: datetime | None = None
    #: For how long a topic keeps a record; None for ever.
    kept: timedelta | None = None
    segment: timedelta = timedelta(0)
    files: list[str] = field(default_factory=list)

    @property
    def gone_by(self) -> datetime | None:
        """The time by which retention has removed the last of it."""
        return gone_by(self.last, self.kept, self.segment) if self.last is not None else None

    @property
    def is_allowed(self) -> bool:
        """Whether what is left here ends by itself, and belongs here until then."""
        return not self.found or (self.kind in ("documented", "dead letters") and self.gone_by is not None)


async def topics(bootstrap: str, layout: Layout) -> list[Place]:
    """Every topic of the instance that is on the broker."""
    async with admin(bootstrap) as client:
        present = set(await client.list_topics())
        ours = sorted(name for name in present if may_be_ours(name, layout.namespace, present))
        settings = await settings_of(client, ours)
    return [_topic(name, settings[name], layout) for name in ours]


def _topic(name: str, settings: dict[str, str], layout: Layout) -> Place:
    retention = int(settings.get("retention.ms", "-1"))
    compacted = "compact" in settings.get("cleanup.policy", "")
    letters = name.endswith(_DEAD) or name == replays_topic(layout).name
    kind: Kind = "dead letters" if letters else "documented" if name in layout.topics else "internal"
    return Place(
        name,
        kind,
        kept=None if retention < 0 or compacted else timedelta(milliseconds=retention),
        segment=timedelta(milliseconds=int(settings.get("segment.ms", "0"))),
    )


async def records(bootstrap: str, places: list[Place]) -> AsyncIterator[Raw]:
    """Every record of these topics up to their ends as of the call."""
    reader = consumer(bootstrap)
    await reader.start()
    try:
        async with admin(bootstrap) as client:
            described = await client.describe_topics([place.name for place in places])
        partitions = [
            TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]
        ]
        reader.assign(partitions)
        await reader.seek_to_beginning(*partitions)
        async for _, found in read_to_end(reader, partitions):
            for record in found:
                yield record
    finally:
        await reader.stop()


async def search_topics(bootstrap: str, places: list[Place], search: Search) -> None:
    """Notes in each place what is found there."""
    by_name = {place.name: place for place in places}
    async for record in records(bootstrap, places):
        place = by_name[record.topic]
        place.searched += 1
        if search.finds(bytes_of(record)):
            place.found += 1
            time = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            place.last = max(place.last or time, time)


def bytes_of(record: Raw) -> bytes:
    """Everything a record says: key, value and headers."""
    headers = (part for name, value in record.headers for part in (name.encode(), value or b""))
    return b"\n".join((record.key or b"", record.value or b"", *headers))


def search_files(data: Path, search: Search) -> list[Place]:
    """The directories and files of an instance, each with the files in which something was found. Blocks."""
    return [
        _directory(entry, search)
        for entry in sorted(data.iterdir())
        if not any(entry.match(name) for name in _THROUGH_THE_BROKER)
    ]


def _directory(entry: Path, search: Search) -> Place:
    place = Place(f"{entry.name}/" if entry.is_dir() else entry.name, "files")
    for path in _files(entry):
        place.searched += 1
        if _is_in(path, search):
            place.found += 1
            place.files.append(str(path.relative_to(entry.parent)))
    return place


def _files(entry: Path) -> Iterator[Path]:
    if entry.is_file():
        yield entry
    elif entry.is_dir():
        yield from (path for path in sorted(entry.rglob("*")) if path.is_file() and not path.is_symlink())


def _is_in(path: Path, search: Search) -> bool:
    """Whether a file has something; one that went away meanwhile has not."""
    try:
        if path.suffix in _MAILS:
            return search.finds_in_mail(path.read_bytes())
        finds = search.finds_in_database if path.suffix.startswith(_DATABASE) else search.finds
        with path.open("rb") as file:
            return any(finds(chunk) for chunk in _chunks(file))
    except FileNotFoundError:
        return False


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that overlap: what stands on the edge of one stands within the next."""
    overlap = b""
    while read := file.read(_CHUNK):
        chunk = overlap + read
        yield chunk
        overlap = chunk[-_OVERLAP:]
