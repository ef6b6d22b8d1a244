"""How what is asked of inventory becomes facts: declarations, rules of single nights, and holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cli.audit.calendar import RULES, nights_between, release_of
from cli.audit.history import History
from cli.audit.operations import Block, BlockDue, Calendar, Declare, Hold, Release, Sale, Shorten, Unblock, Waited
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


def declared(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    units = int(data["capacity"]), int(data.get("overbooking_limit", 0))
    cut = data.get("slots", "nights"), data.get("time_zone", "UTC")
    what = Declare(record.offset, record.timestamp, resource_of(data), *units, *cut, short(letter.event_id))
    history.inventory[record.partition].append(what)


def hold_asked(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    history.inventory[record.partition].append(
        Hold(
            record.offset,
            letter.event_id,
            resource_of(data),
            data["booking_id"],
            int(data["revision"]),
            int(data["line"]),
            data["start"],
            data["end"],
            int(data["quantity"]),
            short(letter.cause or ""),
            record.timestamp,
        )
    )


def sold(history: History, record: Record, letter: Letter) -> None:
    history.inventory[record.partition].append(Sale(record.offset, *_line_in(letter.data)))


def released(history: History, record: Record, letter: Letter) -> None:
    what = Release(record.offset, *_line_in(letter.data), short(letter.event_id))
    history.inventory[record.partition].append(what)


def _line_in(data: dict[str, Any]) -> tuple[str, str, int, int]:
    return resource_of(data), data["booking_id"], int(data["revision"]), int(data["line"])


def waited(history: History, record: Record, letter: Letter) -> None:
    history.inventory[record.partition].append(Waited(record.offset, short(letter.event_id)))


def shortened(history: History, record: Record, letter: Letter) -> None:
    what = Shorten(record.offset, *_line_in(letter.data), str(letter.data["first"]), short(letter.event_id))
    history.inventory[record.partition].append(what)
