"""The mail client before real servers: what they refuse, what they are too busy for, and those that are not there."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from adapters.letters import Letter
from adapters.messages import Envelope, compose
from adapters.smtp import Mailer, MailRefused, MailUnavailable, Server
from tests.adapters.smtp_server import Manner, serving

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LINK = "https://rooms.example/unsubscribe/" + "x" * 200


def mail(number: int = 7, to: str = "ada@example.com", text: str = "Hello\n.\nßee you\n") -> EmailMessage:
    envelope = Envelope(
        notice_id=str(uuid.UUID(int=number)), sender="Rooms <rooms@example.com>", to=to, at=NOW, unsubscribe=LINK
    )
    return compose(Letter("News", text), envelope)


@pytest.mark.proves("CAMP-16")
async def test_a_mail_arrives_as_it_was_written() -> None:
    manner, message = Manner(), mail()
    async with serving(manner) as server:
        mailer = Mailer(server)
        await mailer.send(message)
        await mailer.close()
    ((to, raw),) = manner.taken
    assert to == ["ada@example.com"]
    assert raw == message.as_bytes()
    assert f"List-Unsubscribe: <{LINK}>\r\n".encode() in raw


async def test_connections_are_used_again_and_only_a_few_side_by_side() -> None:
    manner = Manner()
    async with serving(manner) as server:
        mailer = Mailer(server)
        await mailer.send(mail(1))
        await mailer.send(mail(2))
        assert len(manner.greets) == 1
        await asyncio.gather(*(mailer.send(mail(number)) for number in range(40)))
        assert len(manner.greets) <= 4
        await mailer.close()
    assert len(manner.taken) == 42


@pytest.mark.parametrize(
    ("manner", "error"),
    [
        (Manner(address="550 No such user"), MailRefused),
        (Manner(address="450 Come back later"), MailUnavailable),
        (Manner(address="421 Closing"), MailUnavailable),
        (Manner(message="554 Not this"), MailRefused),
        (Manner(message="452 No room now"), MailUnavailable),
        # What the operator has to mend must not cost a guest a mail.
        (Manner(sender="530 Log in first"), MailUnavailable),
        (Manner(sender="451 Not now"), MailUnavailable),
    ],
)
async def test_what_a_server_says_no_to(manner: Manner, error: type[Exception]) -> None:
    async with serving(manner) as server:
        mailer = Mailer(server)
        with pytest.raises(error, match=r"the server answered \d{3}") as failed:
            await mailer.send(mail())
        assert "ada" not in str(failed.value)
        manner.sender = manner.address = manner.message = ""
        await mailer.send(mail(8))
        await mailer.close()
    assert manner.taken[-1][1] == mail(8).as_bytes()


async def test_a_server_that_is_down_is_waited_for() -> None:
    manner = Manner()
    async with serving(manner) as server:
        mailer = Mailer(server)
        await mailer.send(mail(1))
    with pytest.raises(MailUnavailable, match="does not answer"):
        await mailer.send(mail(2))
    async with serving(manner, server.port):
        await mailer.send(mail(2))
        await mailer.close()
    assert [raw for _, raw in manner.taken] == [mail(1).as_bytes(), mail(2).as_bytes()]


async def test_a_server_that_hangs_is_not_waited_for_for_ever() -> None:
    manner = Manner(silent=True)
    async with serving(manner) as server:
        with pytest.raises(MailUnavailable, match="does not answer"):
            await Mailer(server, timeout=0.2).send(mail())


async def test_a_server_that_hangs_keeps_only_those_waiting_that_asked_it_first() -> None:
    manner = Manner(silent=True)
    async with serving(manner) as server:
        mailer = Mailer(server, timeout=0.2)
        failed = await asyncio.gather(*(mailer.send(mail(number)) for number in range(40)), return_exceptions=True)
    assert all(isinstance(each, MailUnavailable) for each in failed)
    assert len(manner.taken) == 4


async def test_no_server_is_one_that_is_not_there() -> None:
    with pytest.raises(MailUnavailable, match="smtp_url"):
        await Mailer(None).send(mail())


async def test_an_address_beyond_ascii_needs_a_server_that_knows_them() -> None:
    manner = Manner()
    async with serving(manner) as server:
        with pytest.raises(MailRefused):
            await Mailer(server).send(mail(to="zoë@example.com"))
    async with serving(manner, enable_SMTPUTF8=True) as server:
        mailer = Mailer(server)
        await mailer.send(mail(to="zoë@example.com"))
        await mailer.close()
    assert [to for to, _ in manner.taken] == [["zoë@example.com"]]


async def test_a_login_is_given_within_this_machine_and_a_wrong_one_is_no_reason_to_give_up() -> None:
    manner = Manner()
    options: dict[str, Any] = {"authenticator": manner.authenticate, "auth_require_tls": False}
    async with serving(manner, **options) as server:
        right, wrong = (
            Mailer(Server.of(f"smtp://ada%40x:{word}@127.0.0.1:{server.port}")) for word in ("open%3A%20sesame", "shut")
        )
        await right.send(mail())
        with pytest.raises(MailUnavailable):
            await wrong.send(mail())
        await right.close()
    assert manner.logins[0] == (b"ada@x", b"open: sesame")
    assert len(manner.taken) == 1


async def test_a_password_does_not_leave_this_machine_in_clear() -> None:
    manner = Manner()
    async with serving(manner, authenticator=manner.authenticate, auth_require_tls=False) as server:
        # The same machine by a name that does not say so.
        away = Server("127.1", server.port, user="ada", password="open: sesame")
        assert away.must_encrypt
        with pytest.raises(MailUnavailable):
            await Mailer(away).send(mail())
    assert manner.logins == []


def test_a_server_is_named_by_a_url() -> None:
    assert Server.of("smtp://mail.example") == Server("mail.example", 587)
    assert Server.of("smtps://u:p%40ss@mail.example:4650") == Server("mail.example", 4650, True, "u", "p@ss")
    assert "p@ss" not in repr(Server.of("smtps://u:p%40ss@mail.example"))
    for wrong in ("http://mail.example", "smtp://", "mail.example:25", "smtp://mail.example/box", "smtp://x:99999"):
        with pytest.raises(ValueError, match=r".+"):
            Server.of(wrong)
