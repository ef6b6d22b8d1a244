"""The notification service's rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.notices import Contact, Notice
from streams.envelope import originate
from streams.events import Event
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.notifications import Notifications, list_prefix, row_key
from tests.domain.test_notices import READ, handed_over, notify

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path)
    yield WorkingRows(local)
    local.close()


def take(rows: WorkingRows, message: Event, now: datetime = NOW) -> list[Event]:
    return list(Notifications().apply(rows, originate(message, source="test", now=now), now, 0))


def listed(rows: WorkingRows, user_id: str = "u1") -> list[Notice]:
    return [notice for _, notice in rows.scan(list_prefix(user_id), Notice)]


@pytest.mark.proves("CAMP-18")
def test_the_app_lists_what_is_meant_for_it_newest_last(rows: WorkingRows) -> None:
    take(rows, notify("app", notice_id="n9"))
    take(rows, notify("app", notice_id="n1"), NOW + timedelta(seconds=1))
    take(rows, notify("mail", notice_id="n5"))
    assert [notice.notice_id for notice in listed(rows)] == ["n9", "n1"]
    take(rows, READ)
    assert [notice.status for notice in listed(rows)] == ["new", "read"]
    assert rows.get(row_key("u1", "n1"), Notice) == listed(rows)[1]


def test_a_mail_with_nowhere_to_go_joins_the_list(rows: WorkingRows) -> None:
    take(rows, notify())
    assert listed(rows) == []
    take(rows, handed_over("no_address"))
    assert [notice.error for notice in listed(rows)] == ["no_address"]


def test_a_mail_that_went_after_all_leaves_the_list(rows: WorkingRows) -> None:
    take(rows, notify())
    take(rows, handed_over("refused"))
    take(rows, handed_over())
    assert listed(rows) == []


def test_a_repeated_notice_writes_nothing(rows: WorkingRows) -> None:
    assert len(take(rows, notify())) == 1
    rows.hand_over(rows.take_changes(), 1)
    assert take(rows, notify(), NOW + timedelta(hours=1)) == []
    assert rows.take_changes() == {}


def test_an_answer_to_an_unknown_notice_writes_nothing(rows: WorkingRows) -> None:
    assert take(rows, handed_over()) == []
    assert rows.take_changes() == {}


def test_the_contact_is_kept_beside_the_notices(rows: WorkingRows) -> None:
    take(rows, notify())
    assert rows.get("u|u1", Contact) == Contact("sealed guest")


def test_no_user_reads_anothers_list_by_the_name_it_has(rows: WorkingRows) -> None:
    take(rows, notify("app", user_id="u1|000001764590400"))
    assert listed(rows, "u1") == []
