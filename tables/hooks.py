"""The webhook service's table, partitioned by endpoint.

Rows: `e|{endpoint_id}` an endpoint; `w|{endpoint_id}|{delivery_id}` a delivery, the newest last;
`d|{due}|{endpoint_id}|{delivery_id}` one whose next attempt is planned; `n|{endpoint_id}` how many deliveries are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from domain.hook_deliveries import (
    Delivery,
    Outcome,
    answered,
    come_due,
    deliver,
    delivery_id_of,
    may_be_forgotten,
    redeliver,
)
from domain.hooks import Endpoint, decide
from streams.events import Envelope, Event
from streams.events.hooks import Deliver, DeliveryAnswered, DeliveryDue, ForgetDeliveries, Redeliver
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows

ENDPOINTS = "e|"
_DUE = "d|"


class Planned(msgspec.Struct, frozen=True):
    """A delivery whose next attempt is made from `due` on."""

    endpoint_id: str
    delivery_id: str
    due: datetime


class Kept(msgspec.Struct, frozen=True):
    """How many deliveries of an endpoint there are."""

    count: int = 0


class Hooks:
    """Decides endpoints and deliveries on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        asked, endpoint_id = message.data, KEYS["endpoint_id"](message.data)
        endpoint = rows.get(endpoint_row(endpoint_id), Endpoint)
        match asked:
            case ForgetDeliveries():
                return _forget(rows, endpoint, asked, now)
            case Deliver() | Redeliver() | DeliveryDue() | DeliveryAnswered() if endpoint is None:
                return ()
            case Deliver():
                return _deliver(rows, _there(endpoint), asked, now)
            case Redeliver():
                return _redeliver(rows, _there(endpoint), asked, now)
            case DeliveryDue() | DeliveryAnswered():
                return _go_on(rows, _there(endpoint), asked, now)
        decision = decide(endpoint, asked, now)
        if decision.state is not None and decision.state is not endpoint:
            rows.put(endpoint_row(endpoint_id), decision.state)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A delivery's row is bounded by its event's size: there is no smaller way to decide one."""
        return None


def _there(endpoint: Endpoint | None) -> Endpoint:
    assert endpoint is not None
    return endpoint


def _deliver(rows: WorkingRows, endpoint: Endpoint, asked: Deliver, now: datetime) -> Sequence[Event]:
    name = delivery_row(endpoint.endpoint_id, delivery_id_of(asked.at, asked.event_id))
    outcome = deliver(endpoint, asked, now) if rows.get(name, Delivery) is None else None
    if outcome is None:  # the same event under a new offset, or nothing it wants
        return ()
    kept = rows.get(_kept_row(endpoint.endpoint_id), Kept) or Kept()
    rows.put(_kept_row(endpoint.endpoint_id), Kept(kept.count + 1))
    return _keep(rows, endpoint, None, outcome)


def _go_on(
    rows: WorkingRows, endpoint: Endpoint, asked: DeliveryDue | DeliveryAnswered, now: datetime
) -> Sequence[Event]:
    before = rows.get(delivery_row(endpoint.endpoint_id, asked.delivery_id), Delivery)
    outcome = None
    if isinstance(asked, DeliveryAnswered) and before is not None:
        outcome = answered(endpoint, before, asked, now)
    elif isinstance(asked, DeliveryDue):
        outcome = come_due(endpoint, before, asked, now) if before is not None else None
        if outcome is None and (before is None or before.due != asked.due):
            # Its entry came back, e.g. from a zombie: out it goes.
            rows.delete(_due_row(asked.due, endpoint.endpoint_id, asked.delivery_id))
    return _keep(rows, endpoint, before, outcome) if outcome is not None else ()


def _redeliver(rows: WorkingRows, endpoint: Endpoint, asked: Redeliver, now: datetime) -> Sequence[Event]:
    for delivery_id in asked.deliveries:
        before = rows.get(delivery_row(endpoint.endpoint_id, delivery_id), Delivery)
        after = redeliver(endpoint, before, now) if before is not None else None
        if after is not None:
            _keep(rows, endpoint, before, Outcome(endpoint, after))
    if asked.last and endpoint.redeliver_since is not None:
        rows.put(endpoint_row(endpoint.endpoint_id), msgspec.structs.replace(endpoint, redeliver_since=None))
    return ()


def _forget(rows: WorkingRows, endpoint: Endpoint | None, asked: ForgetDeliveries, now: datetime) -> Sequence[Event]:
    kept = rows.get(_kept_row(asked.endpoint_id), Kept) or Kept()
    left = kept.count
    for delivery_id in asked.deliveries:
        delivery = rows.get(delivery_row(asked.endpoint_id, delivery_id), Delivery)
        if delivery is None or not may_be_forgotten(endpoint, delivery, left, now):
            continue
        rows.delete(delivery_row(asked.endpoint_id, delivery_id))
        if delivery.due is not None:
            rows.delete(_due_row(delivery.due, asked.endpoint_id, delivery_id))
        left -= 1
    if left != kept.count:
        rows.put(_kept_row(asked.endpoint_id), Kept(left))
    return ()


def _keep(rows: WorkingRows, endpoint: Endpoint, before: Delivery | None, outcome: Outcome) -> Sequence[Event]:
    after = outcome.delivery
    if outcome.endpoint is not endpoint:
        rows.put(endpoint_row(endpoint.endpoint_id), outcome.endpoint)
    rows.put(delivery_row(after.endpoint_id, after.delivery_id), after)
    was = before.due if before is not None else None
    if after.due != was:
        if was is not None:
            rows.delete(_due_row(was, after.endpoint_id, after.delivery_id))
        if after.due is not None:
            planned = Planned(after.endpoint_id, after.delivery_id, after.due)
            rows.put(_due_row(after.due, after.endpoint_id, after.delivery_id), planned, keep=False)
    return outcome.events


def endpoint_row(endpoint_id: str) -> str:
    """The key of an endpoint's row."""
    return f"{ENDPOINTS}{endpoint_id}"


