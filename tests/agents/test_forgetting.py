"""Erasing outside the log: mails go first, then the keys; what fails on the way is done again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from adapters.mailbox import Mailbox
from adapters.messages import message_id_of
from adapters.storage import receipt_name, storage_of
from adapters.textbox import Textbox, newest
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


async def forgotten(directory: Path, keys: Keys, asked: Envelope) -> Envelope:
    return await forget_user(directory, storage_of(directory / "receipts"), keys, asked)


def mailed(directory: Path, *addresses: str) -> Mailbox:
    box = Mailbox(directory / "mail")
    for number, address in enumerate(addresses):
        message = EmailMessage()
        message["To"], message["Message-ID"] = address, message_id_of(str(uuid.UUID(int=number)))
        message["From"], message["Subject"], message["Date"] = "rooms@example.com", "Hello", NOW
        box.keep(bytes(message))
    return box


async def test_mails_of_the_user_go_and_others_stay(tmp_path: Path) -> None:
    box = mailed(tmp_path, "Ada@example.com", "ada@example.com.au", "guest@example.com")
    asked = effect(user_id_of("guest@example.com"))
    result = await forgotten(tmp_path, Keys('{"email": "ada@EXAMPLE.com"}'), asked)
    assert result.data == UserForgotten(user_id=asked.data.user_id, asked_at=NOW, keys=3)  # type: ignore[attr-defined]
    assert [mail.to for mail in box.newest(10)] == ["ada@example.com.au"]


async def test_text_messages_go_by_number_however_it_is_spaced(tmp_path: Path) -> None:
    texts = Textbox(tmp_path / "sms")
    for number in ("+31205550100", "+31205550101"):
        texts.keep(f"to {number}", number, "Hello")
    texts.close()
    await forgotten(tmp_path, Keys('{"phone": "0031 20 555-0100"}'), effect("u1"))
    assert [text.to for text in newest(tmp_path / "sms", 10)] == ["+31205550101"]


async def test_receipts_of_the_user_go_and_others_stay(tmp_path: Path) -> None:
    receipts = storage_of(tmp_path / "receipts")
    for user_id in ("u1", "u2"):
        await receipts.write(receipt_name(user_id, "r"), b"a page")
    await forgotten(tmp_path, Keys(None), effect("u1"))
    assert [name async for name in receipts.names()] == [receipt_name("u2", "r")]


async def test_nobody_known_has_keys_all_the_same(tmp_path: Path) -> None:
    for keys, personal in ((Keys(None), "sealed"), (Keys("[]"), "sealed"), (Keys(None), "")):
        assert isinstance(
            (await forgotten(tmp_path, keys, effect("u1", personal))).data,
            UserForgotten,
        )


@pytest.mark.parametrize("failing", [LogUnavailable("away"), TimeoutError()])
async def test_without_the_log_it_is_asked_again(tmp_path: Path, failing: Exception) -> None:
    with pytest.raises(Unreachable):
        await forgotten(tmp_path, Keys(None, failing), effect("u1"))


async def test_a_disk_that_refuses_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailed(tmp_path, "ada@example.com")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(Unreachable, match="PermissionError"):
        await forgotten(tmp_path, Keys('{"email": "ada@example.com"}'), effect("u1"))
