"""The last free room of a sold-out weekend is sold once, however many want it at the same moment."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.whole.api import Api

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
#: The night that everybody wants, in days from today; stays reach up to this many nights around it.
NIGHT, REACH = 90, 5


@pytest.mark.parametrize("seed", range(20))
async def test_of_a_hundred_at_once_exactly_one_gets_the_last_unit(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    name = f"LAST-{seed}"
    await api.unit(name, capacity=1)
    stays = [(NIGHT - chance.randrange(REACH), NIGHT + 1 + chance.randrange(REACH)) for _ in range(100)]
    answers = await asyncio.gather(*(api.book(name, start, end - start) for start, end in stays))
    assert {answer.status for answer in answers} == {201}
    bookings = await asyncio.gather(*(api.outcome(answer.body["booking_id"]) for answer in answers))
    outcomes = sorted((booking["status"], booking["reason"] or "") for booking in bookings)
    assert outcomes == [("CONFIRMED", ""), *[("REJECTED", "sold_out")] * 99]
    assert await api.free(name, NIGHT) == [0]
