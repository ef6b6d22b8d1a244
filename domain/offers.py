"""How nights are held for an offer, and how a booking takes them over.

An accepted entry's booking has the entry's id, and a booking's revisions begin with 1: so the offer is held as revision
0 of the first line of the booking it may become, and every rule about revisions of a hold holds for it.
"""

from __future__ import annotations

import msgspec

from domain.calendar import Unbookable, slots_of
from domain.decision import Decision
from domain.inventory import Holding, HoldRecord, Inventory, Night, Resource, hold_id_of
from streams.events.availability import Hold
from streams.events.booking import LineReserved

#: The revision that an offer is held under, and the line.
OFFER, LINE = 0, 1


def offer_of(holding: Holding | None) -> HoldRecord | None:
    """What is held for an offer now."""
    record = holding.revisions.get(OFFER) if holding is not None else None
    return record if record is not None and record.live else None


def offered_to(resource: Resource, holding: Holding | None, hold: Hold) -> HoldRecord | None:
    """What is held for the offer that this hold accepts: the same nights, and as many of them."""
    offer = offer_of(holding)
    if offer is None or hold.revision == OFFER or hold.quantity != offer.quantity:
        return None
    try:
        slots = slots_of(resource.slots, resource.time_zone, hold.start, hold.end)
    except Unbookable:
        return None
    return offer if slots == offer.slots else None


def take_over(inventory: Inventory, hold: Hold, offer: HoldRecord) -> Decision[Inventory]:
    """The booking's hold in the place of the offer's, in one decision: as much is held as before, so nobody can come
    between. It was promised: whatever became of the resource since is no reason to refuse it.
    """
    name, holding = hold_id_of(hold.booking_id, hold.line), inventory.holding or Holding()
    nights = {
        slot: inventory.nights.get(slot, Night()).taking(name, hold.revision, hold.quantity).freeing(name, OFFER)
        for slot in offer.slots
    }
    ended = HoldRecord(state="released", quantity=offer.quantity)
    taken = holding.with_record(OFFER, ended).with_record(hold.revision, msgspec.structs.replace(offer, state="held"))
    reserved = LineReserved(booking_id=hold.booking_id, revision=hold.revision, line=hold.line)
    return Decision(Inventory(inventory.resource, {**inventory.nights, **nights}, taken), (reserved,))
