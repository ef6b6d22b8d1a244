"""How what a property said of single nights becomes facts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cli.audit.calendar import RULES, nights_between, release_of
from cli.audit.history import History
from cli.audit.operations import Block, BlockDue, Calendar, Unblock
from cli.audit.wire import Letter, Record, short


def resource_of(data: dict[str, Any]) -> str:
    return f"{quote(data['provider_id'], safe='')}/{quote(data['product_id'], safe='')}"


def calendar_set(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    nights = nights_between(data["from_date"], data["to_date"], data.get("weekdays"))
    rules = {name: data[name] for name in RULES if data.get(name) is not None}
    said = Calendar(record.offset, resource_of(data), nights, rules, tuple(data.get("clears", ())), _id(letter))
    history.inventory[record.partition].append(said)


def blocked(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    nights = nights_between(data["from_date"], data["to_date"])
    of = record.offset, resource_of(data), data["block_id"]
    block = Block(*of, nights, int(data["units"]), release_of(data.get("release_at")), _id(letter))
    history.inventory[record.partition].append(block)


def unblocked(history: History, record: Record, letter: Letter) -> None:
    said = Unblock(record.offset, resource_of(letter.data), letter.data["block_id"], _id(letter))
    history.inventory[record.partition].append(said)


def block_due(history: History, record: Record, letter: Letter) -> None:
    said = BlockDue(record.offset, record.timestamp, resource_of(letter.data), letter.data["block_id"], _id(letter))
    history.inventory[record.partition].append(said)


def _id(letter: Letter) -> bytes:
    return short(letter.event_id)
