"""The crash points find what they are for: without any one of these defences some kill changes an outcome."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import agents.payment
from streams.effects import EffectRunner
from streams.local import Row
from streams.rows import Partition
from streams.settling import Settler, _position
from streams.slices import Slice
from tests.crash import runs


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
    assert any(each.startswith("news") for each in _found("declined"))


def test_rows_before_their_changelog_are_lost_with_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert any(each.startswith("news") for each in _found("declined"))


def test_a_new_key_for_each_attempt_charges_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = agents.payment._ask

    async def anew(provider: Any, call: Any, token: str | None, key: str) -> Any:
        return await ask(provider, call, token, str(uuid.uuid4()))

    monkeypatch.setattr(agents.payment, "_ask", anew)
    assert any(each.startswith("the provider's books") for each in _found("order"))
