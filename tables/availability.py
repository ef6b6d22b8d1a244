"""The availability service's table: resources, their nights with the holds on them, and what each line holds.

Rows: `r|{resource}` a resource; `n|{resource}|{slot}` a night or slot with its live holds; `o|{resource}|{hold}` every
revision of one line's hold. All of a resource lie in one partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.availability import decide, refuse, slots_needed
from domain.inventory import Holding, Inventory, Night, Resource, hold_id_of
from streams.events import Envelope, Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release, Shorten
from streams.keys import KEYS, partition_of, resource_key
from streams.rows import RowStore
from streams.working import WorkingRows


class Availability:
    """Decides holds on the rows of their resource."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        before = _load(rows, message.data)
        decision = decide(before, message.data, now)
        _save(rows, message.data, before, decision.state)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        if not isinstance(message.data, Hold):
            return None
        before = _load(rows, message.data)
        decision = refuse(before, message.data, reason)
        _save(rows, message.data, before, decision.state)
        return decision.events


def _load(rows: WorkingRows, message: Event) -> Inventory:
    resource = KEYS["resource"](message)
    declared = rows.get(f"r|{resource}", Resource)
    if isinstance(message, DeclareResource):
        prefix = f"n|{resource}|"
        return Inventory(declared, {key.removeprefix(prefix): night for key, night in rows.scan(prefix, Night)})
    holding = rows.get(_holding_key(resource, message), Holding)
    nights = {}
    for slot in slots_needed(declared, holding, message):
        night = rows.get(f"n|{resource}|{slot}", Night)
        if night is not None:
            nights[slot] = night
    return Inventory(declared, nights, holding)


def _save(rows: WorkingRows, message: Event, before: Inventory, after: Inventory) -> None:
    resource = KEYS["resource"](message)
    if after.resource is not None and after.resource is not before.resource:
        rows.put(f"r|{resource}", after.resource)
    if after.holding is not None and after.holding is not before.holding:
        rows.put(_holding_key(resource, message), after.holding)
    for slot, night in after.nights.items():
        if night is before.nights.get(slot):
            continue
        if not night.empty:
            rows.put(f"n|{resource}|{slot}", night)
        else:
            rows.delete(f"n|{resource}|{slot}")


def _holding_key(resource: str, message: Event) -> str:
    assert isinstance(message, Hold | ConfirmHold | Release | Shorten)
    return f"o|{resource}|{hold_id_of(message.booking_id, message.line)}"


def read(store: RowStore, provider_id: str, product_id: str, slots: Iterable[str]) -> Inventory:
    """A resource and the given slots of it as they are durable in this worker; `resource` is None for an unknown one.

    Raises:
        NotOwner: another worker has them.
    """
    resource = resource_key(provider_id, product_id)
    partition = partition_of(resource, store.partitions)
    declared = store.get(partition, f"r|{resource}")
    nights = {slot: store.get(partition, f"n|{resource}|{slot}") for slot in slots}
    return Inventory(
        msgspec.json.decode(declared, type=Resource) if declared is not None else None,
        {slot: msgspec.json.decode(raw, type=Night) for slot, raw in nights.items() if raw is not None},
    )
