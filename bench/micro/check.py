"""Whether a system did the work: every booking answered, and as the decision has it. No peer is measured doing less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from bench.micro.decision import CAPACITY
from bench.micro.load import Reference

Row = tuple[str, str]


class WrongAnswer(Exception):
    """A system did something else than it was asked; one sentence that says what."""


class Said(NamedTuple):
    """One answer. `row` and `left` are None where a system's answer does not name them."""

    booking_id: str
    accepted: bool
    row: Row | None = None
    left: int | None = None


def said(value: bytes) -> Said:
    """An answer as the lean systems write it."""
    body = orjson.loads(value)
    return Said(body["booking_id"], body["outcome"] == "accepted", (body["resource"], body["slot"]), body["left"])


class Check:
    """Takes a system's answers and says whether they are those of the reference.

    Which bookings of a full row are refused depends on the order they came in; how many, and what was left after each
    accepted one, does not.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._row_of = {booking: row for row, bookings in reference.rows.items() for booking in bookings}
        #: What every booking was told: what was left, or None for a refusal.
        self._told: dict[str, tuple[bool, int | None]] = {}
        self._count = 0

    def take(self, answers: Iterable[Said]) -> None:
        """Raises WrongAnswer: one is about another row, or says something else than the one before it."""
        for answer in answers:
            self._count += 1
            if answer.row is not None and answer.row != self._row_of.get(answer.booking_id):
                raise WrongAnswer(f"{answer.booking_id} was decided on the row {answer.row}")
            told = answer.accepted, answer.left if answer.accepted else None
            if self._told.setdefault(answer.booking_id, told) != told:
                raise WrongAnswer(f"{answer.booking_id} was told {self._told[answer.booking_id]} and {told}")

    def close(self, expected: int) -> None:
        """Raises WrongAnswer unless there were so many answers, to all bookings, and as many accepted of each row."""
        if self._count != expected:
            raise WrongAnswer(f"{self._count} answers instead of {expected}")
        if self._told.keys() != self._row_of.keys():
            raise WrongAnswer(f"answers to {len(self._told)} of {len(self._row_of)} bookings, or to others")
        lefts: defaultdict[Row, list[int | None]] = defaultdict(list)
        for booking, (accepted, left) in self._told.items():
            if accepted:
                lefts[self._row_of[booking]].append(left)
        for row in self._reference.rows:
            self._check_row(row, lefts[row])

    def _check_row(self, row: Row, lefts: list[int | None]) -> None:
        accepted = self._reference.accepted(row)
        if len(lefts) != accepted:
            raise WrongAnswer(f"{len(lefts)} bookings of {row} are accepted, {accepted} should be")
        counted = sorted((left for left in lefts if left is not None), reverse=True)
        if counted and counted != [CAPACITY - taken for taken in range(1, accepted + 1)]:
            raise WrongAnswer(f"what is left of {row} was counted as {counted}")
