"""One record as the auditor reads it: the envelope's identity and data, from the bytes, by code of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

Headers = Sequence[tuple[str, bytes]]
Body = dict[str, Any]

#: Beside a message on a documented topic: whose it is, its id where the document has none, and what else it says.
SIGNATURE, ID, REST = "vacancy-sig", "ce_id", "vacancy-rest"


class Record(NamedTuple):
    """A record as it stands on the log; `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Letter(NamedTuple):
    """What a record says: who it is, what it says, and because of what."""

    event_id: str
    event_type: str
    cause: str | None
    data: Body


def read(value: bytes | None) -> Letter | None:
    """The letter in the canonical envelope that these bytes hold, or None when they hold none."""
    body = object_of(value)
    if body is None:
        return None
    event_id, event_type, data = body.get("event_id"), body.get("event_type"), body.get("data")
    metadata = body.get("metadata") or {}
    if not (isinstance(event_id, str) and isinstance(event_type, str) and isinstance(data, dict)):
        return None
    cause = metadata.get("causation_id") if isinstance(metadata, dict) else None
    return Letter(event_id, event_type, cause if isinstance(cause, str) else None, data)


def object_of(value: bytes | str | None) -> Body | None:
    """The JSON object these bytes hold, or None when they hold none."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def short(text: str) -> bytes:
    """An id in 16 bytes: there are as many as there are records."""
    if len(text) == 36:
        try:
            return bytes.fromhex(text.replace("-", ""))
        except ValueError:
            pass
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def digest(*parts: bytes | None) -> bytes:
    """Equal contents have equal digests; None differs from empty."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        hashed.update(b"-" if part is None else b"+%d:" % len(part))
        hashed.update(part or b"")
    return hashed.digest()


def header(headers: Headers, name: str) -> str | None:
    """The first header of that name, as text."""
    return next((value.decode("utf-8", "replace") for found, value in headers if found == name), None)


def money(value: object) -> Decimal:
    """A sum on the wire is a JSON number as it is written; in rows and ledgers it is a text."""
    return Decimal(str(value))


def milliseconds(instant: str) -> int:
    """An ISO 8601 instant as milliseconds since 1970. Raises ValueError without a time zone."""
    moment = datetime.fromisoformat(instant)
    if moment.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return round(moment.timestamp() * 1000)
