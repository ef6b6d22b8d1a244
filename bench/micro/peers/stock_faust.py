"""Faust as it comes: an agent, `group_by`, a table in RocksDB with its changelog, at least once.

Settings as Faust has them by default, but for what the comparison fixes (partitions, one replica, no web server) and
uvloop, which its documentation recommends.
"""

from __future__ import annotations

import sys
from typing import Any

import mode.loop

mode.loop.use("uvloop")

import faust  # noqa: E402  # the loop has to be chosen first

from bench.micro.decision import decide  # noqa: E402
from bench.micro.load import PARTITIONS  # noqa: E402

bootstrap, run, source, middle, output, directory = sys.argv[1:7]


class Booking(faust.Record, serializer="json"):
    booking_id: str
    provider_id: str
    product_id: str
    slot: str
    quantity: int
    sent: float


app = faust.App(
    run,
    broker=f"kafka://{bootstrap}",
    store="rocksdb://",
    datadir=directory,
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    web_enabled=False,
)
bookings = app.topic(source, value_type=Booking)
by_resource = app.topic(middle, value_type=Booking, key_serializer="raw")
answers = app.topic(output, key_serializer="raw", value_serializer="json")
rows = app.Table("rows", partitions=PARTITIONS, key_type=str)


def resource_of(booking: Booking) -> bytes:
    return f"{booking.provider_id}/{booking.product_id}".encode()


@app.agent(bookings)
async def answer(stream: Any) -> None:
    async for booking in stream.group_by(resource_of, name="resource", topic=by_resource):
        resource = f"{booking.provider_id}/{booking.product_id}"
        key = f"{resource}|{booking.slot}"
        row, outcome, left = decide(rows.get(key), booking.booking_id, booking.quantity)
        if row is not None:
            rows[key] = row
        said = {
            "booking_id": booking.booking_id,
            "resource": resource,
            "slot": booking.slot,
            "outcome": outcome,
            "left": left,
            "sent": booking.sent,
        }
        await answers.send(key=resource.encode(), value=said)


if __name__ == "__main__":
    worker = faust.Worker(app, loglevel="WARNING", quiet=True)
    worker.spinner = None
    worker.execute_from_commandline()
