"""What a worker's view answers a gateway beside the rows themselves."""

from __future__ import annotations

import msgspec

from domain.inventory import Resource


class SlotCount(msgspec.Struct, frozen=True):
    """Units of one night or slot: `held` are all that are taken, `confirmed` those of them that are sold."""

    slot: str
    held: int
    confirmed: int


class SlotCounts(msgspec.Struct, frozen=True):
    """A resource as its owner has it, and the slots that have holds."""

    resource: Resource
    slots: list[SlotCount]
