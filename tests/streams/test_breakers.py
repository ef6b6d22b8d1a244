"""Breakers: who may call when, one probe at a time, nobody lost; and what is told of it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from streams.breakers import PAUSE_S, THRESHOLD, Breaker, Breakers, StillOpen
from streams.events import Envelope
from streams.events.platform import BreakerChanged

#: Long enough that it never ends by itself within a test.
NEVER = 3600.0


class Dependency:
    """A dependency that answers or does not, and its breaker."""

    def __init__(self, threshold: int = 2, pause: float = NEVER) -> None:
        self.said: list[Envelope] = []
        self.breakers = Breakers("worker-0", self.said.append, threshold=threshold, pause=pause)
        self.breaker = self.breakers.of("mail")
        self.called: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def call(self, name: str = "", *, fails: bool = False) -> None:
        async with self.breaker.turn() as turn:
            self.called.append(name)
            if fails:
                turn.failed(ConnectionError())
            else:
                turn.answered()

    async def held(self, name: str, answer: asyncio.Future[bool | None]) -> None:
        """A call that is answered when the test says so: True, False (no answer), None (it was not made)."""
        async with self.breaker.turn() as turn:
            self.called.append(name)
            answered = await answer
            if answered is not None:
                turn.answered() if answered else turn.failed(ConnectionError())

    def start(self, name: str) -> asyncio.Future[bool | None]:
        answer: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        self.tasks.append(asyncio.create_task(self.held(name, answer)))
        return answer

    async def open(self) -> None:
        while self.breaker.state == "closed":
            await self.call("opening", fails=True)
        self.called.clear()

    async def half_open(self) -> None:
        await self.open()
        self.breaker._half_open()
        self.said.clear()

    @property
    def told(self) -> list[BreakerChanged]:
        return [envelope.data for envelope in self.said if isinstance(envelope.data, BreakerChanged)]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def gauge() -> float | None:
    return REGISTRY.get_sample_value("vacancy_breaker_state", {"dependency": "mail"})


@pytest.mark.proves("HTL-39", "C11")
async def test_ten_failures_in_a_row_open_it_and_it_says_so() -> None:
    assert (THRESHOLD, PAUSE_S) == (10, 30.0)
    outside = Dependency(threshold=THRESHOLD)
    for _ in range(THRESHOLD - 1):
        await outside.call(fails=True)
    await outside.call()
    for _ in range(THRESHOLD - 1):
        await outside.call(fails=True)
    assert (outside.breaker.state, outside.breakers.waiting, gauge(), outside.said) == ("closed", False, 0.0, [])
    await outside.call(fails=True)
    assert (outside.breaker.state, gauge()) == ("open", 2.0)
    (told,) = outside.told
    assert (told.dependency, told.state, told.failures, told.part) == ("mail", "open", THRESHOLD, "worker-0")


@pytest.mark.proves("HTL-39")
async def test_after_its_pause_it_is_half_open_by_itself_and_an_answer_closes_it() -> None:
    outside = Dependency(pause=0.01)
    await outside.open()
    async with asyncio.timeout(10):
        await outside.call("waited")
    assert (outside.called, outside.breaker.state, gauge()) == (["waited"], "closed", 0.0)
    assert [told.state for told in outside.told] == ["open", "half_open", "closed"]
    assert [told.failures for told in outside.told] == [2, 2, 0]


async def test_while_it_is_open_nothing_is_called() -> None:
    outside = Dependency()
    await outside.open()
    outside.start("a")
    await settle()
    assert outside.called == []
    with pytest.raises(StillOpen):
        async with outside.breaker.turn(0.0):
            pytest.fail("an open breaker let a call through")


async def test_only_calls_that_are_not_made_yet_wait() -> None:
    """Without traffic nobody waits however long it is not closed, nor does the probe: neither holds anything up."""
    outside, waited = Dependency(), []
    await outside.open()
    waited.append(outside.breakers.waiting)
    probe = outside.start("a")
    await settle()
    waited.append(outside.breakers.waiting)
    outside.breaker._half_open()
    await settle()
    waited.append(outside.breakers.waiting)
    outside.start("b")
    await settle()
    waited.append(outside.breakers.waiting)
    probe.set_result(True)
    await settle()
    waited.append(outside.breakers.waiting)
    assert (outside.called, waited) == (["a", "b"], [False, True, False, True, False])


async def test_half_open_lets_one_through_and_the_others_follow_in_the_order_of_arrival() -> None:
    outside = Dependency()
    await outside.open()
    first, second, _ = outside.start("a"), outside.start("b"), outside.start("c")
    await settle()
    outside.breaker._half_open()
    await settle()
    assert outside.called == ["a"]
    first.set_result(True)
    await settle()
    assert (outside.called, outside.breaker.state) == (["a", "b"], "closed")
    second.set_result(True)
    await settle()
    assert outside.called == ["a", "b", "c"]


@pytest.mark.proves("HTL-39")
async def test_once_it_is_closed_those_who_waited_go_in_portions_that_grow_with_the_answers() -> None:
    """All at once they would knock over again whoever has just come back."""
    outside = Dependency()
    await outside.half_open()
    answers = [outside.start(f"{number:02}") for number in range(40)]
    portions, begun = [], 0
    while begun <= len(answers):
        await settle()
        portions.append(len(outside.called) - begun)
        if begun == 0:
            outside.start("new")
        for answer in answers[begun : len(outside.called)]:
            answer.set_result(True)
        begun = len(outside.called)
    assert portions == [1, 1, 2, 4, 8, 8, 8, 8, 1], (
        "the probe, one, with each answer one more, up to eight mails at once"
    )
    assert outside.called == [f"{number:02}" for number in range(40)] + ["new"], "a new one stands behind"


async def test_however_many_there_are_only_so_many_are_under_way_and_the_others_wait_as_long_as_it_takes() -> None:
    """While it is closed nobody is sent away: what is parked for want of room would be parked again and again."""
    outside = Dependency()
    answers = [outside.start(f"{number:02}") for number in range(20)]

    async def impatient() -> None:
        async with outside.breaker.turn(0.001):
            outside.called.append("impatient")

    waiting = asyncio.create_task(impatient())
    await asyncio.sleep(0.01)
    assert (len(outside.called), waiting.done()) == (8, False)
    for answer in answers:
        answer.set_result(True)
    await waiting
    assert outside.called[-1] == "impatient"


@pytest.mark.parametrize("end", ["failed", "not made", "cancelled"])
async def test_a_call_that_ends_otherwise_makes_way_for_one_and_widens_nothing(end: str) -> None:
    outside = Dependency(threshold=3)
    await outside.half_open()
    outside.start("probe").set_result(True)
    await settle()
    answers = [outside.start(name) for name in "abc"]
    await settle()
    assert outside.called == ["probe", "a"]
    if end == "cancelled":
        outside.tasks[1].cancel()
    else:
        answers[0].set_result(False if end == "failed" else None)
    await settle()
    assert (outside.called, outside.breaker.state) == (["probe", "a", "b"], "closed")


async def test_one_that_is_let_in_and_cancelled_in_the_same_moment_makes_way() -> None:
    outside = Dependency()
    await outside.half_open()
    probe = outside.start("probe")
    outside.start("a"), outside.start("b")
    await settle()
    probe.set_result(True)
    await asyncio.sleep(0)
    assert (outside.breaker.state, outside.called) == ("closed", ["probe"])
    outside.tasks[1].cancel()
    await settle()
    assert outside.called == ["probe", "b"]


async def test_what_hangs_since_before_it_opened_holds_up_nobody() -> None:
    outside = Dependency()
    outside.start("hangs")
    await settle()
    await outside.half_open()
    for name in ("probe", "a", "b"):
        outside.start(name).set_result(True)
    await settle()
    assert outside.called == ["probe", "a", "b"]


async def test_a_probe_without_an_answer_opens_it_again_and_the_next_in_line_is_the_next_probe() -> None:
    outside = Dependency()
    await outside.half_open()
    first, _ = outside.start("a"), outside.start("b")
    await settle()
    first.set_result(False)
    await settle()
    assert (outside.called, outside.breaker.state) == (["a"], "open")
    outside.breaker._half_open()
    await settle()
    assert outside.called == ["a", "b"]


async def test_a_probe_that_was_not_made_leaves_it_half_open_and_the_next_is_the_probe() -> None:
    outside = Dependency()
    await outside.half_open()
    first, _ = outside.start("a"), outside.start("b")
    await settle()
    first.set_result(None)
    await settle()
    assert (outside.called, outside.breaker.state, outside.said) == (["a", "b"], "half_open", [])


@pytest.mark.parametrize("moment", ["waiting", "named", "calling"])
async def test_a_probe_that_is_cancelled_makes_way(moment: str) -> None:
    """Partitions may be taken at any moment; whoever waits behind must not wait for ever."""
    outside = Dependency()
    await outside.open()
    outside.start("a")
    last = outside.start("b")
    await settle()
    if moment == "waiting":
        outside.tasks[0].cancel()
    outside.breaker._half_open()
    if moment == "calling":
        await settle()
    outside.tasks[0].cancel()
    await settle()
    last.set_result(True)
    await settle()
    assert (outside.called[-1], outside.breaker.state) == ("b", "closed")


async def test_what_began_before_it_opened_decides_nothing() -> None:
    outside = Dependency()
    early = [outside.start("early"), outside.start("early")]
    await settle()
    await outside.half_open()
    probe = outside.start("probe")
    await settle()
    early[0].set_result(True)
    early[1].set_result(False)
    await settle()
    assert (outside.breaker.state, outside.said) == ("half_open", [])
    probe.set_result(True)
    await settle()
    assert outside.breaker.state == "closed"


async def test_the_log_being_away_stops_no_breaker() -> None:
    def away(envelope: Envelope) -> None:
        raise ConnectionError("no broker")

    breaker = Breakers("worker-0", away, threshold=1, pause=NEVER).of("sms")
    async with breaker.turn() as turn:
        turn.failed(ConnectionError())
    assert breaker.state == "open"


async def test_each_dependency_has_one_breaker_of_its_own() -> None:
    breakers = Breakers("worker-0", lambda envelope: None, threshold=1, pause=NEVER)
    async with breakers.of("sms").turn() as turn:
        turn.failed(ConnectionError())
    assert (breakers.of("sms").state, breakers.of("payment-provider").state) == ("open", "closed")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["ask", "answer", "fail", "nothing", "cancel", "pause over"]), max_size=60))
def test_whatever_happens_calls_are_made_only_when_they_may_be_and_nobody_is_forgotten(steps: list[str]) -> None:
    asyncio.run(_lived(steps))


async def _lived(steps: list[str]) -> None:
    outside = Dependency(threshold=3)
    answers: dict[str, asyncio.Future[bool | None]] = {}
    for number, step in enumerate(steps):
        before, was = len(outside.called), outside.breaker.state
        _take(outside, answers, step, str(number))
        await settle()
        begun = len(outside.called) - before
        assert outside.breaker.state != "open" or begun == 0, step
        assert outside.breaker.state != "half_open" or begun <= 1, step
        if was == "half_open" and outside.breaker.state == "closed":
            assert begun <= 1, "one follows the probe"
    # At last the dependency is well again: everybody who asked and did not go away is called, in their order.
    async with asyncio.timeout(30):
        while answers:
            _take(outside, answers, "pause over", "")
            _take(outside, answers, "answer", "")
            await settle()
    assert outside.called == sorted(outside.called, key=int)
    assert all(task.done() for task in outside.tasks)


def _take(outside: Dependency, answers: dict[str, asyncio.Future[bool | None]], step: str, name: str) -> None:
    calling = [each for each in outside.called if each in answers]
    match step:
        case "ask":
            answers[name] = outside.start(name)
            outside.tasks[-1].set_name(name)
        case "pause over" if outside.breaker.state == "open":
            outside.breaker._half_open()
        case "cancel" if answers:
            gone, _ = answers.popitem()
            next(task for task in outside.tasks if task.get_name() == gone).cancel()
        case "answer" | "fail" | "nothing" if calling:
            answers.pop(calling[0]).set_result({"answer": True, "fail": False, "nothing": None}[step])


def test_a_breaker_by_itself_is_closed() -> None:
    assert Breaker("mail", lambda breaker: None).state == "closed"
