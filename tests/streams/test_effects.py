"""Effects: in order for each key, side by side otherwise, committed only up to the first open one (design 5.8).

What is refused becomes a dead letter and an answer; while a breaker is open everything waits, and nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.breakers import Breakers
from streams.codec import encode
from streams.effects import EffectRunner, NotAsked, Refused, Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.booking import CancelBooking
from streams.events.booking_news import BookingExpired
from streams.processor import Batch
from streams.publisher import Record
from tests.memory_log import MemoryLog, Stored
from tests.streams.tally import T0

TOPIC = "vacancy.payment.effects"


class Outside:
    """A provider whose answers a test hands out."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.open: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.down = 0
        self.later: float | None = None
        #: What the calls to come raise, the next one first.
        self.failures: list[Exception] = []

    async def call(self, effect: Envelope) -> Envelope:
        assert isinstance(effect.data, CancelBooking)
        name = f"{effect.data.booking_id}{effect.data.reason}"
        self.called.append(name)
        if self.down:
            self.down -= 1
            raise Unreachable("no connection", self.later)
        if self.failures:
            raise self.failures.pop(0)
        await self.open[name].wait()
        return effect


class Setting:
    def __init__(
        self,
        answered: Callable[[Envelope], bool] = lambda effect: False,
        park: Callable[[Envelope, Unreachable], Envelope] | None = None,
        ordered: bool = True,
        refusals: int = 3,
        threshold: int = 1_000,
        delays: tuple[float, ...] = (0.0, 0.0),
    ) -> None:
        self.breaker = Breakers("worker-0", lambda envelope: None, threshold=threshold, pause=3600.0).of("mail")
        self.log, self.outside = MemoryLog(), Outside()
        self.results: list[str] = []
        self.committed: dict[int, int] = {}
        self.failures: list[BaseException] = []
        self.runner = EffectRunner(
            accepts=(CancelBooking,),
            call=self.outside.call,
            append=self._append,
            already_answered=lambda partition, effect: answered(effect),
            commit=self.committed.__setitem__,
            publisher=self.log,
            group="group",
            delays=delays,
            fail=self.failures.append,
            park=park,
            refused=turned_down,
            refusals=refusals,
            breaker=lambda effect: self.breaker,
            ordered=ordered,
        )

    async def _append(self, result: Envelope) -> None:
        assert isinstance(result.data, CancelBooking)
        self.results.append(f"{result.data.booking_id}{result.data.reason}")

    def ask(self, name: str, what: str) -> Stored:
        event = CancelBooking(booking_id=name, reason=what, cancelled_by="t")
        return self.log.append(TOPIC, 0, Record(name.encode(), encode(originate(event, source="t", now=T0))))

    async def start(self, *records: Stored) -> None:
        await self.runner.apply(Batch(0, records, lambda: None))
        await settle()


def turned_down(effect: Envelope, refusal: Refused) -> Envelope:
    asked = effect.data
    assert isinstance(asked, CancelBooking)
    return originate(msgspec.structs.replace(asked, reason=f"{asked.reason} refused"), source="t", now=T0)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_calls_of_one_key_are_made_in_order_and_others_beside_them() -> None:
    setting = Setting()
    await setting.start(setting.ask("a", "1"), setting.ask("a", "2"), setting.ask("b", "1"))
    assert setting.outside.called == ["a1", "b1"]
    setting.outside.open["a1"].set()
    await settle()
    assert setting.outside.called == ["a1", "b1", "a2"]


async def test_only_the_unbroken_run_of_results_is_committed() -> None:
    setting = Setting()
    await setting.start(setting.ask("a", "1"), setting.ask("b", "1"), setting.ask("c", "1"))
    setting.outside.open["b1"].set()
    await settle()
    assert (setting.results, setting.committed) == (["b1"], {})
    setting.outside.open["a1"].set()
    await settle()
    assert setting.committed == {0: 2}
    setting.outside.open["c1"].set()
    await settle()
    assert setting.committed == {0: 3}


