"""Prescriptions, pharmacy orders and health records, action by action (CLN-06..08, CLN-16, CLN-22)."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.records import Record, decide
from streams.events import Event
from streams.events.booking import CheckIn
from streams.events.records import (
    Action,
    ChangeRecord,
    HealthRecordCreated,
    HealthRecordUpdated,
    OpenRecord,
    PharmacyOrderCancelled,
    PharmacyOrderCreated,
    PharmacyOrderDelivered,
    PharmacyOrderShipped,
    PharmacyOrderUpdated,
    PrescriptionCancelled,
    PrescriptionCreated,
    PrescriptionUpdated,
    RecordKind,
    RecordNews,
)
from tests.domain.messages import NOW
from tests.domain.services import RowOf, Story

FIRST: dict[RecordKind, str] = {"prescription": "active", "order": "pending", "health": "created"}


def opened(kind: RecordKind, status: str | None = None, announced: bool = False) -> OpenRecord:
    status = FIRST[kind] if status is None else status
    return OpenRecord(
        record_id="r1", kind=kind, user_id="p1", content="sealed 1", status=status, fingerprint="f", announced=announced
    )


def change(
    kind: RecordKind,
    action: Action = "updated",
    status: str | None = None,
    content: str | None = None,
    revision: int | None = None,
    user: str | None = None,
    announced: bool = False,
) -> ChangeRecord:
    return ChangeRecord(
        record_id="r1",
        kind=kind,
        action=action,
        status=status,
        content=content,
        revision=revision,
        user_id=user,
        announced=announced,
    )


def given_record(kind: RecordKind, *messages: Event) -> Story[RowOf[Record]]:
    return Story(RowOf(Record, decide)).when(opened(kind), *messages)


def news(model: type[RecordNews], status: str, revision: int, content: str = "sealed 1") -> RecordNews:
    return model(record_id="r1", user_id="p1", content=content, status=status, revision=revision, changed_at=NOW)


@pytest.mark.proves("CLN-06", "CLN-16")
def test_a_prescription_is_created_updated_and_cancelled() -> None:
    story = given_record("prescription").then(news(PrescriptionCreated, "active", 1))
    story = story.when(change("prescription", content="sealed 2")).then(
        news(PrescriptionUpdated, "active", 2, "sealed 2")
    )
    story = story.when(change("prescription", status="inactive", revision=3)).then(
        news(PrescriptionUpdated, "inactive", 3, "sealed 2")
    )
    story = story.when(change("prescription", "cancelled")).then(news(PrescriptionCancelled, "inactive", 4, "sealed 2"))
    assert (story.service.state.status, story.service.state.action) == ("inactive", "cancelled")
    story.when(change("prescription", "cancelled"), change("prescription", status="active")).then_nothing()
    assert story.service.state.revision == 4


@pytest.mark.proves("CLN-06")
def test_a_completed_prescription_takes_corrections_and_nothing_else() -> None:
    story = given_record("prescription", change("prescription", status="completed"))
    story.when(change("prescription", status="active"), change("prescription", "cancelled")).then_nothing()
    story.when(change("prescription", content="sealed 2")).then(news(PrescriptionUpdated, "completed", 3, "sealed 2"))


@pytest.mark.proves("CLN-07", "CLN-16")
def test_an_order_goes_step_by_step() -> None:
    story = given_record("order").then(news(PharmacyOrderCreated, "pending", 1))
    story.when(change("order", status="processing")).then(news(PharmacyOrderUpdated, "processing", 2))
    story.when(change("order", "shipped")).then(news(PharmacyOrderShipped, "shipped", 3))
    story.when(change("order", content="sealed 2")).then(news(PharmacyOrderUpdated, "shipped", 4, "sealed 2"))
    story.when(change("order", "delivered")).then(news(PharmacyOrderDelivered, "delivered", 5, "sealed 2"))
    story.when(change("order", "cancelled"), change("order", content="sealed 3")).then_nothing()


@pytest.mark.proves("CLN-22")
@pytest.mark.parametrize("before", [(), (change("order", status="processing"),)])
def test_an_order_is_cancelled_until_it_ships(before: tuple[Event, ...]) -> None:
    story = given_record("order", *before)
    revision = story.service.state.revision + 1
    story.when(change("order", "cancelled")).then(news(PharmacyOrderCancelled, "cancelled", revision))
    story.when(change("order", "cancelled"), change("order", "shipped"), change("order", content="s")).then_nothing()


def test_a_shipped_order_is_not_cancelled() -> None:
    shipped = given_record("order", change("order", status="processing"), change("order", "shipped"))
    shipped.when(change("order", "cancelled")).then_nothing()
    assert shipped.service.state.status == "shipped"


@pytest.mark.proves("CLN-08")
def test_a_health_record_is_only_added_to() -> None:
    story = given_record("health").then(news(HealthRecordCreated, "created", 1))
    story.when(change("health", "cancelled"), change("health", "shipped"), change("health", "created")).then_nothing()
    story.when(change("health", content="sealed 2")).then(news(HealthRecordUpdated, "updated", 2, "sealed 2"))
    story.when(change("health", content="sealed 3")).then(news(HealthRecordUpdated, "updated", 3, "sealed 3"))


@pytest.mark.parametrize(
    ("kind", "status"), [("order", "shipped"), ("prescription", "pending"), ("health", "updated"), ("order", "")]
)
def test_a_record_begins_where_its_kind_begins(kind: RecordKind, status: str) -> None:
    story = Story(RowOf(Record, decide)).when(opened(kind, status)).then_nothing()
    assert story.service.found is None


def test_what_comes_twice_or_for_another_record_changes_nothing() -> None:
    story = given_record("order")
    story.when(opened("order"), opened("prescription")).then_nothing()
    story.when(change("order", content="sealed 1")).then_nothing()
    story.when(change("order", content="sealed 2", revision=1), change("order", content="s", revision=3)).then_nothing()
    story.when(change("prescription", content="sealed 2")).then_nothing()
    story.when(change("order", content="sealed 2", user="p2")).then_nothing()
    story.when(CheckIn(booking_id="r1")).then_nothing()
    assert story.service.state.revision == 1
    Story(RowOf(Record, decide)).when(change("order", "shipped")).then_nothing()


def test_what_another_program_told_is_not_told_again() -> None:
    story = Story(RowOf(Record, decide)).when(opened("order", announced=True)).then_nothing()
    story.when(change("order", status="processing", announced=True)).then_nothing()
    assert story.service.state.status == "processing"


# The allowed ways of each kind, written out one by one, apart from how the code has them.
_WAYS = {
    ("prescription", "updated"): {
        *((a, b) for a in ("active", "inactive") for b in ("active", "inactive", "completed")),
        ("completed", "completed"),
    },
    ("prescription", "cancelled"): {("active", "inactive"), ("inactive", "inactive")},
    ("order", "updated"): {
        ("pending", "pending"),
        ("pending", "processing"),
        ("processing", "processing"),
        ("shipped", "shipped"),
    },
    ("order", "shipped"): {("processing", "shipped")},
    ("order", "delivered"): {("shipped", "delivered")},
    ("order", "cancelled"): {("pending", "cancelled"), ("processing", "cancelled")},
    ("health", "updated"): {("created", "updated"), ("updated", "updated")},
}
_STATUSES = ("active", "inactive", "completed", "pending", "processing", "shipped", "delivered", "cancelled", "updated")
_STEPS = st.tuples(st.sampled_from(get_args(Action)), st.none() | st.sampled_from(_STATUSES))


@pytest.mark.proves("CLN-16")
@given(st.sampled_from(get_args(RecordKind)), st.lists(_STEPS, max_size=12))
def test_every_run_of_actions_ends_where_the_written_ways_lead(
    kind: RecordKind, steps: list[tuple[Action, str | None]]
) -> None:
    service = RowOf(Record, decide)
    service.take(opened(kind), NOW)
    status, cancelled = FIRST[kind], False
    for number, (action, asked) in enumerate(steps):
        ways = {after for before, after in _WAYS.get((kind, action), set()) if before == status}
        if action == "updated":
            ways &= {asked or ("updated" if kind == "health" else status)}
        told = service.take(change(kind, action, status=asked, content=f"step {number}"), NOW)
        assert bool(told) == (bool(ways) and not cancelled)
        if told:
            (status,), cancelled = ways, action == "cancelled"
        assert (service.state.status, service.state.content == f"step {number}") == (status, bool(told))
