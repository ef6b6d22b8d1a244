"""Whole lives of bookings: every step that a guest, a front desk, an operator, a card or a clock can take, in any
order, with processes killed between any two of them. After each, at rest, the promises hold (`promises`).

One method is one kind of step, in `machine`, `guests` and `desk`: what a later version adds is one more
method there, and what it owes in `promises`, `money` or `nights`. `make test` plays a short form;
`LIFE_HISTORIES=100 pytest tests/lives/test_life_histories.py` as many as it says, and `make soak` three thousand.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.cancellation import Quote
from streams.envelope import caused_by
from streams.events import Envelope, Event
from tests.lives.desk import Desk
from tests.lives.guests import Guests
from tests.lives.process import Process

#: How many histories `make test` plays, and how many `make soak` plays at least.
HISTORIES = int(os.environ.get("LIFE_HISTORIES", "1000"))
MANY = 3_000
STEPS = 60


class LifeHistories(Guests, Desk):
    """A property with two unit types, its guests, its staff, and the three services that decide about them."""


def play(histories: int, **more: Any) -> None:
    many = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        **more,
    )
    run_state_machine_as_test(LifeHistories, settings=many)


@pytest.mark.timeout(600)
@pytest.mark.proves("HTL-02", "HTL-26", "HTL-29", "HTL-36", "CAT-23")
def test_after_every_life_every_promise_holds() -> None:
    play(HISTORIES)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_after_thousands_of_lives_every_promise_holds() -> None:
    play(max(HISTORIES, MANY))


def forgetful(process: Process) -> None:
    """Durable by its position only: what it decided is lost with it."""
    process.position = process.next


def under_new_ids(cause: Envelope, event: Event, *, index: int, now: datetime, source: str) -> Envelope:
    return msgspec.structs.replace(
        caused_by(cause, event, index=index, now=now, source=source), event_id=str(uuid.uuid4())
    )


MISTAKES = {
    "a guest is let in before the day": ("domain.booking_changes.is_time", lambda *_: True),
    "one unit too many is sold": ("domain.inventory.Resource.limit", lambda unit, rules, now: unit.capacity + 1),
    "every cancellation is free": (
        "domain.booking_outcomes.quote_cancellation",
        lambda booking, now: Quote(fee=Decimal(0), refund=booking.price_amount),
    ),
    "rows are lost in a kill": ("tests.lives.process.Process.settle", forgetful),
    "a decision made again says new things": ("tests.lives.process.caused_by", under_new_ids),
    "a cancellation is complete at once": ("domain.booking_parts.Closing.waits", False),
    "a parked call is forgotten": ("domain.payment_parking._park", lambda payment, told, now: payment),
    "a call made again has a new key": ("tests.lives.life.id_of", lambda effect: effect.event_id),
    "no clock ticks": ("domain.stay_times.due_of", lambda booking: None),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_in_some_life(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promises are looked at by code that would notice. The same lives every time: whether a mistake shows is
    then no matter of luck.
    """
    monkeypatch.setattr(*MISTAKES[mistake])
    with pytest.raises((AssertionError, ExceptionGroup)):
        play(1_000, phases=[Phase.generate], database=None, report_multiple_bugs=False, derandomize=True)