async def test_an_outage_is_waited_out_and_nothing_is_dead_lettered() -> None:
    setting = Setting()
    setting.outside.down = 2
    setting.outside.open["a1"].set()
    await setting.start(setting.ask("a", "1"))
    async with asyncio.timeout(5):
        while not setting.results:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert setting.outside.called == ["a1", "a1", "a1"]
    assert setting.log.read(f"{TOPIC}.dlq") == []


def given_back(effect: Envelope, failure: Unreachable) -> Envelope:
    asked = effect.data
    assert isinstance(asked, CancelBooking)
    return originate(msgspec.structs.replace(asked, reason=f"{asked.reason} parked"), source="t", now=T0)


async def test_a_call_that_outlasts_its_retries_is_given_back_and_holds_up_nothing() -> None:
    setting = Setting(park=given_back)
    setting.outside.down = 3
    setting.outside.open["b1"].set()
    await setting.start(setting.ask("a", "1"))
    async with asyncio.timeout(5):
        while not setting.committed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (setting.outside.called, setting.results) == (["a1", "a1", "a1"], ["a1 parked"])
    await setting.start(setting.ask("b", "1"))
    assert setting.committed == {0: 2}


async def test_a_provider_that_asks_for_patience_is_given_it_where_a_call_can_be_parked() -> None:
    setting = Setting(park=given_back)
    setting.outside.down, setting.outside.later = 1, 30.0
    await setting.start(setting.ask("a", "1"))
    assert (setting.outside.called, setting.results) == (["a1"], ["a1 parked"])


async def test_where_order_does_not_matter_calls_of_one_key_are_made_side_by_side() -> None:
    setting = Setting(ordered=False)
    await setting.start(setting.ask("a", "1"), setting.ask("a", "2"))
    assert setting.outside.called == ["a1", "a2"]


async def test_an_effect_whose_answer_was_taken_is_not_called_again() -> None:
    setting = Setting(answered=lambda effect: True)
    await setting.start(setting.ask("a", "1"))
    assert setting.outside.called == []
    assert setting.committed == {0: 1}


async def test_poison_is_buried_and_the_next_effect_is_called() -> None:
    setting = Setting()
    setting.outside.open["a1"].set()
    poison = setting.log.append(TOPIC, 0, Record(b"a", b"{"))
    await setting.start(poison, setting.ask("a", "1"))
    [letter] = setting.log.read(f"{TOPIC}.dlq")
    assert letter.value == b"{"
    assert setting.committed == {0: 2}


async def test_a_message_that_is_no_effect_is_buried_too() -> None:
    setting = Setting()
    other = BookingExpired(booking_id="a", user_id="u", product_id="p", expired_at=T0)
    strange = setting.log.append(TOPIC, 0, Record(b"a", encode(originate(other, source="t", now=T0))))
    await setting.start(strange)
    [letter] = setting.log.read(f"{TOPIC}.dlq")
    assert dict(letter.headers)["vacancy-dlq-class"] == b"misplaced"
    assert (setting.committed, setting.failures) == ({0: 1}, [])


async def test_what_was_under_way_is_dropped_with_the_partition() -> None:
    setting = Setting()
    await setting.start(setting.ask("a", "1"))
    setting.runner.forget()
    setting.outside.open["a1"].set()
    await settle()
    assert (setting.results, setting.committed, setting.failures) == ([], {}, [])


# --- what is refused ---


@pytest.mark.proves("CAT-25", "HTL-38", "C11")
@pytest.mark.parametrize("refusals", [3, 5])
async def test_content_that_is_refused_so_often_is_a_dead_letter_and_an_answer(refusals: int) -> None:
    """Three times in all in the catalogue's layout, five times in the hotel's; nothing waits for it any more."""
    setting = Setting(refusals=refusals, delays=(0.0,) * 5)
    setting.outside.failures = [Refused("the server answered 550") for _ in range(refusals)]
    setting.outside.open["a2"].set()
    asked = setting.ask("a", "1")
    await setting.start(asked, setting.ask("a", "2"))
    await until(lambda: setting.committed == {0: 2})
    assert setting.outside.called == ["a1"] * refusals + ["a2"]
    assert setting.results == ["a1 refused", "a2"]
    (letter,) = setting.log.read(f"{TOPIC}.dlq")
    assert (letter.key, letter.value) == (asked.key, asked.value)
    said = {name.removeprefix("vacancy-dlq-"): value.decode() for name, value in letter.headers}
    assert (said["class"], said["reason"], said["attempts"]) == ("refused", "the server answered 550", str(refusals))
    assert datetime.fromisoformat(said["first"]) <= datetime.fromisoformat(said["last"])


