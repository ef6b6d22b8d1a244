"""The services of `tests.domain.world`, with everything they say and keep written down as an instance would."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, cast
from urllib.parse import quote

import orjson

from cli.audit import names
from cli.audit.dialect import Dialect
from streams.events import ENCODER, Envelope, Event
from streams.events.availability import DeclareResource
from streams.events.payment import ProviderAnswered, ProviderCall
from streams.layout import load_layout
from streams.publisher import Publisher
from streams.publisher import Record as Written
from streams.signing import Signer
from streams.voice import Reveals, Voice
from tests.cli.audit.writer import Writer
from tests.domain.provider import Card
from tests.domain.world import Message, World, inbox_of


class Recorder(World):
    """A world under a layout. Each message stands in its inbox where it is delivered; news goes out by a real voice."""

    def __init__(self, dialect: Dialect, random: Random, cards: dict[str, Card], **how: Any) -> None:
        super().__init__(random, cards, **how)
        self.paper = Writer(dialect)
        self._layout = load_layout(dialect.name)
        self._voice = Voice(cast("Publisher", self), self._layout, Signer(b"secret"), cast("Reveals", self))
        #: Message id -> the id of what caused it.
        self._causes: dict[str, str | None] = {}
        self._cause: str | None = None

    # --- what happens ---

    def declare(self, message: DeclareResource) -> None:
        """A resource is declared, before anything else happens."""
        self.shelf.take(message, self.now)
        self._enter(
            names.AVAILABILITY_INBOX, f"declared {message}", message, f"{message.provider_id}/{message.product_id}"
        )

    def say(self, *events: Event, cause: str = "outside") -> None:
        self._cause = None if cause == "outside" else cause
        super().say(*events, cause=cause)

    def _send(self, message: Message) -> None:
        # One that is delivered again was caused by what caused it the first time.
        self._causes.setdefault(message.id, self._cause)
        if inbox_of(message.event) is None:
            self._tell(message)
        super()._send(message)

    def _take(self, inbox: tuple[str, str], message: Message) -> tuple[Event, ...]:
        service, key = inbox
        topic = names.PAYMENT_EFFECTS if service == "effects" else names.inbox_of(service)
        self._enter(topic, message.id, message.event, key)
        self.now = self.paper.now  # a decision's time is that of its record
        return super()._take(inbox, message)

    def _call(self, effect_id: str, call: ProviderCall) -> tuple[Event, ...]:
        asked_before = effect_id in self.provider.said
        answers = super()._call(effect_id, call)
        if not asked_before:
            self._book(call, self.provider.said[effect_id])
        return answers

    def _book(self, call: ProviderCall, answer: ProviderAnswered) -> None:
        done = {"authorize": "authorized", "capture": "captured", "void": "voided", "refund": "refunded"}
        kind = done[call.operation] if answer.approved else "capture_failed"
        if answer.approved or call.operation == "capture":
            key, refund = answer.effect_id, call.refund_id
            self.paper.enter(kind, call.payment_id, call.amount, key=key, refund_id=refund)

    # --- what is written ---

    def _enter(self, topic: str, name: str, event: Event, key: str) -> None:
        self.paper.now = max(self.paper.now, self.now)
        cause = self._causes.get(name)
        self.paper.say(topic, event.event_type, _data(event), key=key, cause=cause, event_id=name)

    def _tell(self, message: Message) -> None:
        event = message.event
        if self._layout.route(event)[0].name not in self._layout.named:
            return  # for the gateways alone
        told = Envelope(
            event_id=message.id,
            event_type=event.event_type,
            event_version="1.0",
            timestamp=self.now,
            correlation_id=message.id,
            data=event,
            source="world",
            causation_id=self._causes[message.id],
        )
        self.paper.now = max(self.paper.now, self.now)
        self._voice.say(told)

    def send(self, topic: str, partition: int, record: Written) -> None:
        """Takes what the voice says."""
        self.paper.put(topic, (record.key or b"").decode(), record.value, record.headers)

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        return {}

    def remember(self) -> Writer:
        """Writes down every row, and that everything is decided."""
        for name, booking in self.bookings.items():
            self._keep("booking", f"b|{name}", name, booking._row)
        for name, payment in self.payments.items():
            self._keep("payment", f"p|{name}", name, payment._row)
        for (provider, product, kind, *slot), row in self.shelf._rows.items():
            if kind == "night":
                resource = f"{quote(provider, safe='')}/{quote(product, safe='')}"
                self._keep("availability", f"n|{resource}|{slot[0]}", f"{provider}/{product}", row)
        self.paper.settle()
        return self.paper

    def _keep(self, service: str, key: str, partition: str, row: bytes) -> None:
        if not row:
            return  # nothing came of the message it was looked up for
        last = self.paper.end(names.inbox_of(service), self.paper.partition(partition))
        self.paper.row(service, key, orjson.loads(row), partition=partition, source=last)


def _data(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(ENCODER.encode(event))
    return found
