"""Quix Streams: a dataframe grouped by resource, decided with its state in RocksDB and a changelog.

It runs in an environment of its own, so it brings the decision along. `GUARANTEE` is Quix's `processing_guarantee`.
Settings are its defaults but for the commit interval, which is 1 s instead of 5: outputs of an exactly-once application
are read only after a commit, and a bench of some seconds must not wait for the last one.
"""

import sys
from typing import Any

from quixstreams import Application

CAPACITY = 8
bootstrap, run, source, middle, output, directory, guarantee = sys.argv[1:8]

app = Application(
    broker_address=bootstrap,
    consumer_group=run,
    auto_offset_reset="earliest",
    processing_guarantee=guarantee,
    commit_interval=1.0,
    state_dir=directory,
    loglevel="WARNING",
)
bookings = app.topic(source, key_deserializer="str", value_deserializer="json")
answers = app.topic(output, key_serializer="str", value_serializer="json")


def resource_of(booking: dict[str, Any]) -> str:
    return f"{booking['provider_id']}/{booking['product_id']}"


def decide(booking: dict[str, Any], state: Any) -> dict[str, Any]:
    booking_id, slot = booking["booking_id"], booking["slot"]
    row = state.get(slot) or {"held": 0, "bookings": {}}
    left = CAPACITY - row["held"] - booking["quantity"]
    outcome = "accepted"
    if booking_id in row["bookings"]:
        left = row["bookings"][booking_id]
    elif left < 0:
        outcome, left = "refused", CAPACITY - row["held"]
    else:
        row["held"] += booking["quantity"]
        row["bookings"][booking_id] = left
        state.set(slot, row)
    return {
        "booking_id": booking_id,
        "resource": resource_of(booking),
        "slot": slot,
        "outcome": outcome,
        "left": left,
        "sent": booking["sent"],
    }


if __name__ == "__main__":
    frame = app.dataframe(bookings)
    frame = frame.group_by(resource_of, name="resource", key_serializer="str", key_deserializer="str")
    frame.apply(decide, stateful=True).to_topic(answers)
    app.run()
