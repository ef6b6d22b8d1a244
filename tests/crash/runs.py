"""Each flow once without a crash, and again from what every crash point leaves; what must be the same then.

The flow runs once. Each time it passes a point, what a kill would leave there is copied. From every such copy a new
process starts, with the local rows as they were or without any, and the flow goes on to its end.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cli.compose import STATEFUL
from streams.codec import encode
from streams.deciding import Decider
from streams.layout import Layout
from streams.listening import Listener
from streams.local import Row
from streams.publisher import Record
from streams.services import Service
from streams.working import WorkingRows
from tests.crash.audited import broken
from tests.crash.drawn import counted, said
from tests.crash.durable import Disk, Durable, Rows
from tests.crash.flows import BY_NAME, HOOK, KEYS, MAIL, MONEY, REFUSAL, Flow
from tests.crash.process import SIGNER, Process, layout_of

THINGS = (
    "the decision",
    "the output is durable",
    "the changelog is durable",
    "the local write",
    "the commit",
    MONEY,
    MAIL,
    REFUSAL,
    HOOK,
    KEYS,
)
POINTS = tuple(f"{side} {thing}" for thing in THINGS for side in ("before", "after"))
#: What a service keeps of its history is known by the place of what it decided, where a repetition stands, too.
_HISTORY = "h|"
#: It counts what it reads, in whatever order the topics come.
_UNORDERED = ("analytics",)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIGNATURE = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass
class Reference:
    """A flow without a crash, and what each of its points leaves."""

    flow: Flow
    end: Durable
    #: The version of what is left, by point, each time it was passed.
    passed: dict[str, list[int]]
    #: What is left, by version.
    left: dict[int, Durable]


@dataclass
class _Watch:
    durable: Durable
    passed: dict[str, list[int]] = field(default_factory=lambda: {point: [] for point in POINTS})
    left: dict[int, Durable] = field(default_factory=dict)

    def __call__(self, point: str) -> None:
        version = self.durable.version
        self.passed[point].append(version)
        if version not in self.left:
            self.left[version] = self.durable.copy()


@lru_cache(maxsize=2)
def reference(name: str) -> Reference:
    """The flow of that name, run once."""
    flow, durable = BY_NAME[name], Durable()
    watch = _Watch(durable)
    asyncio.run(_go_on(flow, durable, watch))
    return Reference(flow, durable, watch.passed, watch.left)


@lru_cache(maxsize=1_000)
def differences(name: str, version: int, disk_lost: bool) -> tuple[str, ...]:
    """What comes out otherwise when the process is killed where this is left."""
    run = reference(name)
    durable = run.left[version].copy()
    if disk_lost:
        durable.disks.clear()
    try:
        asyncio.run(_go_on(run.flow, durable, None))
    except Exception as error:
        return (f"it ended with {type(error).__name__}: {error}",)
    return tuple(compared(run.flow, run.end, durable))


async def _go_on(flow: Flow, durable: Durable, watch: _Watch | None) -> None:
    """From wherever the flow stands to its end, in one life."""
    layout = layout_of(flow.layout)
    with counted(durable, layout):
        process = Process(durable, layout, flow.services, flow.card, watch or (lambda point: None), _directory())
        process.start()
        await process.rest()
        for step in flow.steps[durable.said :]:
            durable.said += 1
            durable.now, durable.outside.away = step.at, step.away
            for event in step.asks:
                topic, key = layout.route(event)
                envelope = said(durable, layout, event, "test")
                durable.append(topic.name, topic.partition(key), Record(key.encode(), encode(envelope)))
            await process.rest()
        await process.kill()


@cache
def _directory() -> Path:
    """Where files would lie; there are none."""
    return Path(tempfile.mkdtemp())


# --- what must be the same ---


def compared(flow: Flow, expected: Durable, found: Durable) -> Iterator[str]:
    """How an end with a crash differs from the one without."""
    layout = layout_of(flow.layout)
    said, said_now = news(layout, expected), news(layout, found)
    rows, rows_now = outcomes(layout, expected), outcomes(layout, found)
    if flow.races:
        yield from _differ("news", _nameless(said), _nameless(said_now))
        yield from _differ("rows", _nameless(rows), _nameless(rows_now))
    else:
        yield from _differ("news", said, said_now)
        yield from _differ("rows", rows, rows_now)
    yield from _differ("mail", dict(expected.outside.mails), dict(found.outside.mails))
    yield from _differ("webhook", dict.fromkeys(expected.outside.hooks), dict.fromkeys(found.outside.hooks))
    if expected.outside.provider.accounts != found.outside.provider.accounts:
        yield f"the provider's books: {found.outside.provider.accounts}"
    if expected.outside.erased != found.outside.erased:
        yield f"erased: {found.outside.erased}"
    yield from _differ("dead letters", letters(expected), letters(found))
    yield from amiss(layout, found)
    yield from (f"the audit, {promise}: {what}" for promise, what in broken(flow, found).items())


def amiss(layout: Layout, found: Durable) -> Iterator[str]:
    """What no run may come to, with a crash or without."""
    for (name, number), disk in found.disks.items():
        service = layout.services[name]
        live, again = _payloads(disk), _payloads(rebuilt(layout, service, found, number))
        yield from _differ(f"{name}, rebuilt", again, live)
        yield from _differ(f"{name}, restored", restored(service, found, number), live)


def news(layout: Layout, durable: Durable) -> dict[tuple[str, str], object]:
    """What the world hears, by topic and event id: said twice it must be the same."""
    heard: dict[tuple[str, str], object] = {}
    for topic in layout.public:
        for record in durable.read(topic.name):
            headers = dict(record.headers)
            content = (record.partition, record.key, record.value, record.headers)
            place = topic.name, headers["ce_id"].decode()
            if heard.setdefault(place, content) != content:
                heard[topic.name, f"{place[1]} said otherwise"] = content
    return heard


def outcomes(layout: Layout, durable: Durable) -> dict[tuple[str, str], bytes | None]:
    """Every row but those of history."""
    return {
        (name, key): _sorted(payload) if name in _UNORDERED else payload
        for (name, _), disk in durable.disks.items()
        for key, payload in _payloads(disk).items()
        if not key.startswith(_HISTORY)
    }


def letters(durable: Durable) -> dict[tuple[str, bytes | None], str]:
    """What is dead, by topic and bytes, and why: it may lie there twice."""
    return {
        (topic, record.value): dict(record.headers)["vacancy-dlq-reason"].decode()
        for (topic, _), records in durable.logs.items()
        if topic.endswith(".dlq")
        for record in records
    }


def _nameless(found: Mapping[tuple[str, str], object]) -> Counter[str]:
    """How often each content is there, whatever ids it has: what is said twice under two of them counts twice."""
    return Counter(_SIGNATURE.sub("", _ID.sub("*", f"{place[0]} {content}")) for place, content in found.items())


def _sorted(payload: bytes | None) -> bytes:
    """A row with its lists and fields in an order of their own."""
    row = msgspec.json.decode(payload or b"null")
    lists = {name: sorted(each, key=repr) if isinstance(each, list) else each for name, each in row.items()}
    return msgspec.json.encode(lists, order="sorted")


def rebuilt(layout: Layout, service: Service, durable: Durable, number: int) -> Disk:
    """The rows that a service's inbox makes from nothing."""
    decider = Decider(service, STATEFUL[service.name][0](layout), layout.partitions)
    rows = Rows(Disk())
    for record in durable.logs[service.inbox, number]:
        working = WorkingRows(rows)
        _, changes, _ = decider.decide(working, record, decider.read(record))
        for key, written in changes.items():
            if written.payload is None:
                rows.disk.rows.pop(key, None)
            else:
                rows.disk.rows[key] = Row(written.payload, record.offset, -1)
    return rows.disk


