"""Effects: in order for each key, side by side otherwise, committed only up to the first open one (design 5.8)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

import msgspec

from streams.codec import encode
from streams.effects import EffectRunner, Unreachable
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

    async def call(self, effect: Envelope) -> Envelope:
        assert isinstance(effect.data, CancelBooking)
        name = f"{effect.data.booking_id}{effect.data.reason}"
        self.called.append(name)
        if self.down:
            self.down -= 1
            raise Unreachable("no connection", self.later)
        await self.open[name].wait()
        return effect


class Setting:
    def __init__(
        self,
        answered: Callable[[Envelope], bool] = lambda effect: False,
        park: Callable[[Envelope, Unreachable], Envelope] | None = None,
        ordered: bool = True,
    ) -> None:
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
            delays=(0.0, 0.0),
            fail=self.failures.append,
            park=park,
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
