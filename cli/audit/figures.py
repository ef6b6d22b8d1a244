"""P6 of analytics: the figures of each property and day are what its inbox comes to, counted from its first record.

A figure is kept in the partition of the booking it was counted of, so each partition is compared by itself, as of the
position it has reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from cli.audit.counting import figures
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.wire import Letter, Record, money

#: Of a property's day: what is counted, by currency or group where it is -> how much.
Day = dict[tuple[str, str], Decimal]


def observed(history: History, record: Record, letter: Letter) -> None:
    """Takes an observation that analytics has counted; what it has not is none of its rows yet."""
    if history.passed("analytics", record.partition, record.offset):
        history.counted[record.partition, letter.data["entity_id"]].hear(letter.data)


def day_of(row: dict[str, Any]) -> Day:
    """What a row of figures says, less what comes to nothing."""
    found = dict(_said(row))
    return {what: amount for what, amount in found.items() if amount}


def _said(row: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Decimal]]:
    for what, said in row.items():
        for name, amount in said.items() if isinstance(said, dict) else [("", said)]:
            yield (what, name), money(amount)


def check_figures(history: History, verdict: Verdict) -> None:
    expected = _expected(history)
    found = {name: row.content for name, row in history.rows["figures"].items() if row.content}
    for name in sorted(expected.keys() | found.keys()):
        verdict.checked += 1
        row, inbox = found.get(name, {}), expected.get(name, {})
        if row != inbox:
            verdict.find(f"figures {name}", _difference(row, inbox))


def _expected(history: History) -> dict[str, Day]:
    """By the name their rows have: `{property}|{day}#{partition}`."""
    days: defaultdict[str, Day] = defaultdict(dict)
    partitions = {partition for partition, _ in history.counted}
    for partition in partitions:
        mine = (counted for (place, _), counted in history.counted.items() if place == partition)
        for (property_id, day, what, name), amount in figures(mine).items():
            days[f"{quote(property_id, safe='')}|{day}#{partition}"][what, name] = Decimal(amount)
    return days


def _difference(row: object, inbox: Day) -> str:
    if not isinstance(row, dict):
        return f"its row is {row}"
    differ = sorted(what for what in row.keys() | inbox.keys() if row.get(what) != inbox.get(what))
    what = differ[0]
    more = f"; {len(differ) - 1} more differ" if len(differ) > 1 else ""
    return f"{' '.join(filter(None, what))}: its row has {row.get(what, 0)}, the inbox {inbox.get(what, 0)}{more}"