def restored(service: Service, durable: Durable, number: int) -> dict[str, bytes | None]:
    """The rows that the changelog holds: the last record of each key, where nobody else writes."""
    held: dict[str, bytes | None] = {}
    for record in durable.logs[service.rows, number]:
        held[(record.key or b"").decode()] = record.value
    return {key: value for key, value in held.items() if value is not None and not key.startswith("\0")}


def ends(layout: Layout, durable: Durable) -> Iterator[str]:
    """How each booking ended, and the kinds of all news."""
    for (name, _), disk in durable.disks.items():
        for key, payload in _payloads(disk).items():
            if name == "booking" and key.startswith("b|"):
                row = msgspec.json.decode(payload or b"")
                revision = f" {row['revision']}" if row.get("revision", 1) > 1 else ""
                yield f"{row['booking_id']} {row['status']}{revision}"
    listener = Listener(layout, SIGNER)
    for topic in layout.public:
        for record in durable.read(topic.name):
            yield listener.hear(record).news.event_type


def _payloads(disk: Disk) -> dict[str, bytes | None]:
    return {key: row.payload for key, row in disk.rows.items() if not key.startswith("\0")}


def _differ(what: str, expected: Mapping[Any, object], found: Mapping[Any, object]) -> Iterator[str]:
    for key in [*expected, *(key for key in found if key not in expected)]:
        if expected.get(key) != found.get(key):
            yield f"{what} {key}: {found.get(key)} instead of {expected.get(key)}"


def tally(name: str) -> Counter[str]:
    """How often a flow passes each point."""
    return Counter({point: len(versions) for point, versions in reference(name).passed.items()})
