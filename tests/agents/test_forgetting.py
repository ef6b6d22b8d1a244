"""Erasing outside the log: mails go first, then the keys; what fails on the way is done again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.letters import Letter
from adapters.mailbox import Mailbox
from agents.forgetting import forget_user
from streams.effects import Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.users import ForgetUser, UserForgotten
from streams.identity import user_id_of
from streams.log import LogUnavailable

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Keys:
    def __init__(self, text: str | None, failing: Exception | None = None) -> None:
        self.text, self.failing = text, failing

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        return self.text

    async def forget(self, user_id: str) -> int:
        if self.failing is not None:
            raise self.failing
        return 3


def effect(user_id: str, personal: str = "sealed") -> Envelope:
    return originate(ForgetUser(user_id=user_id, asked_at=NOW, personal=personal), source="user-service", now=NOW)


def mailed(directory: Path, *addresses: str) -> Mailbox:
    box = Mailbox(directory / "mail")
    for number, address in enumerate(addresses):
        box.put(str(uuid.UUID(int=number)), address, Letter("Hello", "A text"), NOW)
    return box


async def test_mails_of_the_user_go_and_others_stay(tmp_path: Path) -> None:
    box = mailed(tmp_path, "Ada@example.com", "ada@example.com.au", "guest@example.com")
    asked = effect(user_id_of("guest@example.com"))
    result = await forget_user(tmp_path, Keys('{"email": "ada@EXAMPLE.com"}'), asked)
    assert result.data == UserForgotten(user_id=asked.data.user_id, asked_at=NOW, keys=3)  # type: ignore[attr-defined]
    assert [mail.to for mail in box.newest(10)] == ["ada@example.com.au"]


async def test_text_messages_go_by_number_however_it_is_spaced(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    for name, content in (("a", '{"to": "+31205550100"}'), ("b", '{"to": "+31205550101"}'), ("c", "[]"), ("d", "?")):
        (tmp_path / "sms" / f"{name}.json").write_text(content)
    await forget_user(tmp_path, Keys('{"phone": "+31 20 555-0100"}'), effect("u1"))
    assert sorted(path.stem for path in (tmp_path / "sms").iterdir()) == ["b", "c", "d"]


async def test_nobody_known_has_keys_all_the_same(tmp_path: Path) -> None:
    for keys, personal in ((Keys(None), "sealed"), (Keys("[]"), "sealed"), (Keys(None), "")):
        assert isinstance((await forget_user(tmp_path, keys, effect("u1", personal))).data, UserForgotten)


@pytest.mark.parametrize("failing", [LogUnavailable("away"), TimeoutError()])
async def test_without_the_log_it_is_asked_again(tmp_path: Path, failing: Exception) -> None:
    with pytest.raises(Unreachable):
        await forget_user(tmp_path, Keys(None, failing), effect("u1"))


async def test_a_disk_that_refuses_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailed(tmp_path, "ada@example.com")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(Unreachable, match="Permission denied"):
        await forget_user(tmp_path, Keys('{"email": "ada@example.com"}'), effect("u1"))
