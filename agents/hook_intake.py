"""What the webhook service reads of the news: each event of ours that an endpoint wants becomes its delivery.

Where no endpoint is known nothing is read. What one wants is known from `vacancy.webhooks`, which is read to its end
before each batch: whatever was told after an endpoint was there is seen with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from datetime import UTC
from typing import Protocol

from domain.hooks import covers, wants
from streams.codec import Undecodable
from streams.envelope import caused_by
from streams.events import ENCODER, Envelope
from streams.events.hooks import Deliver, EndpointKnown, Format
from streams.group import GroupApp
from streams.intake import TURN
from streams.keys import KEYS
from streams.layout import Layout
from streams.listening import Listener
from streams.processor import Batch
from streams.publisher import Acknowledgement
from streams.voice import Voice
from streams.wire.cloudevents import cloud_event
from streams.wire.shown import shown, without_words

#: How long the view may take to come to its end before that counts as an outage, in seconds.
_PATIENCE_S = 30.0
_SOURCE = "webhook-intake"


class Endpoints(Protocol):
    """The endpoints as they are known (`streams.compacted.Compacted`)."""

    def items(self) -> Iterator[tuple[str, EndpointKnown]]: ...

    def caught_up(self, timeout: float) -> Awaitable[None]: ...


class HookIntake:
    """Passes the batches of the documented topics on, as deliveries."""

    def __init__(self, group: GroupApp, layout: Layout, voice: Voice, listener: Listener, endpoints: Endpoints) -> None:
        self._group = group
        self._layout = layout
        self._voice = voice
        self._listener = listener
        self._endpoints = endpoints

    async def apply(self, fetched: Sequence[Batch]) -> None:
        """Passes on what was fetched; finished once all deliveries that follow are on the log."""
        await self._endpoints.caught_up(_PATIENCE_S)
        listening = [endpoint for _, endpoint in sorted(self._endpoints.items())]
        said: list[Acknowledgement] = []
        for batch in fetched:
            if self._concerns(batch, listening):
                said += await self._pass_on(batch, listening)
        await self._group.finish(fetched, said)

    def _concerns(self, batch: Batch, listening: Sequence[EndpointKnown]) -> bool:
        """Whether anything of the batch's topic is wanted: else its records need not be read."""
        kinds = [model.event_type for model in self._layout.named[batch.records[0].topic].carries]
        patterns = {pattern for endpoint in listening for pattern in endpoint.types}
        return any(covers(pattern, kind) for pattern in patterns for kind in kinds)

    async def _pass_on(self, batch: Batch, listening: Sequence[EndpointKnown]) -> list[Acknowledgement]:
        said: list[Acknowledgement] = []
        for count, record in enumerate(batch.records, start=1):
            heard = self._listener.hear(record)
            if heard.is_ours:
                try:
                    said += [self._say(heard.news, each) for each in deliveries_of(heard.news, listening)]
                except Undecodable:
                    continue  # the gate has it
            if count % TURN == 0:
                await asyncio.sleep(0)
        return said

    def _say(self, news: Envelope, deliver: Deliver) -> Acknowledgement:
        # One event may be several deliveries: the endpoint is part of each id, whoever else listens by now.
        scope = f"webhook/{deliver.endpoint_id}/"
        return self._voice.say(caused_by(news, deliver, index=0, now=news.timestamp, source=_SOURCE, scope=scope))


def deliveries_of(news: Envelope, listening: Sequence[EndpointKnown]) -> list[Deliver]:
    """A delivery for each endpoint that wants a piece of news."""
    property_id = property_of(news)
    return [
        Deliver(
            endpoint_id=endpoint.endpoint_id,
            event_id=news.event_id,
            news=news.event_type,
            at=news.timestamp,
            body=body_of(news, endpoint.format),
        )
        for endpoint in listening
        if wants(endpoint, news.event_type, property_id)
    ]


def property_of(news: Envelope) -> str | None:
    """The property a piece of news is about; None for what is about none."""
    lines = getattr(getattr(news.data, "about", None), "lines", ())
    if getattr(news.data, "provider_id", None) is None and not lines:
        return None
    return KEYS["property_id"](news.data)


def body_of(news: Envelope, form: Format) -> str:
    """What is sent of a piece of news, as JSON: what its document shows of it, never what is sealed or in words."""
    data = without_words(shown(news.data))
    if form == "cloudevents":
        said = {**cloud_event(news), "data": data}
    else:
        told = news.timestamp.astimezone(UTC).isoformat()
        said = {"type": news.event_type, "timestamp": told, "data": data}
    return ENCODER.encode(said).decode()
