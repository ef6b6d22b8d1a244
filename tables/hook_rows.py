"""The rows of the webhook service, and how many there are of each kind: every change of a delivery keeps that true."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.hook_deliveries import Delivery
from domain.hook_load import MOST_KEPT, Load
from streams.working import WorkingRows
from tables import due_index

ENDPOINTS = "e|"


class Planned(msgspec.Struct, frozen=True):
    """A delivery whose next attempt is made from `due` on."""

    endpoint_id: str
    delivery_id: str
    due: datetime


class Ended(msgspec.Struct, frozen=True):
    """A delivery that nothing more is to become of, since when."""

    delivery_id: str
    at: datetime


def endpoint_row(endpoint_id: str) -> str:
    """The key of an endpoint's row."""
    return f"{ENDPOINTS}{endpoint_id}"


def deliveries_prefix(endpoint_id: str) -> str:
    """What the keys of an endpoint's deliveries begin with."""
    return f"w|{endpoint_id}|"


def delivery_row(endpoint_id: str, delivery_id: str) -> str:
    """The key of a delivery's row."""
    return deliveries_prefix(endpoint_id) + delivery_id


def load_row(endpoint_id: str) -> str:
    """The key of an endpoint's counts."""
    return f"n|{endpoint_id}"


def due_prefix(endpoint_id: str) -> str:
    """What the keys of an endpoint's planned attempts begin with."""
    return f"d|{endpoint_id}|"


def due_row(due: datetime, endpoint_id: str, delivery_id: str) -> str:
    """The key of a planned attempt."""
    return f"{due_prefix(endpoint_id)}{due_index.instant(due)}|{delivery_id}"


def ended_prefix(endpoint_id: str) -> str:
    """What the keys of an endpoint's ended deliveries begin with."""
    return f"o|{endpoint_id}|"


def _ended_row(endpoint_id: str, number: int) -> str:
    return f"{ended_prefix(endpoint_id)}{number:015}"


def load_of(rows: WorkingRows, endpoint_id: str) -> Load:
    """How much there is of an endpoint's deliveries."""
    return rows.get(load_row(endpoint_id), Load) or Load()


def keep(rows: WorkingRows, before: Delivery | None, after: Delivery) -> None:
    """Writes a delivery, where it is planned or has ended, and the counts; of too many ended ones the first go."""
    load = load_of(rows, after.endpoint_id)
    if before is not None:
        load = load.changed(before.status, awaited=before.awaited, by=-1)
    load = load.changed(after.status, awaited=after.awaited, by=1)
    after, load = _numbered(rows, after, load)
    rows.put(delivery_row(after.endpoint_id, after.delivery_id), after)
    _plan(rows, before, after)
    while load.ended > MOST_KEPT:
        first = rows.get(_ended_row(after.endpoint_id, load.first), Ended)
        load = msgspec.structs.replace(load, first=load.first + 1)
        oldest = rows.get(delivery_row(after.endpoint_id, first.delivery_id), Delivery) if first is not None else None
        if oldest is not None:
            load = _without(rows, oldest, load)
    rows.put(load_row(after.endpoint_id), load)


def forget(rows: WorkingRows, delivery: Delivery) -> None:
    """Takes a delivery away, with all that points to it."""
    load = _without(rows, delivery, load_of(rows, delivery.endpoint_id))
    rows.put(load_row(delivery.endpoint_id), load)


def _without(rows: WorkingRows, delivery: Delivery, load: Load) -> Load:
    rows.delete(delivery_row(delivery.endpoint_id, delivery.delivery_id))
    if delivery.due is not None:
        rows.delete(due_row(delivery.due, delivery.endpoint_id, delivery.delivery_id))
    if delivery.number:
        rows.delete(_ended_row(delivery.endpoint_id, delivery.number))
    return load.changed(delivery.status, awaited=delivery.awaited, by=-1)


def _numbered(rows: WorkingRows, delivery: Delivery, load: Load) -> tuple[Delivery, Load]:
    """With its number among the ended ones, or without one where it was begun anew."""
    if delivery.status.ended == bool(delivery.number):
        return delivery, load
    if delivery.number:
        rows.delete(_ended_row(delivery.endpoint_id, delivery.number))
        return msgspec.structs.replace(delivery, number=0), load
    ended = Ended(delivery.delivery_id, delivery.ended_at or delivery.created_at)
    rows.put(_ended_row(delivery.endpoint_id, load.next), ended, keep=False)
    numbered = msgspec.structs.replace(delivery, number=load.next)
    return numbered, msgspec.structs.replace(load, next=load.next + 1)


def _plan(rows: WorkingRows, before: Delivery | None, after: Delivery) -> None:
    due_index.move(
        rows,
        lambda due: due_row(due, after.endpoint_id, after.delivery_id),
        lambda due: Planned(after.endpoint_id, after.delivery_id, due),
        before.due if before is not None else None,
        after.due,
    )