def deliveries_prefix(endpoint_id: str) -> str:
    """What the keys of an endpoint's deliveries begin with."""
    return f"w|{endpoint_id}|"


def delivery_row(endpoint_id: str, delivery_id: str) -> str:
    """The key of a delivery's row."""
    return deliveries_prefix(endpoint_id) + delivery_id


def _kept_row(endpoint_id: str) -> str:
    return f"n|{endpoint_id}"


def _due_row(due: datetime, endpoint_id: str, delivery_id: str) -> str:
    return f"{_DUE}{_instant(due)}|{endpoint_id}|{delivery_id}"


def _instant(time: datetime) -> str:
    """Sorts as time does."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def read(store: RowStore, endpoint_id: str, delivery_id: str) -> Delivery | None:
    """The delivery as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(endpoint_id, store.partitions), delivery_row(endpoint_id, delivery_id))
    return msgspec.json.decode(raw, type=Delivery) if raw is not None else None


def kept_of(store: RowStore, partition: int, endpoint_id: str) -> int:
    """How many deliveries of an endpoint there are. Raises NotOwner."""
    raw = store.get(partition, _kept_row(endpoint_id))
    return msgspec.json.decode(raw, type=Kept).count if raw is not None else 0


def endpoints(store: RowStore, partition: int) -> Iterator[Endpoint]:
    """The endpoints of a partition, removed ones too. Raises NotOwner."""
    for _, raw in store.scan(partition, ENDPOINTS):
        yield msgspec.json.decode(raw, type=Endpoint)


def deliveries(store: RowStore, partition: int, endpoint_id: str) -> Iterator[Delivery]:
    """The deliveries of an endpoint, the oldest first. Raises NotOwner."""
    for _, raw in store.scan(partition, deliveries_prefix(endpoint_id)):
        yield msgspec.json.decode(raw, type=Delivery)


def due(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[Planned]:
    """The attempts of a partition that are due, the longest due first, at most `most`. Raises NotOwner."""
    limit = f"{_DUE}{_instant(now)}|"
    for count, (key, raw) in enumerate(store.scan(partition, _DUE)):
        if key >= limit or count >= most:
            return
        yield msgspec.json.decode(raw, type=Planned)
