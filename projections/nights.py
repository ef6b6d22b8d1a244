"""Rows of the availability service, as tables: units, nights, their rules and blocks, plans, and who waits."""

from __future__ import annotations

from datetime import date

import msgspec

from domain.inventory import Night, Resource
from domain.night_rules import Block, NightRules
from domain.plan_declaration import KeptPlan
from domain.waitlist import Entry
from projections.kinds import Cells, Kind, code, of_resource
from projections.schema import BLOCKED, BLOCKS, NIGHT_RULES, NIGHTS, PLANS, UNITS, WAITLIST

_resource = msgspec.json.Decoder(Resource)
_night = msgspec.json.Decoder(Night)
_rules = msgspec.json.Decoder(NightRules)
_block = msgspec.json.Decoder(Block)
_plan = msgspec.json.Decoder(KeptPlan)
_entry = msgspec.json.Decoder(Entry)
#: What a night's rules are called in the table, as in the row.
_NAMES = (
    "stop_sell",
    "closed_to_arrival",
    "closed_to_departure",
    "min_stay",
    "max_stay",
    "min_advance_days",
    "max_advance_days",
    "overbooking_limit",
)


def unit(key: str, value: bytes) -> Cells:
    row = _resource.decode(value)
    yield (
        UNITS,
        {
            "property_id": row.provider_id,
            "unit_type": row.product_id,
            "resource": key,
            "slots": str(row.slots),
            "time_zone": row.time_zone,
            "currency": row.price_currency,
            "capacity": row.capacity,
            "overbooking_limit": row.overbooking_limit,
            "min_stay": row.min_stay,
            "waiting": row.waiting,
            "base_price": row.price_amount,
        },
    )


def night(key: str, value: bytes) -> Cells:
    resource, _, slot = key.partition("|")
    row = _night.decode(value)
    of = {"resource": resource, **of_resource(resource), "slot": slot, "night": _date(slot)}
    # What waits to be confirmed is held; units of a hold under change count once, as the greater of both.
    yield NIGHTS, {**of, "held": row.held - row.confirmed, "confirmed": row.confirmed}


def _date(slot: str) -> date | None:
    """The night of a slot; None of one cut in minutes, or of stock."""
    try:
        return date.fromisoformat(slot)
    except ValueError:
        return None


def rules(key: str, value: bytes) -> Cells:
    resource, _, slot = key.partition("|")
    row = _rules.decode(value)
    of = {"resource": resource, **of_resource(resource), "slot": slot}
    yield NIGHT_RULES, {**of, **{name: getattr(row, name) for name in _NAMES}}
    for block_id, taken in row.blocks.items():
        said = {"block_id": block_id, "units": taken.units, "release_at": taken.release_at}
        yield BLOCKED, {"resource": resource, "slot": slot, **said}


def block(key: str, value: bytes) -> Cells:
    row = _block.decode(value)
    yield (
        BLOCKS,
        {
            **of_resource(key.partition("|")[0]),
            "block_id": row.block_id,
            "reason": str(row.reason),
            "units": row.units,
            "released": row.released,
            "from_date": row.from_date,
            "to_date": row.to_date,
            "release_at": row.release_at,
        },
    )


def plan(key: str, value: bytes) -> Cells:
    row = _plan.decode(value)
    yield (
        PLANS,
        {
            **of_resource(key.partition("|")[0]),
            "rate_plan": row.rate_plan,
            "name": row.plan.name,
            "currency": row.currency,
            "rules": msgspec.json.encode(row.plan).decode(),
            "withdrawn": row.withdrawn,
            "base_price": row.plan.base,
        },
    )


def entry(key: str, value: bytes) -> Cells:
    row = _entry.decode(value)
    yield (
        WAITLIST,
        {
            "entry_id": row.entry_id,
            "property_id": row.provider_id,
            "unit_type": row.product_id,
            "user_id": row.user_id,
            "status": row.status.value,
            "reason": code(row.reason),
            "time_zone": row.time_zone,
            "quantity": row.quantity,
            "starts_at": row.start,
            "ends_at": row.end,
            "joined_at": row.joined_at,
            "until": row.until,
            "offer_until": row.offer_until,
            "ended_at": row.ended_at,
        },
    )


AVAILABILITY_KINDS = {
    "r": Kind(unit, UNITS),
    "n": Kind(night, NIGHTS),
    "c": Kind(rules, NIGHT_RULES, (BLOCKED,)),
    "b": Kind(block, BLOCKS),
    "p": Kind(plan, PLANS),
    "e": Kind(entry, WAITLIST),
}
