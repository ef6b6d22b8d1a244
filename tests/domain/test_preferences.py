"""What a user wants to hear where, and that it holds from the moment it is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.notices import Notice, decide
from domain.preferences import EVERYTHING, Preferences, chosen
from streams.envelope import originate
from streams.events import Event
from streams.events.notices import (
    Channel,
    MailHandedOver,
    MarkAllRead,
    Notify,
    SendMail,
    SendSms,
    SetPreferences,
    SmsHandedOver,
    SmsSent,
)
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.notifications import Notifications, list_prefix
from tests.domain.test_notices import notify

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def texted(error: str | None = None, notice_id: str = "n1") -> SmsHandedOver:
    sent = "" if error else "m1"
    return SmsHandedOver(notice_id=notice_id, user_id="u1", effect_id="f1", provider_message_id=sent, error=error)


def test_what_is_left_open_stays() -> None:
    quiet = chosen(EVERYTHING, SetPreferences(user_id="u1", mail=False, locale="de-CH"))
    assert quiet == Preferences(mail=False, locale="de-CH")
    assert chosen(quiet, SetPreferences(user_id="u1", sms=False, app=False)) == Preferences(
        mail=False, sms=False, app=False, locale="de-CH"
    )
    assert chosen(quiet, SetPreferences(user_id="u1", mail=True, locale="")) == EVERYTHING


@pytest.mark.parametrize("channel", ["mail", "sms"])
def test_what_was_declined_is_shown_in_the_app_and_sent_nowhere(channel: Channel) -> None:
    decision = decide(None, None, notify(channel), NOW, Preferences(mail=False, sms=False))
    assert decision.events == ()
    assert decision.state is not None
    assert (decision.state.status, decision.state.listed) == ("declined", True)


@pytest.mark.parametrize("channel", ["mail", "sms", "app"])
def test_who_wants_nothing_at_all_is_shown_nothing(channel: Channel) -> None:
    decision = decide(None, None, notify(channel), NOW, Preferences(mail=False, sms=False, app=False))
    assert decision.events == ()
    assert decision.state is not None
    assert not decision.state.listed


@pytest.mark.proves("CAT-12")
def test_a_text_message_is_handed_over_and_told_once_it_is() -> None:
    waiting, (send,) = _state(decide(None, None, notify("sms"), NOW, Preferences(locale="de")))
    assert isinstance(send, SendSms)
    assert (send.notice_id, send.guest, send.locale) == ("n1", "sealed guest", "de")
    sent, (told,) = _state(decide(waiting, None, texted(), NOW))
    assert (sent.status, sent.message_id, sent.listed) == ("sent", "m1", False)
    assert told == SmsSent(
        notification_id="n1",
        user_id="u1",
        booking_id="b1",
        template="booking_confirmed",
        provider_message_id="m1",
        sent_at=NOW,
    )
    assert decide(sent, None, texted("refused"), NOW).state == sent


@pytest.mark.parametrize("error", ["no_phone", "refused", "erased"])
def test_a_text_message_with_nowhere_to_go_is_shown_to_nobody(error: str) -> None:
    waiting, _ = _state(decide(None, None, notify("sms"), NOW))
    unsent, said = _state(decide(waiting, None, texted(error), NOW))
    assert (unsent.status, unsent.error, unsent.listed, said) == ("unsent", error, False, ())


def test_one_channels_answer_is_not_anothers() -> None:
    waiting, _ = _state(decide(None, None, notify("sms"), NOW))
    mailed = MailHandedOver(notice_id="n1", user_id="u1", effect_id="f1", message_id="<m>")
    assert decide(waiting, None, mailed, NOW).state is waiting


def _state(decision: object) -> tuple[Notice, Sequence[Event]]:
    state, events = decision.state, decision.events  # type: ignore[attr-defined]
    assert isinstance(state, Notice)
    return state, events


_CHANNELS: tuple[Channel, ...] = ("mail", "sms", "app")
_IDS = [f"n-{channel}-{number}" for channel in _CHANNELS for number in range(3)]
_messages = st.one_of(
    st.sampled_from(_IDS).map(lambda name: notify(_channel(name), notice_id=name, cause_id=name[-1])),
    st.builds(
        SetPreferences,
        user_id=st.just("u1"),
        mail=st.sampled_from([None, True, False]),
        sms=st.sampled_from([None, True, False]),
        app=st.sampled_from([None, True, False]),
    ),
    st.sampled_from(_IDS).map(lambda name: texted(notice_id=name)),
    st.sampled_from(_IDS).map(
        lambda name: MailHandedOver(notice_id=name, user_id="u1", effect_id="f1", message_id=f"<{name}>")
    ),
    st.just(MarkAllRead(user_id="u1", notice_ids=tuple(_IDS))),
)


def _channel(name: str) -> Channel:
    return next(channel for channel in _CHANNELS if channel in name)


@settings(max_examples=30, deadline=None)
@given(st.lists(_messages, max_size=25))
def test_nothing_is_sent_twice_or_after_it_was_declined(messages: list[Event]) -> None:
    """Against what a user would expect who kept a list of their own."""
    wants, taken, sends, read = dict.fromkeys(_CHANNELS, True), dict[str, bool](), list[str](), set[str]()
    shown: set[str] = set()
    with TemporaryDirectory() as directory:
        local = LocalRows(Path(directory))
        rows, table = WorkingRows(local), Notifications()
        for number, message in enumerate(messages):
            now = NOW + timedelta(seconds=number)
            said = table.apply(rows, originate(message, source="test", now=now), now, number)
            new = [event.notice_id for event in said if isinstance(event, SendMail | SendSms)]
            match message:
                case SetPreferences():
                    choice = {"mail": message.mail, "sms": message.sms, "app": message.app}
                    wants |= {channel: wanted for channel, wanted in choice.items() if wanted is not None}  # type: ignore[misc]
                case Notify(notice_id=name, channel=channel) if name not in taken:
                    taken[name] = wants[channel]
                    assert new == ([name] if wants[channel] and channel != "app" else [])
                    if wants["app"] and (channel == "app" or not wants[channel]):
                        shown.add(name)
                case MarkAllRead():
                    read |= shown
                case _:
                    assert new == []
            sends += new
        listed = {row.notice_id: row for _, row in rows.scan(list_prefix("u1"), Notice)}
        local.close()
    assert len(sends) == len(set(sends))
    assert set(listed) == shown
    assert {name for name, row in listed.items() if row.status == "read"} == read