async def test_an_answer_before_that_is_the_answer() -> None:
    setting = Setting()
    setting.outside.failures = [Refused("550"), Refused("550")]
    setting.outside.open["a1"].set()
    await setting.start(setting.ask("a", "1"))
    await until(lambda: setting.committed)
    assert (setting.outside.called, setting.results) == (["a1"] * 3, ["a1"])
    assert setting.log.read(f"{TOPIC}.dlq") == []


async def test_what_is_no_content_at_all_is_not_asked_again() -> None:
    setting = Setting()
    setting.outside.failures = [Refused("cannot be written", final=True)]
    await setting.start(setting.ask("a", "1"))
    assert (setting.outside.called, setting.results, setting.committed) == (["a1"], ["a1 refused"], {0: 1})
    assert len(setting.log.read(f"{TOPIC}.dlq")) == 1


@pytest.mark.proves("C11")
async def test_an_outage_between_refusals_is_none() -> None:
    setting = Setting(refusals=2, delays=(0.0,) * 5)
    setting.outside.failures = [Unreachable("away"), Refused("550"), Unreachable("away"), Refused("550")]
    await setting.start(setting.ask("a", "1"))
    await until(lambda: setting.committed)
    (letter,) = setting.log.read(f"{TOPIC}.dlq")
    assert (setting.results, dict(letter.headers)["vacancy-dlq-attempts"]) == (["a1 refused"], b"4")


async def test_a_replayed_effect_is_called_whatever_came_of_it_before() -> None:
    setting = Setting(answered=lambda effect: True)
    setting.outside.open["a1"].set()
    asked = setting.ask("a", "1")
    again = setting.log.append(TOPIC, 0, Record(asked.key, asked.value, (("vacancy-replays", b"1"),)))
    await setting.start(asked, again)
    assert (setting.outside.called, setting.results, setting.committed) == (["a1"], ["a1"], {0: 2})


# --- while a dependency is left alone ---


@pytest.mark.proves("HTL-39", "C11")
async def test_while_the_breaker_is_open_effects_wait_and_none_is_called_lost_or_buried() -> None:
    setting = Setting(threshold=2, park=given_back, delays=(0.0,) * 5)
    setting.outside.failures = [Unreachable("away"), Unreachable("away")]
    for name in ("a1", "a2", "b1"):
        setting.outside.open[name].set()
    await setting.start(setting.ask("a", "1"), setting.ask("a", "2"), setting.ask("b", "1"))
    await until(lambda: setting.breaker.state == "open")
    called = len(setting.outside.called)
    await setting.start(setting.ask("a", "3"))
    await settle()
    assert (len(setting.outside.called), setting.results, setting.committed) == (called, [], {})
    setting.outside.open["a3"].set()
    setting.breaker._half_open()
    await until(lambda: setting.committed == {0: 4})
    assert sorted(setting.results) == ["a1", "a2", "a3", "b1"]
    assert [result for result in setting.results if result[0] == "a"] == ["a1", "a2", "a3"]
    assert setting.log.read(f"{TOPIC}.dlq") == []


async def test_waiting_for_a_breaker_is_no_attempt() -> None:
    """However often its pause begins anew, a call is made as often as the ladder has rungs before it is given back."""
    setting = Setting(threshold=1, park=given_back)
    setting.outside.failures = [Unreachable("away") for _ in range(3)]
    await setting.start(setting.ask("a", "1"))
    for calls in (1, 2):
        await until(lambda: setting.breaker.state == "open")
        await settle()
        assert (len(setting.outside.called), setting.results) == (calls, [])
        setting.breaker._half_open()
    await until(lambda: setting.results)
    assert (len(setting.outside.called), setting.results) == (3, ["a1 parked"])


