"""A mail or a text message that cannot go now: when it is tried again, and when it is given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.notices import Contact, Notice, decide
from domain.parking import LONGEST_PAUSE, PATIENCE, PAUSES, park, retry
from domain.preferences import Preferences
from streams.envelope import originate
from streams.events import Event
from streams.events.notices import (
    Channel,
    EmailSent,
    NoticeDue,
    NoticeParked,
    SendMail,
    SendSms,
    SetPreferences,
)
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.notifications import Notifications, Parked, row_key
from tests.domain.test_notices import handed_over, notify

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def parked(attempt: int = 0, channel: Channel = "mail", retry_after: float | None = None) -> NoticeParked:
    return NoticeParked(
        notice_id="n1", user_id="u1", effect_id="f1", channel=channel, attempt=attempt, retry_after=retry_after
    )


def waiting(channel: Channel = "mail") -> Notice:
    notice = decide(None, None, notify(channel), NOW).state
    assert notice is not None
    return notice


def tick(due: datetime | None) -> NoticeDue:
    assert due is not None
    return NoticeDue(user_id="u1", notice_id="n1", due=due)


def test_it_is_tried_again_ever_more_rarely_and_given_up_after_two_days() -> None:
    notice: Notice | None = waiting()
    now, pauses, attempts = NOW, list[timedelta](), list[int]()
    while notice is not None and notice.status == "waiting":
        notice = park(notice, parked(notice.tries), now)
        assert notice is not None
        if notice.due is None:
            break
        pauses.append(notice.due - now)
        now = notice.due
        decision = retry(notice, Contact("sealed before"), tick(now), now)
        notice, (send,) = decision.state, decision.events
        assert isinstance(send, SendMail)
        assert (send.guest, send.contact, send.facts) == ("sealed guest", "sealed before", {"amount": "240.00"})
        attempts.append(send.attempt)
    assert tuple(pauses[: len(PAUSES)]) == PAUSES
    assert set(pauses[len(PAUSES) :]) == {PAUSES[-1]}
    assert attempts == list(range(1, len(attempts) + 1))
    assert notice is not None
    assert (notice.status, notice.error, notice.listed) == ("unsent", "undeliverable", True)
    assert PATIENCE <= now - NOW < PATIENCE + PAUSES[-1]


@pytest.mark.parametrize(
    ("asked", "pause"), [(1.0, PAUSES[0]), (90.0, timedelta(seconds=90)), (1e9, LONGEST_PAUSE), (None, PAUSES[0])]
)
def test_a_provider_may_ask_for_a_longer_pause_up_to_an_hour(asked: float | None, pause: timedelta) -> None:
    notice = park(waiting("sms"), parked(channel="sms", retry_after=asked), NOW)
    assert notice is not None
    assert notice.due == NOW + pause


def test_of_an_attempt_that_is_over_and_of_nothing_nothing_is_learnt() -> None:
    once = park(waiting(), parked(), NOW)
    assert once is not None
    assert park(once, parked(), NOW) is once
    assert park(None, parked(), NOW) is None
    again = retry(once, None, tick(once.due), NOW + PAUSES[0]).state
    assert park(again, parked(0), NOW + PAUSES[0]) is again
    assert park(again, parked(1, "sms"), NOW + PAUSES[0]) is again
    sent = decide(again, None, handed_over(), NOW).state
    assert park(sent, parked(1), NOW) is sent


def test_a_tick_that_comes_early_late_or_for_nothing_orders_nothing() -> None:
    once = park(waiting(), parked(), NOW)
    assert once is not None
    assert retry(None, None, tick(NOW), NOW).events == ()
    assert retry(waiting(), None, tick(NOW), NOW).events == ()
    assert retry(once, None, tick(once.due), NOW).events == ()
    assert retry(once, None, tick(NOW), NOW + PAUSES[0]).events == ()


@pytest.mark.parametrize("app", [True, False])
def test_who_declined_meanwhile_is_written_to_no_more(app: bool) -> None:
    once = park(waiting(), parked(), NOW)
    assert once is not None
    decision = retry(once, None, tick(once.due), NOW + PAUSES[0], Preferences(mail=False, app=app))
    assert decision.events == ()
    assert decision.state is not None
    assert (decision.state.status, decision.state.due, decision.state.listed) == ("declined", None, app)


def test_an_answer_that_comes_while_it_is_parked_counts() -> None:
    once = park(waiting(), parked(), NOW)
    decision = decide(once, None, handed_over(), NOW)
    assert decision.state is not None
    assert (decision.state.status, decision.state.due) == ("sent", None)
    assert isinstance(decision.events[0], EmailSent)


# --- in its rows ---


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path)
    yield WorkingRows(local)
    local.close()


def take(rows: WorkingRows, message: Event, now: datetime = NOW) -> list[Event]:
    return list(Notifications().apply(rows, originate(message, source="test", now=now), now, 0))


def entries(rows: WorkingRows) -> list[Parked]:
    return [entry for _, entry in rows.scan("d|", Parked)]


def test_a_parked_notice_is_in_the_list_of_what_is_due_until_it_is_ordered_again(rows: WorkingRows) -> None:
    take(rows, notify("sms"))
    assert take(rows, parked(channel="sms")) == []
    (entry,) = entries(rows)
    assert (entry.user_id, entry.notice_id, entry.due) == ("u1", "n1", NOW + PAUSES[0])
    (send,) = take(rows, tick(entry.due), entry.due)
    assert isinstance(send, SendSms)
    assert (send.attempt, entries(rows)) == (1, [])
    assert take(rows, tick(entry.due), entry.due) == []


def test_an_answer_takes_it_out_of_the_list_and_so_does_a_tick_for_nothing(rows: WorkingRows) -> None:
    take(rows, notify())
    take(rows, parked())
    take(rows, handed_over())
    assert entries(rows) == []
    rows.put("d|2026-12-01T13:00:00.000+00:00|u1|n9", Parked("u1", "n9", NOW + timedelta(hours=1)))
    late = NoticeDue(user_id="u1", notice_id="n9", due=NOW + timedelta(hours=1))
    assert take(rows, late, NOW + timedelta(hours=1)) == []
    assert entries(rows) == []


def test_what_cannot_be_delivered_or_was_declined_is_shown_in_the_app(rows: WorkingRows) -> None:
    take(rows, notify())
    take(rows, parked(), NOW + PATIENCE)
    take(rows, notify(notice_id="n2"))
    take(rows, parked_of("n2"))
    take(rows, SetPreferences(user_id="u1", mail=False))
    assert take(rows, NoticeDue(user_id="u1", notice_id="n2", due=NOW + PAUSES[0]), NOW + PAUSES[0]) == []
    assert {row.notice_id: row.status for _, row in rows.scan("i|u1|", Notice)} == {"n1": "unsent", "n2": "declined"}
    assert rows.get(row_key("u1", "n2"), Notice) is not None


def parked_of(notice_id: str) -> NoticeParked:
    return NoticeParked(notice_id=notice_id, user_id="u1", effect_id="f1", channel="mail")
