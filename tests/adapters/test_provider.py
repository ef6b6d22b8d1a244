"""The client against the real sandbox: what is done once, twice, late, and never answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.provider import Answer, ProviderClient, ProviderUnavailable
from cli.sandbox.ledger import Ledger
from cli.sandbox.server import application
from streams.events.payment import Operation, PaymentMethod
from tests.adapters.providers import serving

VISA = PaymentMethod(type="card", brand="visa", last4="4242")


class Books:
    """A client of a sandbox, with what the sandbox wrote down."""

    def __init__(self, client: ProviderClient, ledger: Ledger) -> None:
        self.client = client
        self.ledger = ledger

    @property
    def kinds(self) -> list[str]:
        return [entry["kind"] for entry in self.ledger.entries()]

    async def ask(self, operation: Operation, key: str, **more: Any) -> Answer:
        asked = {"payment_id": "pay-1", "amount": Decimal("100.00"), "currency": "EUR", "token": "tok_visa"}
        return await self.client.call(operation, idempotency_key=key, **{**asked, **more})

    async def authorized(self, token: str = "tok_visa") -> str:
        answer = await self.ask("authorize", "a", token=token)
        assert answer.provider_reference is not None
        return answer.provider_reference


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    async with serving(application(ledger, slow=0.01)) as client:
        yield Books(client, ledger)
    ledger.close()


async def test_a_payment_is_authorized_captured_and_refunded(books: Books) -> None:
    pi = await books.authorized()
    assert pi.startswith("pi_")
    captured = await books.ask("capture", "c", provider_payment_id=pi)
    assert captured == Answer(approved=True, provider_reference=pi, method=VISA)
    back = await books.ask("refund", "r", provider_payment_id=pi, refund_id="refund-1", amount=Decimal("30.50"))
    assert back.approved
    assert back.provider_reference is not None
    assert back.provider_reference.startswith("re_")
    assert books.kinds == ["authorized", "captured", "refunded"]
    assert books.ledger.entries(after=2)[0]["amount"] == "30.50"


async def test_an_authorization_is_voided(books: Books) -> None:
    pi = await books.authorized()
    assert (await books.ask("void", "v", provider_payment_id=pi)).approved
    refused = await books.ask("capture", "c", provider_payment_id=pi)
    assert (refused.approved, refused.error_code) == (False, "payment_voided")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_expired_card", "expired_card"),
        ("tok_of_nobody", "invalid_token"),
    ],
)
async def test_a_refusal_carries_the_providers_code_and_words(books: Books, token: str, code: str) -> None:
    answer = await books.ask("authorize", "a", token=token)
    assert (answer.approved, answer.error_code) == (False, code)
    assert answer.error_message


async def test_a_repeated_call_is_done_once(books: Books) -> None:
    first, second = await books.ask("authorize", "a"), await books.ask("authorize", "a")
    assert first == second
    assert books.kinds == ["authorized"]


async def test_a_slow_card_is_approved(books: Books) -> None:
    assert (await books.ask("authorize", "a", token="tok_slow")).approved


async def test_a_flaky_card_is_unavailable_twice(books: Books) -> None:
    for _ in range(2):
        with pytest.raises(ProviderUnavailable, match="503"):
            await books.ask("authorize", "a", token="tok_flaky")
    assert (await books.ask("authorize", "a", token="tok_flaky")).approved
    assert books.kinds == ["authorized"]


async def test_an_authorization_that_is_never_answered_is_looked_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    async with serving(application(ledger), patience=0.3) as client:
        answer = await Books(client, ledger).ask("authorize", "a", token="tok_timeout")
    assert answer.approved
    assert answer.method == VISA
    assert [entry["kind"] for entry in ledger.entries()] == ["authorized"]
    ledger.close()


async def test_a_capture_that_is_declined_late_is_refused(books: Books) -> None:
    pi = await books.authorized("tok_late_decline")
    answer = await books.ask("capture", "c", provider_payment_id=pi)
    assert (answer.approved, answer.error_code) == (False, "card_declined")


async def test_nothing_can_be_captured_that_was_never_authorized(books: Books) -> None:
    assert (await books.ask("capture", "c")).error_code == "not_authorized"
    assert books.kinds == []
