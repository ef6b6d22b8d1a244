"""Where the time of one booking goes, from the stamps of its records on the log.

A booking's records are those of its correlation id. Inboxes carry the broker's time of appending; effects and
documented topics the time at which the worker wrote the record into its batch. Both are of one machine, to the
millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiokafka import TopicPartition

from bench.figures import quantile
from streams.events import Event, availability, booking, booking_news, notices, payment, receipts
from streams.layout import Layout
from streams.reader import Raw, consumer, read_to_end

#: What is looked for on the log, by the name it has here; the first record of a type and a correlation counts.
MARKS: dict[str, type[Event]] = {
    "request": booking.RequestBooking,
    "created": booking_news.BookingCreated,
    "hold": availability.Hold,
    "reserved": booking.LineReserved,
    "authorize": payment.Authorize,
    "call": payment.ProviderCall,
    "answered": payment.ProviderAnswered,
    "authorized": booking.PaymentAuthorized,
    "confirmed": booking_news.BookingConfirmed,
    "captured": booking.PaymentCaptured,
    "receipt": receipts.ReceiptGenerated,
    "mail": notices.EmailSent,
}


@dataclass(frozen=True, slots=True)
class Hop:
    """From one mark to another: what happens there, and which service's work it is."""

    what: str
    by: str
    begin: str
    end: str


#: `asked` is the gateway's own time in the request, `complete` the later of `reserved` and `authorized`.
HOPS = (
    Hop("request appended", "gateway", "asked", "request"),
    Hop("created published", "booking", "request", "created"),
    Hop("hold on its inbox", "booking", "request", "hold"),
    Hop("hold decided", "availability", "hold", "reserved"),
    Hop("authorize on its inbox", "booking", "request", "authorize"),
    Hop("authorize made an effect", "payment", "authorize", "call"),
    Hop("provider answered", "provider", "call", "answered"),
    Hop("answer decided", "payment", "answered", "authorized"),
    Hop("confirmed published", "booking", "complete", "confirmed"),
)
#: What the guest does not wait for.
AFTERWARDS = (
    Hop("payment captured", "payment", "confirmed", "captured"),
    Hop("receipt generated", "receipt", "confirmed", "receipt"),
    Hop("first mail handed over", "notification", "confirmed", "mail"),
)

#: Milliseconds since the epoch, by mark.
Marks = dict[str, float]


async def ends(bootstrap: str, layout: Layout) -> dict[TopicPartition, int]:
    """The ends of all topics with marks: what is written from now on begins there."""
    reader = consumer(bootstrap)
    await reader.start()
    try:
        partitions = [TopicPartition(name, number) for name, count in _topics(layout) for number in range(count)]
        reader.assign(partitions)
        found: dict[TopicPartition, int] = await reader.end_offsets(partitions)
        return found
    finally:
        await reader.stop()


async def marks(bootstrap: str, begins: Mapping[TopicPartition, int]) -> list[Marks]:
    """The marks of every booking that was asked for and confirmed since `begins`."""
    names = {model.event_type: name for name, model in MARKS.items()}
    found: dict[str, Marks] = {}
    reader = consumer(bootstrap)
    await reader.start()
    try:
        reader.assign(list(begins))
        for tp, offset in begins.items():
            reader.seek(tp, offset)
        async for _, records in read_to_end(reader, list(begins)):
            _take(records, names, found)
    finally:
        await reader.stop()
    return [_complete(each) for each in found.values() if {hop.end for hop in HOPS} <= each.keys()]


def waterfall(bookings: Sequence[Marks]) -> dict[str, Any] | None:
    """Each hop in milliseconds: when it begins (median, since the gateway took the request) and how long it takes."""
    if not bookings:
        return None
    return {
        "bookings": len(bookings),
        "hops": [_hop(hop, bookings) for hop in HOPS],
        "whole": _hop(Hop("request to confirmed", "", "asked", "confirmed"), bookings),
        "afterwards": [_hop(hop, there) for hop in AFTERWARDS if (there := [m for m in bookings if hop.end in m])],
    }


def _topics(layout: Layout) -> set[tuple[str, int]]:
    topics = layout.route_table()
    return {(topics[model.event_type].name, topics[model.event_type].partitions) for model in MARKS.values()}


def _take(records: Iterable[Raw], names: Mapping[str, str], found: dict[str, Marks]) -> None:
    for record in records:
        body = orjson.loads(record.value or b"{}")
        name = names.get(body.get("event_type"))
        if name is None:
            continue
        seen = found.setdefault(body["correlation_id"], {})
        seen.setdefault(name, float(record.timestamp))
        if name == "request":
            seen.setdefault("asked", datetime.fromisoformat(body["timestamp"]).timestamp() * 1000)


def _complete(seen: Marks) -> Marks:
    return {**seen, "complete": max(seen["reserved"], seen["authorized"])}


def _hop(hop: Hop, bookings: Sequence[Marks]) -> dict[str, Any]:
    # Stamps are cut to the millisecond: what took less may seem to have ended before it began.
    taken = [max(0.0, seen[hop.end] - seen[hop.begin]) for seen in bookings]
    return {
        "hop": hop.what,
        "by": hop.by,
        "begins_ms": round(quantile([max(0.0, seen[hop.begin] - seen["asked"]) for seen in bookings], 0.5), 1),
        "p50_ms": round(quantile(taken, 0.5), 1),
        "p95_ms": round(quantile(taken, 0.95), 1),
    }
