"""Where envelopes come from: an outside cause, or another message. Nothing else makes one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from streams.events import Envelope, Event
from streams.events.ids import ids_under

#: Every derived id of the platform is a uuid5 under this namespace.
NAMESPACE = uuid.UUID("8f0b7a52-5f0c-5d6a-9a54-6d1f3c1f2b11")
#: An entity's history names what is said just before it is said: the same id, twice within a decision.
derive = lru_cache(maxsize=256)(ids_under(NAMESPACE))


def originate(
    event: Event,
    *,
    source: str,
    now: datetime,
    correlation_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Envelope:
    """An envelope for what comes from outside the log: a fresh id per attempt, for a retry may carry other content."""
    event_id = str(uuid.uuid4())
    return Envelope(
        event_id=event_id,
        event_type=event.event_type,
        event_version=event.event_version,
        timestamp=now,
        correlation_id=correlation_id or event_id,
        data=event,
        source=source,
        metadata=metadata or {},
    )


def derived_id(cause: Envelope, event: Event, index: int, scope: str = "") -> str:
    """The id of the `index`th event that a message causes, in the scope of who says so where several may."""
    return derive(f"{cause.event_id}/{event.event_type}/{scope}{index}")


def caused_by(cause: Envelope, event: Event, *, index: int, now: datetime, source: str, scope: str = "") -> Envelope:
    """An envelope for what a decision says: its id follows from the cause, so a decision made again says the same.

    `now` is the time of the record that caused it. The correlation goes on to everything that follows.
    """
    return Envelope(
        event_id=derived_id(cause, event, index, scope),
        event_type=event.event_type,
        event_version=event.event_version,
        timestamp=now,
        correlation_id=cause.correlation_id,
        data=event,
        source=source,
        causation_id=cause.event_id,
    )


def resulting(cause: Envelope, event: Event, *, now: datetime, source: str) -> Envelope:
    """An envelope for the result of a call outside: a fresh id, for a repeated call may end otherwise."""
    return Envelope(
        event_id=str(uuid.uuid4()),
        event_type=event.event_type,
        event_version=event.event_version,
        timestamp=now,
        correlation_id=cause.correlation_id,
        data=event,
        source=source,
        causation_id=cause.event_id,
    )
