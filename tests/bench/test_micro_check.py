"""A system that did less, or something else, has no figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import orjson
import pytest

from bench.micro.check import Check, Said, WrongAnswer, said
from bench.micro.decision import CAPACITY, Row, decide
from bench.micro.load import Load, value_of

LOAD = Load(5_000, seed=3)


def answers(load: Load, rows: dict[str, Row] | None = None) -> list[Said]:
    """What a system that does the work says, through the bytes it says it in."""
    rows = {} if rows is None else rows
    return [said(answer) for answer in _bytes(load, rows)]


def _bytes(load: Load, rows: dict[str, Row]) -> Iterator[bytes]:
    for booking in load.bookings():
        asked = orjson.loads(value_of(booking))
        resource, slot = f"{asked['provider_id']}/{asked['product_id']}", asked["slot"]
        key = f"{resource}|{slot}"
        row, outcome, left = decide(rows.get(key), asked["booking_id"], asked["quantity"])
        if row is not None:
            rows[key] = row
        yield orjson.dumps(
            {
                "booking_id": asked["booking_id"],
                "resource": resource,
                "slot": slot,
                "outcome": outcome,
                "left": left,
                "sent": asked["sent"],
            }
        )


def judged(given: list[Said], load: Load = LOAD) -> None:
    check = Check(load.reference())
    check.take(given)
    check.close(load.events)


def test_the_work_done_passes() -> None:
    given = answers(LOAD)
    assert {answer.accepted for answer in given} == {True, False}
    judged(given)


def test_the_order_bookings_come_in_is_free() -> None:
    backwards = Load(LOAD.events, LOAD.seed)
    rows: dict[str, Row] = {}
    given = []
    for booking in reversed(list(backwards.bookings())):
        key = "|".join(booking.row)
        row, outcome, left = decide(rows.get(key), booking.booking_id, 1)
        rows[key] = row or rows[key]
        given.append(Said(booking.booking_id, outcome == "accepted", booking.row, left))
    judged(given)


def _one_missing(given: list[Said]) -> list[Said]:
    return given[:-1]


def _one_doubled(given: list[Said]) -> list[Said]:
    return [*given, given[0]]


def _one_booking_for_another(given: list[Said]) -> list[Said]:
    times = Counter(answer.booking_id for answer in given)
    left_out = next(answer for answer in given[1:] if times[answer.booking_id] == 1)
    return [given[0] if answer is left_out else answer for answer in given]


def _all_accepted(given: list[Said]) -> list[Said]:
    return [answer._replace(accepted=True) for answer in given]


def _one_refused_for_nothing(given: list[Said]) -> list[Said]:
    at = next(number for number, answer in enumerate(given) if answer.accepted)
    return [answer._replace(accepted=False) if answer[0] == given[at][0] else answer for answer in given]


def _nothing_remembered(given: list[Said]) -> list[Said]:
    return [answer._replace(left=CAPACITY - 1) if answer.accepted else answer for answer in given]


def _another_row(given: list[Said]) -> list[Said]:
    return [given[0]._replace(row=("hotel-x/room-x", "2026-07-01")), *given[1:]]


@pytest.mark.parametrize(
    "spoiled",
    [
        _one_missing,
        _one_doubled,
        _one_booking_for_another,
        _all_accepted,
        _one_refused_for_nothing,
        _nothing_remembered,
        _another_row,
    ],
)
def test_less_work_is_rejected(spoiled: Callable[[list[Said]], list[Said]]) -> None:
    with pytest.raises(WrongAnswer):
        judged(spoiled(answers(LOAD)))


def test_a_repeat_decided_anew_is_rejected() -> None:
    """A system that keeps no ids in its rows sells the same booking a second unit."""
    rows: dict[str, Row] = {}
    given = []
    for number, booking in enumerate(LOAD.bookings()):
        key = "|".join(booking.row)
        row, outcome, left = decide(rows.get(key), str(number), 1)
        rows[key] = row or rows[key]
        given.append(Said(booking.booking_id, outcome == "accepted", booking.row, left))
    with pytest.raises(WrongAnswer, match="was told"):
        judged(given)


def test_answers_that_name_no_row_are_judged_by_their_booking() -> None:
    judged([answer._replace(row=None, left=None) for answer in answers(LOAD)])