async def test_what_can_be_parked_waits_only_so_long_and_is_given_back_uncalled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.calling.LONGEST_WAIT_S", 0.0)
    setting = Setting(threshold=1, park=given_back)
    setting.outside.failures = [Unreachable("away")]
    await setting.start(setting.ask("a", "1"), setting.ask("b", "1"))
    await until(lambda: setting.committed == {0: 2})
    assert (setting.outside.called, sorted(setting.results)) == (["a1"], ["a1 parked", "b1 parked"])


async def test_a_key_that_cannot_be_read_says_nothing_of_the_provider() -> None:
    setting = Setting(threshold=1)
    setting.outside.failures = [NotAsked("no key"), NotAsked("no key")]
    setting.outside.open["a1"].set()
    await setting.start(setting.ask("a", "1"))
    await until(lambda: setting.committed)
    assert (setting.outside.called, setting.breaker.state) == (["a1"] * 3, "closed")


async def test_a_refusal_is_an_answer_to_the_breaker() -> None:
    setting = Setting(threshold=2, refusals=1)
    setting.outside.failures = [Unreachable("away"), Refused("550"), Unreachable("away")]
    setting.outside.open["b1"].set()
    await setting.start(setting.ask("a", "1"))
    await until(lambda: setting.committed == {0: 1})
    await setting.start(setting.ask("b", "1"))
    await until(lambda: setting.committed == {0: 2})
    assert setting.breaker.state == "closed"


async def test_waiting_for_a_breaker_ends_with_the_partition() -> None:
    setting = Setting(threshold=1)
    setting.outside.failures = [Unreachable("away")]
    await setting.start(setting.ask("a", "1"), setting.ask("b", "1"))
    await until(lambda: setting.breaker.state == "open")
    setting.runner.forget()
    await settle()
    setting.breaker._half_open()
    await settle()
    assert (setting.outside.called, setting.results, setting.committed, setting.failures) == (["a1"], [], {}, [])
    await setting.runner.resume({0})
    setting.outside.open["a1"].set()
    await setting.start(setting.log.read(TOPIC)[0])
    assert (setting.results, setting.breaker.state) == (["a1"], "closed")


_CALLS = st.sampled_from(["answer", "away", "refused", "no key"])


@settings(max_examples=40, deadline=None)
@given(st.lists(_CALLS, max_size=40), st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.booleans())
def test_whatever_the_calls_come_to_every_effect_is_answered_once_in_the_order_of_its_key(
    calls: list[str], keys: list[str], parks: bool
) -> None:
    asyncio.run(_all_answered(calls, keys, parks))


async def _all_answered(calls: list[str], keys: list[str], parks: bool) -> None:
    setting = Setting(threshold=3, refusals=2, park=given_back if parks else None, delays=(0.0,) * 50)
    failures: dict[str, Callable[[], Exception]] = {
        "away": lambda: Unreachable("away"),
        "refused": lambda: Refused("550"),
        "no key": lambda: NotAsked("no key"),
    }
    setting.outside.failures = [failures[call]() for call in calls if call != "answer"]
    asked = [setting.ask(key, str(number)) for number, key in enumerate(keys)]
    for number, key in enumerate(keys):
        setting.outside.open[f"{key}{number}"].set()
    await setting.runner.apply(Batch(0, asked, lambda: None))
    async with asyncio.timeout(30):
        while setting.committed != {0: len(keys)}:
            called = len(setting.outside.called)
            await settle()
            if setting.breaker.state == "open" and len(setting.outside.called) == called:
                setting.breaker._half_open()
    answered = [result.split()[0] for result in setting.results]
    assert sorted(answered) == sorted(f"{key}{number}" for number, key in enumerate(keys))
    for key in set(keys):
        numbers = [int(result[1:]) for result in answered if result[0] == key]
        assert numbers == sorted(numbers)
    letters = [letter.value for letter in setting.log.read(f"{TOPIC}.dlq")]
    assert len(letters) == sum(result.endswith("refused") for result in setting.results)
    assert setting.failures == []
