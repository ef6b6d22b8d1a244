"""The crash points find what they are for: without one of these defences some kill changes an outcome, and the audit
says of all but one of them which promise is broken.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

import agents.payment
from streams.deciding import Decider
from streams.effects import EffectRunner
from streams.envelope import caused_by
from streams.events import Envelope
from streams.local import Row
from streams.processor import Processor
from streams.rows import Partition
from streams.settling import Settler, _position
from streams.slices import Slice
from tests.crash import runs
from tests.sabotage.defences import remove


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    runs.reference.cache_clear()
    runs.differences.cache_clear()
    yield
    runs.reference.cache_clear()
    runs.differences.cache_clear()


def _found(flow: str) -> Iterator[str]:
    for version in runs.reference(flow).left:
        yield from runs.differences(flow, version, disk_lost=version % 2 == 0)


def test_outputs_that_nobody_waits_for_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Settler._settle

    async def hastily(self: Settler, partition: Partition, slice_: Slice) -> None:
        slice_.outputs.clear()
        await settle(self, partition, slice_)

    monkeypatch.setattr(Settler, "_settle", hastily)
    assert any(each.startswith("the audit, P7") for each in _found("declined"))


def test_rows_before_their_changelog_are_lost_with_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the audit, which reads no local rows, takes what is not on the changelog for not done yet."""
    settle = Settler._settle

    async def locally_first(self: Settler, partition: Partition, slice_: Slice) -> None:
        if slice_.last is not None:
            rows = {key: Row(written.payload, offset, 0) for key, (written, offset) in slice_.rows.items()}
            position = Row(_position(slice_.last).value, slice_.last.offset, 0)
            partition.store({**rows, "\0position": position}, partition.local.changelog_next)
        await settle(self, partition, slice_)

    monkeypatch.setattr(Settler, "_settle", locally_first)
    assert any(_found("declined"))


def test_a_call_committed_before_its_result_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = EffectRunner._perform

    async def committed(self: EffectRunner, partition: int, record: Any) -> None:
        self._commit(partition, record.offset + 1)
        await perform(self, partition, record)

    monkeypatch.setattr(EffectRunner, "_perform", committed)
    assert any(each.startswith("the audit, P7") for each in _found("declined"))


def test_a_new_key_for_each_attempt_charges_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = agents.payment._ask

    async def anew(provider: Any, call: Any, token: str | None, key: str) -> Any:
        return await ask(provider, call, token, str(uuid.uuid4()))

    monkeypatch.setattr(agents.payment, "_ask", anew)
    assert any(each.startswith("the audit, P3") for each in _found("order"))


def test_drawn_ids_say_one_outcome_under_two(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(cause: Envelope, event: Any, **more: Any) -> Envelope:
        return msgspec.structs.replace(caused_by(cause, event, **more), event_id=str(uuid.uuid4()))

    monkeypatch.setattr("streams.processor.caused_by", drawn)
    assert any(each.startswith("the audit, P1") for each in _found("declined"))


def test_the_workers_own_clock_tells_one_event_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided again a moment later, the same record has other times in what follows from it."""
    outcome, times = Decider._outcome, count()

    def by_the_wall(self: Decider, rows: Any, message: Envelope, now: datetime, offset: int) -> Any:
        return outcome(self, rows, message, now + timedelta(seconds=next(times)), offset)

    monkeypatch.setattr(Decider, "_outcome", by_the_wall)
    assert any(each.startswith("the audit, P5") for each in _found("declined"))


def test_a_message_id_that_is_drawn_shows_in_the_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has no Message-IDs: it is the mails that differ."""
    monkeypatch.setattr("adapters.messages.message_id_of", lambda notice_id: f"<{uuid.uuid4()}@vacancy.invalid>")
    assert any(each.startswith("mail") for each in _found("declined"))


def test_a_stock_agent_loses_and_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Processor, "apply", Processor.apply)  # put back at the end
    remove("processor")
    assert any(each.startswith("the audit") for each in _found("declined"))
