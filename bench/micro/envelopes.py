"""The same bookings as the product's own messages: `booking.booking.created`, signed, in the canonical envelope."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
from aiokafka.admin import NewTopic

from bench.micro.check import Said
from bench.micro.decision import CAPACITY
from bench.micro.load import RESOURCES, Booking, Load
from config.secrets import Secrets
from config.settings import Settings
from streams.codec import encode
from streams.envelope import originate
from streams.events.availability import DeclareResource, NightOverbooked, NightUpdated
from streams.events.booking_news import BookingCreated
from streams.events.rate import RateUpdated
from streams.layout import Layout, load_layout
from streams.publisher import Record
from streams.services import service_topics
from streams.signing import Signer
from streams.topics import Topic, dead_letters
from streams.wire import codec_of

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_PRICE, _CURRENCY = Decimal(100), "EUR"
#: What is read from the world, and what the service tells it.
_NEWS = (BookingCreated, NightUpdated, NightOverbooked, RateUpdated)
#: Where a record goes: its topic, partition and what it holds.
Placed = tuple[str, int, Record]


def settings_of(bootstrap: str, run: str, directory: Path) -> Settings:
    """An instance of its own for one run."""
    return Settings(data=directory, broker=f"kafka://{bootstrap}", namespace=run, layout="catalogue")


def topics(run: str) -> list[NewTopic]:
    """What the availability service reads, keeps and writes."""
    layout = _layout(run)
    services = [service_topics(layout.services[name], layout.partitions) for name in ("availability", "booking")]
    news = [layout.route_table()[event.event_type] for event in _NEWS]
    wanted = [*(topic for each in services for topic in each), *news, layout.rates, layout.user_keys]
    wanted += [dead_letters(topic) for topic in wanted if topic.carries]
    return [NewTopic(topic.name, topic.partitions, 1, topic_configs=topic.config()) for topic in wanted]


def records(settings: Settings, load: Load) -> Iterator[Placed]:
    """The resources declared, and the bookings of a load that ask for them, each once."""
    layout = _layout(settings.namespace)
    inbox, created = (layout.route_table()[event.event_type] for event in (DeclareResource, BookingCreated))
    yield from (_declared(inbox, layout, number) for number in range(RESOURCES))
    signer, seen = Signer(Secrets.of(settings).derive("vacancy signature")), set[str]()
    for booking in load.bookings():
        if booking.booking_id not in seen:
            seen.add(booking.booking_id)
            yield _asked(created, layout, signer, booking)


def said(value: bytes) -> Said:
    """An answer to the booking's inbox."""
    body = orjson.loads(value)
    return Said(body["data"]["booking_id"], body["event_type"] == "booking.line.reserved")


def _layout(run: str) -> Layout:
    return load_layout(Settings(namespace=run, layout="catalogue"))


def _declared(inbox: Topic, layout: Layout, number: int) -> Placed:
    declared = DeclareResource(
        provider_id=Booking(0, number, 0).provider_id,
        product_id=Booking(0, number, 0).product_id,
        capacity=CAPACITY,
        price_amount=_PRICE,
        price_currency=_CURRENCY,
    )
    key = layout.route(declared)[1]
    return inbox.name, inbox.partition(key), Record(key.encode(), encode(originate(declared, source="bench", now=_NOW)))


def _asked(topic: Topic, layout: Layout, signer: Signer, booking: Booking) -> Placed:
    start = datetime.combine(booking.night, time(15), UTC)
    created = BookingCreated(
        booking_id=booking.booking_id,
        user_id=f"user-{booking.number:08x}",
        provider_id=booking.provider_id,
        product_id=booking.product_id,
        start_time=start,
        end_time=start + timedelta(hours=20),
        quantity=1,
        price_amount=_PRICE,
        price_currency=_CURRENCY,
    )
    envelope = originate(created, source="bench", now=_NOW)
    value, headers = codec_of(layout.codec).encode(envelope, topic, lambda user_id, sealed: {})
    signed = signer.signed(envelope.event_id, value, headers)
    # As the load has it, not by the key: murmur2 of a key that is never seen again costs more than all the rest.
    partition = booking.number % topic.partitions
    return topic.name, partition, Record(booking.booking_id.encode(), value, signed)
