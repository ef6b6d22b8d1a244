"""What becomes of poison: its bytes as they came, on `{topic}.dlq`, with everything needed to find out why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from streams.publisher import Record
from streams.reader import Raw

#: Why a record is dead: not a message of ours, not for this inbox, a decision that failed or does not fit, a request
#: that cannot be taken, or an outcome that another program wrote.
Class = Literal["undecodable", "misplaced", "decision-failed", "too-large", "refused", "not-ours"]


def dead_letter(
    origin: Raw,
    *,
    reason: str,
    kind: Class,
    group: str,
    attempts: int = 1,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Record:
    """The record for the dead-letter topic: key, value and headers as they came, ours beside them."""
    given_up = last or datetime.now(UTC)
    ours = (
        ("vacancy-dlq-reason", reason.encode()[:2_000]),
        ("vacancy-dlq-class", kind.encode()),
        ("vacancy-dlq-group", group.encode()),
        ("vacancy-dlq-topic", origin.topic.encode()),
        ("vacancy-dlq-partition", str(origin.partition).encode()),
        ("vacancy-dlq-offset", str(origin.offset).encode()),
        ("vacancy-dlq-timestamp", str(origin.timestamp).encode()),
        ("vacancy-dlq-attempts", str(attempts).encode()),
        ("vacancy-dlq-first", (first or given_up).isoformat().encode()),
        ("vacancy-dlq-last", given_up.isoformat().encode()),
        ("vacancy-dlq-key", b"null" if origin.key is None else b"bytes"),
    )
    # A record with neither key nor value cannot be appended to a batch: an empty value stands for the null.
    value = b"" if origin.value is None else origin.value
    return Record(origin.key, value, (*origin.headers, *ours, ("vacancy-dlq-value", _shape(origin.value))))


def _shape(value: bytes | None) -> bytes:
    return b"null" if value is None else b"bytes"
