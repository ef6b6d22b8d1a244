"""Writes a synthetic log: envelopes inside, a layout's documents outside, dead letters, changelogs and a ledger."""

from __future__ import annotations

import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from cli.audit import names
from cli.audit.dialect import Dialect
from cli.audit.dialects import CATALOGUE
from cli.audit.facts import Entry
from cli.audit.filing import add
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.promises import judge
from cli.audit.spelling import Spelling
from cli.audit.wire import Record
from tests.cli.audit.tongues import canonical, speak

PARTITIONS = 2
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

#: The order in which records are handed to a `History`.
_PHASES = (
    lambda topic: topic.endswith(names.DEAD),
    lambda topic: topic in names.CHANGELOGS,
    lambda topic: topic in names.CAUSES,
    lambda topic: True,
)


class Writer:
    """Records and ledger entries, written one by one on a clock of its own."""

    def __init__(self, dialect: Dialect = CATALOGUE, namespace: str = "") -> None:
        self.dialect = dialect
        self.spelling = Spelling(namespace)
        self.now = BEGINNING
        self.records: list[Record] = []
        self.ledger: list[Entry] = []
        #: Where each group comes back to.
        self.committed: dict[tuple[str, int], int] = {}
        self._ends: defaultdict[tuple[str, int], int] = defaultdict(int)

    # --- writing ---

    @staticmethod
    def partition(key: str) -> int:
        return zlib.crc32(key.encode()) % PARTITIONS

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def put(
        self, topic: str, key: str | None, value: bytes | None, headers: Iterable[tuple[str, bytes]] = ()
    ) -> Record:
        """Appends a record as it is given."""
        self.now += timedelta(milliseconds=1)
        partition = 0 if topic.endswith((names.DEAD, names.REPLAYS)) else self.partition(key or "")
        offset = self._ends[topic, partition]
        self._ends[topic, partition] += 1
        name = key.encode() if key is not None else None
        record = Record(topic, partition, offset, ms(self.now), name, value, tuple(headers))
        self.records.append(record)
        return record

    def say(
        self, topic: str, kind: str, data: dict[str, Any], *, key: str, cause: str | None = None, event_id: str = ""
    ) -> str:
        """Appends an envelope and returns its event id."""
        event_id = event_id or self.fresh_id()
        self.put(topic, key, canonical(kind, event_id, cause, data))
        return event_id

    def tell(self, kind: str, data: dict[str, Any], *, key: str, cause: str | None = None) -> str:
        """Tells the world, as the layout does it, and returns the event id."""
        event_id = self.fresh_id()
        topic, value, headers = speak(self.dialect, kind, event_id, cause, data)
        self.put(topic, key, value, headers)
        return event_id

    def hear(self, kind: str, data: dict[str, Any], *, key: str) -> tuple[Record, str]:
        """The same from another program: unsigned, and with nothing beside it but its id."""
        event_id = self.fresh_id()
        topic, value, headers = speak(self.dialect, kind, event_id, None, data)
        return self.put(topic, key, value, [header for header in headers if header[0] == "ce_id"]), event_id

    def fresh_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{len(self.records)}"))

    def bury(
        self,
        record: Record,
        *,
        value: bytes | None = None,
        leave_out: str = "",
        by: str = "",
        kind: str = "",
        home: str = "",
    ) -> Record:
        """Appends the dead letter of a record, perhaps with other bytes or without a header, from the gate's group or
        another one, of a class. That of a replay lies with those of its home.
        """
        headers = {
            "vacancy-dlq-reason": "not JSON",
            "vacancy-dlq-class": kind or "undecodable",
            "vacancy-dlq-group": by or self.spelling.on_broker(self.dialect.gate),
            "vacancy-dlq-topic": self.spelling.on_broker(record.topic),
            "vacancy-dlq-partition": str(record.partition),
            "vacancy-dlq-offset": str(record.offset),
            "vacancy-dlq-value": "null" if record.value is None else "bytes",
        }
        headers.pop(leave_out, None)
        said = record.value if value is None else value
        key = record.key.decode() if record.key is not None else None
        ours = [(name, text.encode()) for name, text in headers.items()]
        return self.put((home or record.topic) + names.DEAD, key, said or b"", [*record.headers, *ours])

    def edit(self, letter: Record, value: bytes) -> Record:
        """Appends an edited copy of a dead letter."""
        name = self.spelling.on_broker(letter.topic.removesuffix(names.DEAD))
        copied = ("vacancy-dlq-edited-from", f"{name}/{letter.offset}".encode())
        return self.put(letter.topic, (letter.key or b"").decode(), value, [*letter.headers, copied])

    def replay(self, topic: str, value: bytes, *, group: str = "") -> Record:
        """Appends a dead letter of a public topic to the gate's replays, or those of another group."""
        said = {
            "vacancy-replay-group": group or self.spelling.on_broker(self.dialect.gate),
            "vacancy-replay-topic": self.spelling.on_broker(topic),
            "vacancy-replays": "1",
        }
        return self.put(names.REPLAYS, "k", value, [(name, text.encode()) for name, text in said.items()])

    def enter(self, kind: str, payment_id: str, amount: Decimal, *, key: str, refund_id: str | None = None) -> None:
        """One line of the provider's ledger."""
        n = len(self.ledger) + 1
        self.ledger.append(Entry(n, ms(self.now), kind, f"pi_{payment_id}", payment_id, amount, refund_id, key))

    # --- what the services remember ---

    def row(self, service: str, key: str, content: dict[str, Any] | None, *, partition: str, source: int) -> None:
        """A changelog record, in the partition of another key (its aggregate's)."""
        self.now += timedelta(milliseconds=1)
        topic, number = f"vacancy.{service}.rows", self.partition(partition)
        offset = self._ends[topic, number]
        self._ends[topic, number] += 1
        value = orjson.dumps(content) if content is not None else None
        header = ("source-offset", str(source).encode())
        self.records.append(Record(topic, number, offset, ms(self.now), key.encode(), value, (header,)))

    def end(self, inbox: str, partition: int) -> int:
        """The last offset of an inbox partition."""
        return self._ends[inbox, partition] - 1

    def settle(self) -> None:
        """Every service has decided everything, every call is answered: positions and commits at the ends."""
        for topic in (*names.EFFECTS, names.REPLAYS, *self.dialect.public):
            for partition in range(PARTITIONS):
                if (end := self.end(topic, partition)) >= 0:
                    self.committed[topic, partition] = end + 1
        for service, inbox in zip(names.SERVICES, names.INBOXES, strict=True):
            for partition in range(PARTITIONS):
                if (end := self.end(inbox, partition)) >= 0:
                    self.committed[inbox, partition] = end + 1
                    topic = f"vacancy.{service}.rows"
                    offset = self._ends[topic, partition]
                    self._ends[topic, partition] += 1
                    header = ("source-offset", str(end).encode())
                    at = ms(self.now)
                    self.records.append(Record(topic, partition, offset, at, b"\0position", b"{}", (header,)))

    # --- judging ---

    def history(self, **more: Any) -> History:
        """All of it, read as the auditor reads a stopped instance; `more` are further fields."""
        known: dict[str, Any] = {"dialect": self.dialect, "spelling": self.spelling, "committed": dict(self.committed)}
        history = History(ledger=list(self.ledger), **known | more)
        for record in self.in_order():
            add(history, record)
        return history

    def in_order(self) -> Iterator[Record]:
        for phase in range(len(_PHASES)):
            for record in self.records:
                if [matches(record.topic) for matches in _PHASES].index(True) == phase:
                    yield record

    def verdicts(self, **more: Any) -> dict[str, Verdict]:
        return {verdict.promise: verdict for verdict in judge(self.history(**more))}


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
