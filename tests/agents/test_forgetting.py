"""Erasing outside the log: mails go first, then the keys; what fails on the way is done again."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from adapters.letters import Letter
from adapters.links import Links
from adapters.mailbox import Mailbox
from adapters.messages import Envelope as MailEnvelope
from adapters.messages import compose, message_id_of
from adapters.storage import receipt_name, storage_of
from adapters.textbox import Textbox, newest
from agents.forgetting import forget_user
from agents.user import already_answered
from domain.users import User, decide
from streams.effects import Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.users import EraseUser, ForgetUser, RegisterUser, UserForgotten
from streams.identity import user_id_of
from streams.log import LogUnavailable
from streams.rows import RowStore

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LINKS = Links("https://rooms.example", b"s" * 32)


class Keys:
    def __init__(self, text: str | None, failing: Exception | None = None) -> None:
        self.text, self.failing = text, failing

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        return self.text

    async def forget(self, user_id: str) -> int:
        if self.failing is not None:
            raise self.failing
        return 3


class Store:
    """The rows of a worker, as durable as they are: one user's, or none."""

    partitions = 4

    def __init__(self, user: User | None, owner: bool = True) -> None:
        self.user, self.owner = user, owner

    def owns(self, partition: int) -> bool:
        return self.owner

    def get(self, partition: int, key: str) -> bytes | None:
        return None if self.user is None else msgspec.json.encode(self.user)


def answered(effect: Envelope, user: User | None, owner: bool = True) -> bool:
    return already_answered(cast(RowStore, Store(user, owner)), 0, effect)


def effect(user_id: str, personal: str = "sealed") -> Envelope:
    return originate(ForgetUser(user_id=user_id, asked_at=NOW, personal=personal), source="user-service", now=NOW)


async def forgotten(directory: Path, keys: Keys, asked: Envelope) -> Envelope:
    return await forget_user(directory, storage_of(directory / "receipts"), LINKS, keys, asked)


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


def sent(user_id: str, to: str, number: int) -> bytes:
    """A mail as it is sent to a user."""
    envelope = MailEnvelope(
        notice_id=str(uuid.UUID(int=number)),
        sender="r@example.com",
        to=to,
        at=NOW,
        unsubscribe=LINKS.unsubscribe(user_id),
    )
    return compose(Letter("Hello", "Hello"), envelope).as_bytes()


async def test_mails_go_by_whose_they_are_whatever_the_address(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mail")
    for number, (user_id, to) in enumerate(
        [("u1", "old@example.com"), ("u2", "eve@example.com"), ("u1", "new@ex.com")]
    ):
        box.keep(sent(user_id, to, number))
    box.keep(sent("u1", "old@example.com", 0))  # delivered twice
    await forgotten(tmp_path, Keys(None), effect("u1", personal=""))
    assert [mail.to for mail in box.newest(10)] == ["eve@example.com"]
    assert len(list((tmp_path / "mail").iterdir())) == 1


async def test_a_mail_that_comes_while_the_keys_go_is_removed_too(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mail")

    class Slow(Keys):
        async def forget(self, user_id: str) -> int:
            box.keep(sent("u1", "ada@example.com", 1))
            return 1

    await forgotten(tmp_path, Slow(None), effect("u1"))
    assert box.newest(10) == []


MALFORMED = ["<", '"', "a@[", ":;u:", "(" * 4000]


@pytest.mark.parametrize("to", MALFORMED)
async def test_a_malformed_receiver_stops_no_erasure(tmp_path: Path, to: str) -> None:
    box = mailed(tmp_path, "ada@example.com")
    kept = box.keep(f"To: {to}\r\nSubject: Hello\r\n\r\nHello\r\n".encode())
    await forgotten(tmp_path, Keys('{"email": "ada@example.com"}'), effect("u1"))
    assert list((tmp_path / "mail").iterdir()) == [kept]


async def test_an_address_beyond_ascii_and_headers_without_end_are_read(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mail")
    box.keep("Subject: Hello\nTo: Zo\u00eb <zo\u00eb@example.com>\n\nHello".encode())
    box.keep(b"X-Long: " + b"x" * 5000 + b"\nTo: ada@example.com\n\nHello")
    box.keep(b"Subject: Hello\n\nTo: ada@example.com")  # in the text it is nobody's
    for address in ("zo\u00eb@example.com", "ada@example.com"):
        await forgotten(tmp_path, Keys(f'{{"email": "{address}"}}'), effect("u1"))
    assert len(list((tmp_path / "mail").iterdir())) == 1


async def test_the_loop_goes_on_while_mails_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    def remove(*given: object) -> list[str]:
        threads.add(threading.get_ident())
        return []

    monkeypatch.setattr("agents.forgetting.remove_belongings", remove)
    await forgotten(tmp_path, Keys(None), effect("u1"))
    assert threads
    assert threading.get_ident() not in threads


async def test_what_was_sealed_as_no_json_keeps_no_key(tmp_path: Path) -> None:
    assert isinstance((await forgotten(tmp_path, Keys("{not JSON"), effect("u1"))).data, UserForgotten)


async def test_one_file_that_cannot_be_read_keeps_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = mailed(tmp_path, "eve@example.com", "ada@example.com")
    broken = tmp_path / "mail" / f"{uuid.UUID(int=0)}.eml"
    real = Path.open

    def refuse(self: Path, *given: Any, **more: Any) -> Any:
        if self == broken:
            raise PermissionError(13, "Permission denied")
        return real(self, *given, **more)

    with monkeypatch.context() as disk:
        disk.setattr(Path, "open", refuse)
        with pytest.raises(Unreachable, match="PermissionError"):
            await forgotten(tmp_path, Keys('{"email": "ada@example.com"}'), effect("u1"))
    assert [mail.to for mail in box.newest(10)] == ["eve@example.com"]


def test_an_erasure_is_over_only_once_the_durable_row_says_so() -> None:
    before = decide(None, RegisterUser(user_id="u1", personal="sealed"), NOW).state
    begun = decide(before, EraseUser(user_id="u1"), NOW)
    erasing, order = begun.state, originate(begun.events[0], source="user-service", now=NOW)
    erased = decide(erasing, UserForgotten(user_id="u1", asked_at=NOW, keys=1), NOW).state
    back = decide(erased, RegisterUser(user_id="u1", personal="sealed anew"), NOW).state
    assert [answered(order, row) for row in (None, before, erasing)] == [False] * 3
    assert [answered(order, row) for row in (erased, back)] == [True] * 2
    assert not answered(order, erased, owner=False)
    # A second one, at the same time, that the rows before it do not show.
    again = originate(decide(back, EraseUser(user_id="u1"), NOW).events[0], source="user-service", now=NOW)
    assert [answered(again, row) for row in (erased, back)] == [False] * 2
    assert not answered(effect("u1"), erased)  # ordered before revisions were noted: done again
