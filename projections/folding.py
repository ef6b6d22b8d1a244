"""Which records of a portion of a changelog hold, and what they say in the tables. Pure."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from projections.kinds import Kind
from projections.mapping import kind_of
from streams.changelog import Verdict, judge, source_of
from streams.local import POSITION_KEY, Row
from streams.reader import Raw

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Folded:
    """What a portion changes: the keys whose rows in the tables go, and the rows that come."""

    #: The inbox offset that the last position among them names; -1 without one.
    decided: int = -1
    changed: set[str] = field(default_factory=set)
    rows: dict[Table, list[dict[str, Any]]] = field(default_factory=dict)
    unreadable: int = 0


def fold(service: str, records: Sequence[Raw], held: Mapping[str, int], known_through: int) -> Folded:
    """Folds consecutive records of one partition. `held`: of the rows that the tables have, the offset each was decided
    at; `known_through`: one that is not held and was decided by then was deleted.

    A record that nobody can read changes nothing and is counted: its bytes stay where they are.
    """
    folded = Folded()
    known: dict[str, Row] = {key: Row(None, source, -1) for key, source in held.items()}
    newest: dict[str, tuple[Kind, Raw, int]] = {}
    for record in records:
        try:
            key, source = (record.key or b"").decode(), source_of(record.headers)
        except ValueError:
            _pass_over(folded, record, "its key or header is not ours")
            continue
        if key == POSITION_KEY:
            folded.decided = max(folded.decided, source)
        elif (kind := kind_of(service, key)) is not None and _holds(known.get(key), record, source, known_through):
            known[key] = Row(None, source, record.offset)
            newest[key] = kind, record, source
    rows: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
    for key, (kind, record, source) in newest.items():
        try:
            made = _rows_of(kind, key, record.value, source)
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            _pass_over(folded, record, type(error).__name__)
            continue
        folded.changed.add(key)
        for table, row in made:
            rows[table].append(row)
    folded.rows = dict(rows)
    return folded


def _holds(held: Row | None, record: Raw, source: int, known_through: int) -> bool:
    """Whether a record is not the late one of a worker that was paused."""
    deletes = record.value is None
    verdict = judge(held, source=source, at=record.offset, deletes=deletes, known_through=known_through)
    return verdict is Verdict.APPLY


def _rows_of(kind: Kind, key: str, value: bytes | None, source: int) -> list[tuple[Table, dict[str, Any]]]:
    if value is None:
        return []
    made: list[tuple[Table, dict[str, Any]]] = []
    items: defaultdict[Table, int] = defaultdict(int)
    for table, row in kind.read(key.partition("|")[2], value):
        made.append((table, {**row, "row_key": key, "item": items[table], "source": source}))
        items[table] += 1
    return made


def _pass_over(folded: Folded, record: Raw, why: str) -> None:
    folded.unreadable += 1
    logger.error("%s/%s: the row at %s is in no table: %s", record.topic, record.partition, record.offset, why)
