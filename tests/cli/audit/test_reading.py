"""The groups' offsets of a broker that has just started."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError
from aiokafka.structs import OffsetAndMetadata

from cli.audit import names, reading
from cli.audit.reading import _commits


class Starting:
    """An admin client whose broker answers with these errors first."""

    def __init__(self, *errors: type[Exception]) -> None:
        self._errors = list(errors)

    async def list_consumer_groups(self) -> list[tuple[str, str]]:
        if len(self._errors) % 2:
            raise self._errors.pop()()
        return [("group", "consumer")]

    async def list_consumer_group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        if self._errors:
            raise self._errors.pop()()
        return {TopicPartition(f"p.{topic}", 0): OffsetAndMetadata(7, "") for topic in names.CAUSES}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AGAIN", 0.0)


@pytest.mark.parametrize("patience", [0.0, 5.0])
async def test_it_is_asked_again_until_it_knows(patience: float) -> None:
    admin: Any = Starting(GroupLoadInProgressError, GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)
    found = await _commits(admin, "p.", patience)
    assert found == {(topic, 0): 7 for topic in names.CAUSES}


async def test_in_the_end_its_answer_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LOADING", 0.0)
    admin: Any = Starting(GroupLoadInProgressError)
    with pytest.raises(GroupLoadInProgressError):
        await _commits(admin, "p.", 0.0)
