"""What becomes of a text message."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.sms import SmsRefused, SmsUnavailable
from adapters.texts import LONGEST, text_of
from agents.texting import hand_over_text
from streams.effects import Refused, Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.notices import SendSms, SmsHandedOver
from streams.keyring import Keyring
from streams.phones import usable_phone
from tests.agents.test_outside import NOTICE, NOW, Keys

ADA = {"email": "ada@example.com", "phone": "0044 7700 900-123"}


class Provider:
    """Keeps what it was given; fails as it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.failure = failure

    async def send(self, reference: str, to: str, text: str) -> str:
        if self.failure is not None:
            raise self.failure
        self.taken.append((reference, to, text))
        return f"sms-{len(self.taken)}"


def text(**more: Any) -> Envelope:
    given: dict[str, Any] = {"notice_id": NOTICE, "user_id": "u1", "template": "reminder", "guest": "guest"}
    return originate(SendSms(**given | more), source="notification-service", now=NOW)


async def answer(provider: Provider, keys: Keys, effect: Envelope) -> SmsHandedOver:
    result = await hand_over_text(provider, cast("Keyring", keys), effect)
    assert result.causation_id == effect.event_id
    assert isinstance(result.data, SmsHandedOver)
    return result.data


@pytest.mark.proves("CAT-12")
async def test_a_text_goes_to_the_guests_number_under_the_notices_id() -> None:
    provider, effect = Provider(), text(facts={"kind": "stay", "check_in": "2026-12-24", "provider": "PROP-001"})
    answered = await answer(provider, Keys(guest=ADA), effect)
    assert (answered.provider_message_id, answered.error, answered.effect_id) == ("sms-1", None, effect.event_id)
    assert provider.taken == [(NOTICE, "+447700900123", "Reminder: your stay begins on 2026-12-24, PROP-001.")]


async def test_who_named_no_number_now_is_reached_where_they_did_before() -> None:
    provider = Provider()
    await answer(provider, Keys(guest={"reason": "secret"}, contact=ADA), text(contact="contact"))
    assert provider.taken[0][1] == "+447700900123"
    assert "secret" not in provider.taken[0][2]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (Keys(guest={"email": "ada@example.com"}), "no_phone"),
        (Keys(guest={"phone": "020 7946 0000"}), "no_phone"),
        (Keys(), "erased"),
    ],
)
async def test_what_cannot_be_sent_says_why(keys: Keys, error: str) -> None:
    answered = await answer(Provider(), keys, text())
    assert (answered.error, answered.provider_message_id) == (error, "")


async def test_what_the_provider_will_not_take_is_refused_without_its_words() -> None:
    with pytest.raises(Refused) as refusal:
        await answer(Provider(SmsRefused("no such number: +447700900123")), Keys(guest=ADA), text())
    assert "4477" not in str(refusal.value)


async def test_a_provider_that_is_away_is_asked_again() -> None:
    with pytest.raises(Unreachable) as failed:
        await answer(Provider(SmsUnavailable("HTTP 503", 7.0)), Keys(guest=ADA), text())
    assert failed.value.retry_after == 7.0


def test_a_text_is_one_line_of_the_providers_alphabet() -> None:
    facts = {
        "confirmation_number": "RSV-2026-000123",
        "check_in": "2026-12-24",
        "check_out": "2026-12-26",
        "kind": "stay",
    }
    said = text_of("booking_confirmed", facts | {"product": "Chambre à deux lits\n“Ōsaka” 鶴", "provider": "x" * 400})
    assert said.startswith(
        "Your booking RSV-2026-000123 is confirmed: 2026-12-24 to 2026-12-26, Chambre à deux lits ?Osaka?"
    )
    assert len(said) <= LONGEST
    assert len(text_of("booking_confirmed", facts | {"product": "x" * 100, "time_zone": "y"})) <= LONGEST
    assert text_of("nothing_of_ours", {}) == "There is news of your booking."


@pytest.mark.parametrize(
    ("template", "facts", "said"),
    [
        (
            "booking_cancelled",
            {"refund": "12.00", "currency": "EUR", "refund_eligible": True},
            "12.00 EUR will be paid back.",
        ),
        ("booking_cancelled", {}, "Your booking is cancelled."),
        (
            "payment_failed",
            {"amount": "9.00", "currency": "EUR"},
            "Your payment of 9.00 EUR did not go through. You were",
        ),
        (
            "reminder",
            {"kind": "appointment", "start": "2026-12-24 09:00", "time_zone": "Europe/Rome"},
            "at 2026-12-24 09:00",
        ),
        (
            "appointment_confirmed",
            {"start": "2026-12-24 09:00", "time_zone": "Europe/Rome"},
            "(Europe/Rome) is confirmed.",
        ),
        ("appointment_cancelled", {}, "Your appointment is cancelled."),
        ("waitlist_offered", {"check_in": "2026-12-24", "check_out": "2026-12-25"}, "free (2026-12-24 to 2026-12-25)."),
    ],
)
def test_each_text_says_what_matters(template: str, facts: dict[str, Any], said: str) -> None:
    assert said in text_of(template, facts)
    assert not any(mark in text_of(template, facts) for mark in ("{", "None", "  "))


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+31 20 555-0100", "+31205550100"),
        ("0031 (20) 555.0100", "+31205550100"),
        ("+44 (0) 7700-900123", "+447700900123"),
        ("020 5550100", None),
        ("+1234567", None),
        ("+1234567890123456", None),
        ("+0123456789", None),
        (None, None),
        (31205550100, None),
    ],
)
def test_a_number_is_usable_with_its_country(said: object, number: str | None) -> None:
    assert usable_phone(said) == number
