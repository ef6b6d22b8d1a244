"""What the notification and receipt agents do outside: hand over a mail, write a receipt."""

from __future__ import annotations

import email
import email.policy
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from icalendar import Calendar

from adapters.links import Links
from adapters.mailbox import Mailbox
from adapters.smtp import Mailer, Server
from agents.receipt import requests_of, write_receipt
from agents.sending import asked, hand_over, parked, refused
from cli.sandbox.postbox import listen
from streams.effects import NotAsked, Refused, Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.notices import MailHandedOver, NoticeParked, SendMail, SendSms, SmsHandedOver
from streams.events.receipts import ReceiptWritten, WriteReceipt
from streams.keyring import Keyring
from tests.adapters.smtp_server import Manner, serving
from tests.domain.test_notices import about, confirmed, envelope

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOTICE = str(uuid.UUID(int=7))
ADA = {"email": "ada@example.com", "first_name": "Ada"}


class Keys:
    """Texts by what they are sealed as; what is not here is erased."""

    def __init__(self, **texts: Any) -> None:
        self.texts = texts
        self.reachable = True

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        if not self.reachable:
            raise TimeoutError
        return json.dumps(self.texts[sealed]) if sealed in self.texts else None


def mail(**more: Any) -> Envelope:
    given: dict[str, Any] = {"notice_id": NOTICE, "user_id": "u1", "template": "booking_confirmed", "guest": "guest"}
    return originate(SendMail(**given | more), source="notification-service", now=NOW)


LINKS = Links("https://rooms.example", b"s" * 32)
SENDER = "Rooms <rooms@example.com>"


async def answer(server: Server | None, keys: Keys, effect: Envelope) -> MailHandedOver:
    mailer = Mailer(server)
    result = await hand_over(mailer, LINKS, SENDER, cast("Keyring", keys), effect)
    await mailer.close()
    assert result.causation_id == effect.event_id
    assert isinstance(result.data, MailHandedOver)
    return result.data


@asynccontextmanager
async def inbox(directory: Path) -> AsyncIterator[Server]:
    """The mail server that an instance keeps for itself."""
    server = await listen(Mailbox(directory / "mail"), "127.0.0.1", 0)
    async with server:
        yield Server("127.0.0.1", server.sockets[0].getsockname()[1])


@pytest.mark.proves("CAMP-16", "CAT-11")
async def test_a_mail_goes_to_the_guest_it_is_about(tmp_path: Path) -> None:
    effect = mail(contact="contact")
    async with inbox(tmp_path) as server:
        answered = await answer(server, Keys(guest=ADA, contact={"email": "other@example.com"}), effect)
    assert (answered.error, answered.message_id, answered.effect_id) == (None, f"<{NOTICE}@vacancy>", effect.event_id)
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    assert (found.to, found.message_id, found.at) == ("ada@example.com", answered.message_id, NOW)
    assert found.text.startswith("Hello Ada,")
    assert found.html


