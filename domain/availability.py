"""What the availability service decides: whether a hold fits, and what a release frees.

A hold is judged by the resource as it stands at its place in the inbox, and a refusal is remembered like an acceptance:
whatever comes twice, or after its own end, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain.calendar import STOCK, Unbookable, slots_of
from domain.decision import Decision
from domain.declaration import declare
from domain.inventory import Holding, HoldRecord, Inventory, Night, Resource, hold_id_of
from domain.night_news import night_updates, nights_overbooked
from domain.offers import offered_to, take_over
from domain.property_calendar import release_block, remove_block, set_block, set_calendar
from domain.restrictions import objection
from streams.events import Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release, Shorten
from streams.events.booking import LineRejected, LineReleased, LineReserved
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar

#: What is said of one revision of a line's hold.
OfHold = Hold | ConfirmHold | Release | Shorten

__all__ = [
    "HoldRecord",
    "Holding",
    "Inventory",
    "Night",
    "Resource",
    "decide",
    "hold_id_of",
    "refuse",
    "slots_needed",
]


def slots_needed(resource: Resource | None, holding: Holding | None, message: Event) -> tuple[str, ...]:
    """The nights a decision on a hold looks at, to be read before it. A DeclareResource names none here: it is given
    every night of its resource that has live holds or rules (those that are over may be left out); what a calendar or
    a block needs is said by `domain.property_calendar`.
    """
    match message:
        case Hold() if resource and _record(holding, message) is None:
            if offer := offered_to(resource, holding, message):
                return offer.slots
            try:
                return slots_of(resource.slots, resource.time_zone, message.start, message.end)
            except Unbookable:
                return ()
        case Release() | ConfirmHold() | Shorten():
            record = _record(holding, message)
            return record.slots if record and record.live else ()
        case _:
            return ()


def decide(inventory: Inventory, message: Event, now: datetime) -> Decision[Inventory]:
    """The inventory after `message` and what follows. Total: what does not concern inventory changes nothing."""
    match message:
        case DeclareResource():
            return declare(inventory, message, now)
        case SetCalendar():
            return set_calendar(inventory, message)
        case SetBlock():
            return set_block(inventory, message, now)
        case RemoveBlock():
            return remove_block(inventory, now)
        case BlockDue():
            return release_block(inventory, now)
        case Hold():
            return _hold(inventory, message, now)
        case ConfirmHold():
            return _confirm(inventory, message)
        case Release():
            return _release(inventory, message, now)
        case Shorten():
            return _shorten(inventory, message, now)
        case _:
            return Decision(inventory)


def _hold(inventory: Inventory, hold: Hold, now: datetime) -> Decision[Inventory]:
    match _record(inventory.holding, hold):
        case None:
            return _take_or_refuse(inventory, hold, now)
        case HoldRecord(state="released", quantity=0):
            return refuse(inventory, hold, "already_released")
        case _:
            return Decision(inventory)  # decided before


def _take_or_refuse(inventory: Inventory, hold: Hold, now: datetime) -> Decision[Inventory]:
    holding, resource = inventory.holding or Holding(), inventory.resource
    if holding.supersedes(hold.revision):
        return refuse(inventory, hold, "superseded")
    if resource is None:
        return refuse(inventory, hold, "unknown_resource")
    if offer := offered_to(resource, holding, hold):
        return take_over(inventory, hold, offer)
    try:
        slots = slots_of(resource.slots, resource.time_zone, hold.start, hold.end)
    except Unbookable as refusal:
        return refuse(inventory, hold, refusal.reason)
    name = hold_id_of(hold.booking_id, hold.line)
    taken = {slot: _night(inventory, slot).taking(name, hold.revision, hold.quantity) for slot in slots}
    reason = objection(inventory, resource, hold, taken, now)
    if reason is not None:
        return refuse(inventory, hold, reason)
    record = HoldRecord(state="held", slots=slots, quantity=hold.quantity)
    reserved = LineReserved(booking_id=hold.booking_id, revision=hold.revision, line=hold.line)
    rules = inventory.rules
    told = (*night_updates(resource, taken, now, rules), *nights_overbooked(resource, taken, now, rules))
    return Decision(_with_record(inventory, hold, record, taken), (reserved, *told))


def refuse(inventory: Inventory, hold: Hold, reason: str) -> Decision[Inventory]:
    """The hold refused for `reason`, and remembered so that it stays refused."""
    record = HoldRecord(state="refused", quantity=hold.quantity, reason=reason)
    rejected = LineRejected(booking_id=hold.booking_id, revision=hold.revision, line=hold.line, reason=reason)
    return Decision(_with_record(inventory, hold, record), (rejected,))


def _confirm(inventory: Inventory, message: ConfirmHold) -> Decision[Inventory]:
    record = _record(inventory.holding, message)
    if record is None or record.state != "held":
        return Decision(inventory)
    name = hold_id_of(message.booking_id, message.line)
    nights = {slot: _confirmed(_night(inventory, slot), slot, name, message.revision) for slot in record.slots}
    confirmed = msgspec.structs.replace(record, state="confirmed")
    return Decision(_with_record(inventory, message, confirmed, nights))  # as many are held as before: nothing to tell


def _release(inventory: Inventory, message: Release, now: datetime) -> Decision[Inventory]:
    record = _record(inventory.holding, message)
    if record is None:  # the end overtook its start: remembered, so that the start is refused
        return Decision(_with_record(inventory, message, HoldRecord(state="released")), _report(message))
    if not record.live:
        return _nothing_held(inventory, message, record)
    name = hold_id_of(message.booking_id, message.line)
    freed = {slot: _freed(_night(inventory, slot), slot, name, message.revision, record) for slot in record.slots}
    released = HoldRecord(state="released", quantity=record.quantity)
    updates = tuple(night_updates(inventory.resource, freed, now, inventory.rules)) if inventory.resource else ()
    return Decision(_with_record(inventory, message, released, freed), (*updates, *_report(message)))


def _shorten(inventory: Inventory, message: Shorten, now: datetime) -> Decision[Inventory]:
    record = _record(inventory.holding, message)
    given_back = [slot for slot in record.slots if slot >= message.first] if record and record.live else []
    if record is None or not given_back:
        return Decision(inventory)
    name = hold_id_of(message.booking_id, message.line)
    freed = {slot: _night(inventory, slot).freeing(name, message.revision) for slot in given_back}
    kept = msgspec.structs.replace(record, slots=tuple(slot for slot in record.slots if slot < message.first))
    updates = tuple(night_updates(inventory.resource, freed, now, inventory.rules)) if inventory.resource else ()
    return Decision(_with_record(inventory, message, kept, freed), updates)


def _nothing_held(inventory: Inventory, message: Release, record: HoldRecord) -> Decision[Inventory]:
    """It was refused, which a booking may ask to be told as the end that it is; or this came before."""
    if record.state == "released" or not message.report:
        return Decision(inventory)
    released = HoldRecord(state="released", quantity=record.quantity, reason=record.reason)
    return Decision(_with_record(inventory, message, released), _report(message))


def _report(message: Release) -> tuple[Event, ...]:
    if not message.report:
        return ()
    return (LineReleased(booking_id=message.booking_id, revision=message.revision, line=message.line),)


def _confirmed(night: Night, slot: str, hold: str, revision: int) -> Night:
    return night.selling(hold, revision) if slot == STOCK else night.confirming(hold, revision)


def _freed(night: Night, slot: str, hold: str, revision: int, record: HoldRecord) -> Night:
    if slot == STOCK and record.state == "confirmed":
        return night.taking_back(record.quantity)
    return night.freeing(hold, revision)


def _night(inventory: Inventory, slot: str) -> Night:
    return inventory.nights.get(slot) or Night()


def _record(holding: Holding | None, message: OfHold) -> HoldRecord | None:
    return holding.revisions.get(message.revision) if holding else None


def _with_record(
    inventory: Inventory,
    message: OfHold,
    record: HoldRecord,
    nights: Mapping[str, Night] | None = None,
) -> Inventory:
    """The inventory with this revision's record, and with `nights` in the place of what they were."""
    holding = (inventory.holding or Holding()).with_record(message.revision, record)
    kept = {**inventory.nights, **nights} if nights else inventory.nights
    return Inventory(inventory.resource, kept, holding, inventory.rules)
