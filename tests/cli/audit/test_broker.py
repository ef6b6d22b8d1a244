"""The groups' offsets: those of a broker that has just started, and whose of them count."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError
from aiokafka.structs import OffsetAndMetadata

from cli.audit import broker, names
from cli.audit.broker import commits_of
from cli.audit.dialects import ORDERS
from cli.audit.history import History
from cli.audit.spelling import Spelling

HISTORY = History(spelling=Spelling(prefix="p."))


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
    monkeypatch.setattr(broker, "_AGAIN", 0.0)


@pytest.mark.parametrize("patience", [0.0, 5.0])
async def test_it_is_asked_again_until_it_knows(patience: float) -> None:
    admin: Any = Starting(GroupLoadInProgressError, GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)
    found = await commits_of(admin, HISTORY, patience)
    assert found == {(topic, 0): 7 for topic in names.CAUSES}


async def test_in_the_end_its_answer_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_LOADING", 0.0)
    admin: Any = Starting(GroupLoadInProgressError)
    with pytest.raises(GroupLoadInProgressError):
        await commits_of(admin, HISTORY, 0.0)


class Groups:
    """An admin client of a cluster with these groups' offsets."""

    def __init__(self, offsets: dict[str, dict[str, int]]) -> None:
        self._offsets = offsets

    async def list_consumer_groups(self) -> list[tuple[str, str]]:
        return [(group, "consumer") for group in self._offsets]

    async def list_consumer_group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        return {
            TopicPartition(topic, 0): OffsetAndMetadata(offset, "") for topic, offset in self._offsets[group].items()
        }


async def test_of_the_public_topics_only_the_gate_s_offsets_count() -> None:
    admin: Any = Groups(
        {
            "shop.vacancy-gate": {"shop.order_created": 3, "vacancy.shop.booking.inbox": 5},
            "shop.payment-service": {"shop.order_created": 9, "vacancy.shop.payment.inbox": 7},
            "vacancy-gate": {"order_created": 11, "vacancy.booking.inbox": 13},
        }
    )
    found = await commits_of(admin, History(dialect=ORDERS, spelling=Spelling("shop")), 0.0)
    assert found == {("order_created", 0): 3, (names.BOOKING_INBOX, 0): 5, (names.PAYMENT_INBOX, 0): 7}


@pytest.mark.parametrize("namespace", ["", "shop", "north-1"])
@pytest.mark.parametrize("prefix", ["", "audit-1."])
@pytest.mark.parametrize("name", ["vacancy.booking.inbox", "vacancy.events", "order_created", "vacancy-booking"])
def test_a_name_is_known_again_as_it_is_spelled(namespace: str, prefix: str, name: str) -> None:
    spelling = Spelling(namespace, prefix)
    assert spelling.plain(spelling.on_broker(name)) == name


@pytest.mark.parametrize(
    ("namespace", "name", "spelled"),
    [
        ("", "vacancy.booking.inbox", "vacancy.booking.inbox"),
        ("shop", "vacancy.booking.inbox", "vacancy.shop.booking.inbox"),
        ("shop", "booking.booking.created", "shop.booking.booking.created"),
        ("shop", "order-service", "shop.order-service"),
    ],
)
def test_names_are_spelled_as_the_platform_spells_them(namespace: str, name: str, spelled: str) -> None:
    assert Spelling(namespace).on_broker(name) == spelled


@pytest.mark.parametrize("other", ["order_created", "vacancy.booking.inbox", "north.order_created"])
def test_what_is_not_in_the_namespace_is_somebody_else_s(other: str) -> None:
    assert Spelling("shop").plain(other) is None