async def test_a_mail_can_be_ended_and_brings_its_receipt_along(tmp_path: Path) -> None:
    facts = {"receipt_url": f"/api/receipts/{NOTICE}", "amount": "1234.00", "currency": "EUR"}
    async with inbox(tmp_path) as server:
        await answer(server, Keys(guest=ADA | {"locale": "de-DE"}), mail(template="receipt", facts=facts))
    (path,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    ending = re.fullmatch(r"<https://rooms.example/unsubscribe/(\S+)>", str(message["List-Unsubscribe"]))
    assert ending is not None
    assert LINKS.user_of(ending[1]) == "u1"
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    receipt = re.search(r"See your receipt: https://rooms.example/receipts/(\S+)", found.text)
    assert receipt is not None
    assert LINKS.receipt_of(receipt[1]) == NOTICE
    assert "1.234,00" in found.subject


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://else.example/api/receipts/x", "/api/receipts/../x"])
async def test_a_link_that_is_not_ours_is_left_out(tmp_path: Path, url: str) -> None:
    async with inbox(tmp_path) as server:
        await answer(server, Keys(guest=ADA), mail(template="receipt", facts={"receipt_url": url, "amount": "1"}))
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    assert url not in found.text + (found.page or "")
    assert "See your receipt" not in found.text


async def test_a_stay_comes_with_a_file_for_the_calendar(tmp_path: Path) -> None:
    facts = {"kind": "stay", "check_in": "2026-12-24", "check_out": "2026-12-26"}
    async with inbox(tmp_path) as server:
        await answer(server, Keys(guest=ADA), mail(facts=facts, booking_id="b1"))
    (path,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    (attached,) = message.iter_attachments()
    entry: Any = Calendar.from_ical(attached.get_content()).walk("VEVENT")[0]
    assert (str(entry["UID"]), entry["DTSTART"].dt) == ("b1@vacancy", date(2026, 12, 24))


async def test_handed_over_again_it_is_the_same_mail(tmp_path: Path) -> None:
    effect = mail()
    async with inbox(tmp_path) as server:
        answers = [await answer(server, Keys(guest=ADA), effect) for _ in range(2)]
    assert {each.message_id for each in answers} == {f"<{NOTICE}@vacancy>"}
    assert len(Mailbox(tmp_path / "mail").newest(10)) == 1
    first, again = ((path.read_bytes()) for path in (tmp_path / "mail").iterdir())
    assert first == again


async def test_news_that_names_nobody_goes_where_the_user_was_reached_before(tmp_path: Path) -> None:
    keys = Keys(record={"medication": "secret"}, contact=ADA)
    async with inbox(tmp_path) as server:
        answered = await answer(server, keys, mail(guest="record", contact="contact", template="prescription_created"))
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    assert answered.error is None
    assert found.to == "ada@example.com"
    assert "secret" not in found.text + (found.page or "")


@pytest.mark.parametrize(
    ("sealed", "keys", "error"),
    [
        ({"guest": None}, Keys(), "no_address"),
        ({}, Keys(guest={"first_name": "Ada"}), "no_address"),
        ({}, Keys(guest=["not", "an", "object"]), "no_address"),
        ({}, Keys(guest={"email": "ada@example.com\nBcc: x@example.com"}), "no_address"),
        ({}, Keys(), "erased"),
        ({"guest": None, "contact": "contact"}, Keys(), "erased"),
    ],
)
async def test_with_nowhere_to_go_nothing_is_handed_over(sealed: dict[str, Any], keys: Keys, error: str) -> None:
    # No server: whoever were to ask one would be told that there is none.
    assert (await answer(None, keys, mail(**sealed))).error == error


async def test_a_mail_that_the_server_will_not_take_is_refused() -> None:
    async with serving(Manner(address="550 No such user")) as server:
        with pytest.raises(Refused, match="the server answered 550") as refusal:
            await answer(server, Keys(guest=ADA), mail())
    assert not refusal.value.final
    assert "ada" not in str(refusal.value)


async def test_a_mail_that_cannot_be_written_is_refused_without_asking() -> None:
    keys = cast("Keyring", Keys(guest=ADA))
    with pytest.raises(Refused) as refusal:
        await hand_over(Mailer(None), LINKS, "Rooms\nBcc: x <rooms@example.com>", keys, mail())
    assert refusal.value.final


@pytest.mark.parametrize(("send", "told"), [(SendMail, MailHandedOver), (SendSms, SmsHandedOver)])
def test_what_is_refused_for_good_is_said_to_its_notice(
    send: type[SendMail | SendSms], told: type[MailHandedOver | SmsHandedOver]
) -> None:
    effect = originate(send(notice_id=NOTICE, user_id="u1", template="receipt"), source="t", now=NOW)
    result = refused(effect, Refused("HTTP 422"))
    assert isinstance(result.data, told)
    assert (result.causation_id, result.data.effect_id, result.data.error) == (effect.event_id,) * 2 + ("refused",)


async def test_whom_nobody_was_asked_about_says_nothing_of_the_server(tmp_path: Path) -> None:
    keys = cast("Keyring", Keys(guest=ADA))
    async with inbox(tmp_path) as server:
        mailer = Mailer(server)
        assert asked(await hand_over(mailer, LINKS, SENDER, keys, mail()))
        await mailer.close()
    assert not asked(await hand_over(Mailer(None), LINKS, SENDER, cast("Keyring", Keys()), mail()))


@pytest.mark.parametrize(("send", "channel"), [(SendMail, "mail"), (SendSms, "sms")])
def test_what_cannot_go_now_is_said_to_its_notice(send: type[SendMail | SendSms], channel: str) -> None:
    effect = originate(send(notice_id=NOTICE, user_id="u1", template="receipt", attempt=2), source="t", now=NOW)
    told = parked(effect, Unreachable("HTTP 503", 7.0))
    assert told.causation_id == effect.event_id
    assert told.data == NoticeParked(
        notice_id=NOTICE,
        user_id="u1",
        effect_id=effect.event_id,
        channel=channel,  # type: ignore[arg-type]
        attempt=2,
        retry_after=7.0,
    )


async def test_a_mail_waits_for_the_keys_for_the_server_and_for_its_disk(tmp_path: Path) -> None:
    keys = Keys(guest=ADA)
    with pytest.raises(Unreachable):
        await answer(None, keys, mail())
    (tmp_path / "mail").write_text("in the way")
    async with inbox(tmp_path) as server:
        with pytest.raises(Unreachable):
            await answer(server, keys, mail())
    keys.reachable = False
    with pytest.raises(NotAsked):
        await answer(None, keys, mail())


def written(**more: Any) -> Envelope:
    given: dict[str, Any] = {
        "payment_id": "p1",
        "receipt_id": NOTICE,
        "receipt_number": "RCP-2026-000001",
        "booking_id": "b1",
        "user_id": "u1",
        "amount": Decimal("240.0"),
        "currency": "EUR",
        "paid_at": NOW,
        "about": about(),
    }
    return originate(WriteReceipt(**given | more), source="receipt-service", now=NOW)


async def test_what_receipts_of_the_rules_1_ask_for_is_answered() -> None:
    effect = written()
    result = await write_receipt(effect)
    assert result.data == ReceiptWritten(payment_id="p1", effect_id=effect.event_id)
    assert result.causation_id == effect.event_id


@pytest.mark.proves("CAT-05", "CAT-28")
def test_a_confirmation_asks_for_no_receipt() -> None:
    assert requests_of(envelope(confirmed())) == ()
