"""The availability service's table: resources, their nights with the holds on them, and what each line holds.

Rows: `r|{resource}` a resource; `n|{resource}|{slot}` a night or slot with its live holds; `o|{resource}|{hold}` every
revision of one line's hold; `c|{resource}|{slot}` a night's own rules and what is blocked of it; `b|{resource}|{block}`
a block; `d|{release_at}|{resource}|{block}` one that is still to be released; `p|{resource}|{plan}` a rate plan
(`tables.rate_plans`). All of a resource lie in one partition, with those who wait for it (`tables.waitlist`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from domain.availability import decide, refuse, slots_needed
from domain.inventory import Holding, Inventory, Night, Resource, hold_id_of
from domain.night_rules import NO_RULES, Block, NightRules
from domain.property_calendar import nights_touched
from domain.restrictions import rules_needed
from streams.events import Envelope, Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release, Shorten
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from streams.events.rate_plans import DeclareRatePlan, WithdrawRatePlan
from streams.events.waitlist import OfferNights
from streams.keys import KEYS, partition_of, resource_key
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import due_index, rate_plans
from tables.waitlist import Waitlist, WaitlistMessage, concerned

R = TypeVar("R", bound=msgspec.Struct)


class Availability:
    """Decides holds on the rows of their resource. `rates` says whether a rate service runs, which is told of prices
    in its own inbox then.
    """

    def __init__(self, *, rates: bool = False) -> None:
        self._rates = rates

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        said = _decided(rows, message.data, Waitlist(rows, _load, _save, now), now)
        return (*said, *rate_plans.kept_by_rates(rows, said)) if self._rates else said

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A hold that is too large is refused; of everything else the offers that follow from it are left to later, and
        made one by one where even those are too many for one decision.
        """
        match message.data:
            case Hold():
                before = _load(rows, message.data)
                decision = refuse(before, message.data, reason)
                _save(rows, message.data, before, decision.state)
                return decision.events
            case _:
                most = 1 if isinstance(message.data, OfferNights) else 0
                return _decided(rows, message.data, Waitlist(rows, _load, _save, now, most), now)


def _decided(rows: WorkingRows, message: Event, waitlist: Waitlist, now: datetime) -> Sequence[Event]:
    if isinstance(message, DeclareRatePlan | WithdrawRatePlan):
        return rate_plans.apply(rows, message)
    if isinstance(message, WaitlistMessage):
        return tuple(waitlist.decide(message))
    before = _load(rows, message)
    decision = decide(before, message, now)
    _save(rows, message, before, decision.state)
    if not concerned(before, decision.state):
        return decision.events
    return (*decision.events, *waitlist.follow(message, before, decision.state))


def _load(rows: WorkingRows, message: Event) -> Inventory:
    resource = KEYS["resource"](message)
    declared = rows.get(f"r|{resource}", Resource)
    match message:
        case DeclareResource():
            ruled = declared is not None and declared.calendar
            rules = _scanned(rows, f"c|{resource}|", NightRules) if ruled else {}
            return Inventory(declared, _scanned(rows, f"n|{resource}|", Night), rules=rules)
        case SetCalendar() | SetBlock() | RemoveBlock() | BlockDue():
            block = None if isinstance(message, SetCalendar) else rows.get(_block_key(resource, message), Block)
            touched = nights_touched(block, message)
            nights = {} if isinstance(message, SetCalendar) else _found(rows, f"n|{resource}|", touched, Night)
            return Inventory(declared, nights, None, _found(rows, f"c|{resource}|", touched, NightRules), block)
        case _:
            holding = rows.get(_holding_key(resource, message), Holding)
            slots = slots_needed(declared, holding, message)
            rules = _found(rows, f"c|{resource}|", rules_needed(declared, message, slots), NightRules)
            return Inventory(declared, _found(rows, f"n|{resource}|", slots, Night), holding, rules)


