"""The webhook service's table, partitioned by endpoint.

Rows: `e|{endpoint_id}` an endpoint; `w|{endpoint_id}|{delivery_id}` a delivery, the newest last;
`d|{endpoint_id}|{due}|{delivery_id}` one whose next attempt is planned; `o|{endpoint_id}|{number}` one that has ended,
in that order; `n|{endpoint_id}` how many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

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
from domain.hook_load import Load
from domain.hooks import Endpoint, decide, may_be_dropped
from streams.events import Envelope, Event
from streams.events.hooks import Deliver, DeliveryAnswered, DeliveryDue, ForgetDeliveries, Redeliver
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows
from tables.hook_rows import (
    ENDPOINTS,
    Ended,
    Planned,
    deliveries_prefix,
    delivery_row,
    due_prefix,
    due_row,
    ended_prefix,
    endpoint_row,
    forget,
    keep,
    load_of,
    load_row,
)


class Hooks:
    """Decides endpoints and deliveries on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        asked, endpoint_id = message.data, KEYS["endpoint_id"](message.data)
        endpoint = rows.get(endpoint_row(endpoint_id), Endpoint)
        match asked:
            case Deliver() | ForgetDeliveries() | Redeliver() | DeliveryDue() | DeliveryAnswered() if endpoint is None:
                return ()
            case ForgetDeliveries():
                return _forget(rows, _there(endpoint), asked, now)
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
    if rows.get(name, Delivery) is not None:  # the same event under a new offset
        return ()
    outcome = deliver(endpoint, asked, load_of(rows, endpoint.endpoint_id), now)
    return _keep(rows, endpoint, None, outcome) if outcome is not None else ()


def _go_on(
    rows: WorkingRows, endpoint: Endpoint, asked: DeliveryDue | DeliveryAnswered, now: datetime
) -> Sequence[Event]:
    before = rows.get(delivery_row(endpoint.endpoint_id, asked.delivery_id), Delivery)
    outcome = None
    if isinstance(asked, DeliveryAnswered) and before is not None:
        outcome = answered(endpoint, before, asked, now)
    elif isinstance(asked, DeliveryDue):
        load = load_of(rows, endpoint.endpoint_id)
        outcome = come_due(endpoint, before, asked, load, now) if before is not None else None
        if outcome is None and (before is None or before.due != asked.due):
            # Its entry came back, e.g. from a zombie: out it goes.
            rows.delete(due_row(asked.due, endpoint.endpoint_id, asked.delivery_id))
    return _keep(rows, endpoint, before, outcome) if outcome is not None else ()


def _redeliver(rows: WorkingRows, endpoint: Endpoint, asked: Redeliver, now: datetime) -> Sequence[Event]:
    for delivery_id in asked.deliveries:
        before = rows.get(delivery_row(endpoint.endpoint_id, delivery_id), Delivery)
        after = redeliver(endpoint, before, now, anyway=asked.anyway) if before is not None else None
        if after is not None:
            keep(rows, before, after)
    if asked.last and endpoint.redeliver_since is not None:
        rows.put(endpoint_row(endpoint.endpoint_id), msgspec.structs.replace(endpoint, redeliver_since=None))
    return ()


def _forget(rows: WorkingRows, endpoint: Endpoint, asked: ForgetDeliveries, now: datetime) -> Sequence[Event]:
    for delivery_id in asked.deliveries:
        delivery = rows.get(delivery_row(asked.endpoint_id, delivery_id), Delivery)
        if delivery is not None and may_be_forgotten(endpoint, delivery, now):
            forget(rows, delivery)
    if not load_of(rows, asked.endpoint_id).total and may_be_dropped(endpoint, now):
        rows.delete(endpoint_row(asked.endpoint_id))
        rows.delete(load_row(asked.endpoint_id))
    return ()


def _keep(rows: WorkingRows, endpoint: Endpoint, before: Delivery | None, outcome: Outcome) -> Sequence[Event]:
    if outcome.endpoint is not endpoint:
        rows.put(endpoint_row(endpoint.endpoint_id), outcome.endpoint)
    if outcome.delivery is not None:
        keep(rows, before, outcome.delivery)
    return outcome.events


def read(store: RowStore, endpoint_id: str, delivery_id: str) -> Delivery | None:
    """The delivery as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(endpoint_id, store.partitions), delivery_row(endpoint_id, delivery_id))
    return msgspec.json.decode(raw, type=Delivery) if raw is not None else None


def load(store: RowStore, partition: int, endpoint_id: str) -> Load:
    """How much there is of an endpoint's deliveries. Raises NotOwner."""
    raw = store.get(partition, load_row(endpoint_id))
    return msgspec.json.decode(raw, type=Load) if raw is not None else Load()


def endpoints(store: RowStore, partition: int) -> Iterator[Endpoint]:
    """The endpoints of a partition, removed ones too. Raises NotOwner."""
    for _, raw in store.scan(partition, ENDPOINTS):
        yield msgspec.json.decode(raw, type=Endpoint)


def deliveries(store: RowStore, partition: int, endpoint_id: str) -> Iterator[Delivery]:
    """The deliveries of an endpoint, the oldest first. Raises NotOwner."""
    for _, raw in store.scan(partition, deliveries_prefix(endpoint_id)):
        yield msgspec.json.decode(raw, type=Delivery)


def ended(store: RowStore, partition: int, endpoint_id: str) -> Iterator[Ended]:
    """The ended deliveries of an endpoint, in the order they ended. Raises NotOwner."""
    for _, raw in store.scan(partition, ended_prefix(endpoint_id)):
        yield msgspec.json.decode(raw, type=Ended)


def planned(store: RowStore, partition: int, endpoint_id: str, most: int) -> Iterator[Planned]:
    """The planned attempts of an endpoint, the first due first, at most `most`. Raises NotOwner."""
    for _, raw in islice(store.scan(partition, due_prefix(endpoint_id)), most):
        yield msgspec.json.decode(raw, type=Planned)
