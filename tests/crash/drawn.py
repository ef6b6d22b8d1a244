"""Ids that are drawn, and clocks, made to follow from the flow: so two runs of it can be compared."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec

from streams.envelope import NAMESPACE, caused_by, originate
from streams.events import ENCODER, Envelope, Event
from streams.layout import Layout
from tests.crash.durable import Durable

#: Who says what came of a call, or that something is due: under ids that are drawn, where nobody counts them.
_DRAWN = ("payment", "sending", "texting", "hooks", "forgetting", "receipt")


def said(durable: Durable, layout: Layout, event: Event, source: str) -> Envelope:
    """An originating envelope, under an id that follows from how often the same was said before."""
    before = _times(durable, layout, event, ENCODER.encode(event))
    envelope = originate(event, source=source, now=durable.now, correlation_id="")
    drawn = str(uuid.uuid5(NAMESPACE, f"{event.event_type}/{event}/{before}"))
    return msgspec.structs.replace(envelope, event_id=drawn, correlation_id=drawn)


def _times(durable: Durable, layout: Layout, event: Event, of: bytes) -> int:
    """How many messages like this are where it goes, and contain that: what was lost with a crash is not counted."""
    topic, key = layout.route(event)
    here = durable.logs[topic.name, topic.partition(key)]
    return sum(of in (record.value or b"") and event.event_type.encode() in (record.value or b"") for record in here)


@contextmanager
def counted(durable: Durable, layout: Layout) -> Iterator[None]:
    """Within it, ids that are drawn follow from how often the same was said before; clocks show the flow's time.

    So what is appended a second time has another id than the first, as it has when it is drawn, and yet two runs can be
    compared.
    """

    def resulting(cause: Envelope, event: Event, *, now: datetime, source: str) -> Envelope:
        before = _times(durable, layout, event, cause.event_id.encode())
        return caused_by(cause, event, index=before, now=durable.now, source=source)

    async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    with ExitStack() as patches:
        for name in _DRAWN:
            patches.enter_context(patch(f"agents.{name}.resulting", resulting))
        patches.enter_context(
            patch("agents.ticking.originate", lambda event, source, now: said(durable, layout, event, source))
        )
        patches.enter_context(patch("agents.ticking.datetime", SimpleNamespace(now=lambda zone: durable.now)))
        patches.enter_context(patch("itsdangerous.timed.time", SimpleNamespace(time=lambda: durable.now.timestamp())))
        patches.enter_context(patch("asyncio.to_thread", at_once))
        yield