def _scanned(rows: WorkingRows, prefix: str, model: type[R]) -> dict[str, R]:
    return {key.removeprefix(prefix): row for key, row in rows.scan(prefix, model)}


def _found(rows: WorkingRows, prefix: str, slots: Iterable[str], model: type[R]) -> dict[str, R]:
    return {slot: row for slot in slots if (row := rows.get(f"{prefix}{slot}", model)) is not None}


def _save(rows: WorkingRows, message: Event, before: Inventory, after: Inventory) -> None:
    resource = KEYS["resource"](message)
    if after.resource is not None and after.resource is not before.resource:
        rows.put(f"r|{resource}", after.resource)
    if after.holding is not None and after.holding is not before.holding:
        rows.put(_holding_key(resource, message), after.holding)
    if isinstance(message, SetBlock | RemoveBlock | BlockDue):
        _save_block(rows, message, before.block, after.block)
    for slot, night in after.nights.items():
        if night is not before.nights.get(slot):
            _put(rows, f"n|{resource}|{slot}", None if night.empty else night)
    for slot, rules in after.rules.items():
        if rules is not before.rules.get(slot):
            _put(rows, f"c|{resource}|{slot}", None if rules == NO_RULES else rules)


def _save_block(
    rows: WorkingRows, message: SetBlock | RemoveBlock | BlockDue, before: Block | None, after: Block | None
) -> None:
    was, waits = (block.waits_for if block is not None else None for block in (before, after))
    if after is not before:
        _put(rows, _block_key(KEYS["resource"](message), message), after)
    due_index.move(
        rows,
        lambda due: f"d|{due_index.instant(due)}|{KEYS['resource'](message)}|{message.block_id}",
        lambda due: BlockDue(
            provider_id=message.provider_id, product_id=message.product_id, block_id=message.block_id, release_at=due
        ),
        was,
        waits,
        ticked=(message.release_at,) if isinstance(message, BlockDue) else (),
    )


def due(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[BlockDue]:
    """Says of the blocks of a partition whose time has come that it has, the earliest first, at most `most`."""
    for raw in due_index.over(store, partition, "d|", now, most):
        yield msgspec.json.decode(raw, type=BlockDue)


def _put(rows: WorkingRows, key: str, row: msgspec.Struct | None) -> None:
    if row is None:
        rows.delete(key)
    else:
        rows.put(key, row)


def _holding_key(resource: str, message: Event) -> str:
    assert isinstance(message, Hold | ConfirmHold | Release | Shorten)
    return f"o|{resource}|{hold_id_of(message.booking_id, message.line)}"


def _block_key(resource: str, message: Event) -> str:
    assert isinstance(message, SetBlock | RemoveBlock | BlockDue)
    return f"{block_prefix(resource)}{message.block_id}"


def block_prefix(resource: str) -> str:
    """What the names of a resource's blocks begin with."""
    return f"b|{resource}|"


def read(store: RowStore, provider_id: str, product_id: str, slots: Iterable[str]) -> Inventory:
    """A resource, the given slots of it and their rules as they are durable in this worker; nothing of an unknown one.

    Raises:
        NotOwner: another worker has them.
    """
    resource = resource_key(provider_id, product_id)
    partition = partition_of(resource, store.partitions)
    declared = store.get(partition, f"r|{resource}")
    found = msgspec.json.decode(declared, type=Resource) if declared is not None else None
    if found is None:
        return Inventory()
    slots = tuple(slots)

    def stored(kind: str, model: type[R], wanted: Iterable[str]) -> dict[str, R]:
        raw = {slot: store.get(partition, f"{kind}|{resource}|{slot}") for slot in wanted}
        return {slot: msgspec.json.decode(each, type=model) for slot, each in raw.items() if each is not None}

    rules = stored("c", NightRules, slots if found.calendar else ())
    return Inventory(found, stored("n", Night, slots), rules=rules)
