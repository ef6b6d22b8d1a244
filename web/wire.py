"""What a worker's view and a gateway agree on: what is answered beside the rows themselves, and what is waited for."""

from __future__ import annotations

import msgspec

from domain.booking_state import Booking, BookingStatus
from domain.inventory import Resource
from domain.night_rules import NO_RULES, NightRules

#: A row of a list: its name, and its JSON as it is stored.
Found = tuple[str, msgspec.Raw]


class SlotCount(msgspec.Struct, frozen=True):
    """Units of one night or slot: `held` are all that are taken, `confirmed` those of them that are sold."""

    slot: str
    held: int
    confirmed: int
    #: Of stock: how many of them are gone since it was last counted; less than none when more came back.
    sold: int = 0


class SlotCounts(msgspec.Struct, frozen=True):
    """A resource as its owner has it, the slots that have holds, and the rules of the nights that have any."""

    resource: Resource
    slots: list[SlotCount]
    rules: dict[str, NightRules] = {}

    def rules_of(self, slot: str) -> NightRules:
        return self.rules.get(slot, NO_RULES)


def settled(booking: Booking) -> bool:
    """Whether there is an outcome."""
    return booking.status is not BookingStatus.PENDING


def at_rest(booking: Booking) -> bool:
    """Whether nothing is under way that the next change or step has to wait for."""
    return booking.change is None and (booking.paid or booking.status is not BookingStatus.CONFIRMED)
