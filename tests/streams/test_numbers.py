"""Confirmation numbers (HTL-16, HTL-17, C25): nobody's twice, whoever asks, restarts or fails in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.envelope import originate
from streams.events import Event
from streams.log import Appended, LogUnavailable
from streams.numbers import BLOCK, Numbers, confirmation_number

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
#: What may become of a lease: acknowledged; not written; written and unheard of; known as a retry without a place.
Fate = Literal["well", "lost", "unheard", "placeless"]


class Leases:
    """The topic of leases: it outlives every gateway, and every directory."""

    def __init__(self) -> None:
        self.end = 0
        self.fates: list[Fate] = []

    async def append(self, event: Event, *, source: str) -> Appended:
        fate = self.fates.pop() if self.fates else "well"
        if fate == "lost":
            raise LogUnavailable("the broker is away")
        offset, self.end = self.end, self.end + 1
        if fate == "unheard":
            raise LogUnavailable("no acknowledgement")
        known = offset if fate == "well" else -1
        return Appended(originate(event, source=source, now=NOW), "vacancy.numbers", 0, known)


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["ask", "ask", "ask a block", "restart"])), min_size=1, max_size=40
)
fates = st.lists(st.sampled_from(["well", "well", "lost", "unheard", "placeless"]), max_size=30)


@pytest.mark.proves("HTL-16", "HTL-17")
@given(steps, fates)
def test_no_number_is_given_twice(steps: list[tuple[int, str]], fates: list[Fate]) -> None:
    """Three gateways ask, use up blocks, begin anew with an empty directory, and lose leases on the way."""
    leases = Leases()
    leases.fates = list(fates)
    gateways = [Numbers(leases, f"gateway-{number}") for number in range(3)]
    given_out: list[int] = []

    async def ask(gateway: Numbers, times: int) -> None:
        for _ in range(times):
            try:
                given_out.append(await gateway.next())
            except LogUnavailable:
                return

    for number, step in steps:
        if step == "restart":
            gateways[number] = Numbers(leases, f"gateway-{number}")
        else:
            asyncio.run(ask(gateways[number], BLOCK if step == "ask a block" else 3))
    assert len(set(given_out)) == len(given_out)
    assert all(number >= 1 for number in given_out)


async def test_a_gateway_that_begins_anew_begins_a_block() -> None:
    leases = Leases()
    first = Numbers(leases, "gateway-1")
    assert [await first.next(), await first.next()] == [1, 2]
    assert await Numbers(leases, "gateway-1").next() == 1_001
    assert await Numbers(leases, "gateway-2").next() == 2_001
    assert await first.next() == 3


def test_a_number_shows_the_year_it_was_asked_for_in_utc() -> None:
    """New Year's Eve: the last number of 2026 and the first of 2027 differ in more than the year."""
    assert confirmation_number(123, NOW) == "RSV-2026-000123"
    assert confirmation_number(124, NOW + timedelta(minutes=1)) == "RSV-2027-000124"
    auckland = timezone(timedelta(hours=13))
    assert confirmation_number(125, NOW.astimezone(auckland)) == "RSV-2026-000125"


def test_a_number_has_as_many_digits_as_it_needs() -> None:
    assert confirmation_number(1_234_567, NOW) == "RSV-2026-1234567"
