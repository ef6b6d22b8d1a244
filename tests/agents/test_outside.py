"""What the notification and receipt agents do outside: hand over a mail, write a receipt."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.mailbox import Mailbox
from agents.receipt import requests_of, write_receipt
from agents.sending import hand_over
from streams.effects import Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.notices import MailHandedOver, SendMail
from streams.events.receipts import ReceiptWritten, WriteReceipt
from streams.keyring import Keyring
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


async def answer(directory: Path, keys: Keys, effect: Envelope) -> MailHandedOver:
    result = await hand_over(Mailbox(directory / "mail"), cast("Keyring", keys), effect)
    assert result.causation_id == effect.event_id
    assert isinstance(result.data, MailHandedOver)
    return result.data


@pytest.mark.proves("CAMP-16", "CAT-11")
async def test_a_mail_goes_to_the_guest_it_is_about(tmp_path: Path) -> None:
    effect = mail(contact="contact")
    answered = await answer(tmp_path, Keys(guest=ADA, contact={"email": "other@example.com"}), effect)
    assert (answered.error, answered.message_id, answered.effect_id) == (None, f"<{NOTICE}@vacancy>", effect.event_id)
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    assert (found.to, found.message_id, found.at) == ("ada@example.com", answered.message_id, NOW)
    assert found.text.startswith("Hello Ada,")


async def test_handed_over_again_it_is_the_same_mail(tmp_path: Path) -> None:
    first, again = mail(), mail()
    answers = [await answer(tmp_path, Keys(guest=ADA), effect) for effect in (first, again)]
    assert {each.message_id for each in answers} == {f"<{NOTICE}@vacancy>"}
    assert len(Mailbox(tmp_path / "mail").newest(10)) == 1


async def test_news_that_names_nobody_goes_where_the_user_was_reached_before(tmp_path: Path) -> None:
    keys = Keys(record={"medication": "secret"}, contact=ADA)
    answered = await answer(tmp_path, keys, mail(guest="record", contact="contact", template="prescription_created"))
    (found,) = Mailbox(tmp_path / "mail").newest(10)
    assert answered.error is None
    assert found.to == "ada@example.com"
    assert "secret" not in found.text


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
async def test_with_nowhere_to_go_nothing_is_written(
    tmp_path: Path, sealed: dict[str, Any], keys: Keys, error: str
) -> None:
    assert (await answer(tmp_path, keys, mail(**sealed))).error == error
    assert Mailbox(tmp_path / "mail").newest(1) == []


async def test_a_mail_waits_for_the_keys_and_for_the_disk(tmp_path: Path) -> None:
    keys = Keys(guest=ADA)
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(Unreachable):
        await answer(tmp_path, keys, mail())
    keys.reachable = False
    with pytest.raises(Unreachable):
        await answer(tmp_path, keys, mail())


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
