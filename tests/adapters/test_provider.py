"""The client against the real sandbox, and against providers that hang, break off, lie, or talk nonsense."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.provider import Answer, ProviderClient, ProviderUnavailable
from adapters.provider_answers import retry_after
from cli.sandbox.ledger import Ledger
from cli.sandbox.server import application
from streams.events.payment import Operation, PaymentMethod

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


@asynccontextmanager
async def serving(app: web.Application, patience: float = 5.0) -> AsyncIterator[ProviderClient]:
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        async with aiohttp.ClientSession() as session:
            yield ProviderClient(session, str(server.make_url("")), patience)
    finally:
        await server.close()


@asynccontextmanager
async def answering(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    found: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
    patience: float = 5.0,
) -> AsyncIterator[ProviderClient]:
    """A provider that answers every call alike, and every look-up with `found` (404 if there is none)."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    app.router.add_get("/v1/payments", found or said({"error": {"code": "payment_not_found", "message": ""}}, 404))
    async with serving(app, patience) as client:
        yield client


def said(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def payment(**more: object) -> dict[str, object]:
    return {
        "id": "pi_1",
        "reference": "pay-1",
        "status": "authorized",
        "amount": "100.00",
        "currency": "EUR",
        "captured": "0",
        "refunded": "0",
        "method": {"type": "card", "brand": "visa", "last4": "4242"},
        "refunds": [],
        **more,
    }


async def authorize(client: ProviderClient) -> Answer:
    return await client.call(
        "authorize",
        payment_id="pay-1",
        amount=Decimal("100.00"),
        currency="EUR",
        token="tok_visa",
        idempotency_key="a",
    )


async def later(client: ProviderClient, operation: Operation) -> Answer:
    """A call on the payment `pi_1`."""
    return await client.call(
        operation,
        payment_id="pay-1",
        amount=Decimal("100.00"),
        currency="EUR",
        provider_payment_id="pi_1",
        refund_id="refund-1",
        idempotency_key="b",
    )


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


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "99.99"}, {"currency": "USD"}, {"reference": "pay-2"}, {"amount": 100.01}, {"status": "declined"}],
)
async def test_an_authorization_of_other_money_than_ours_is_refused(wrong: dict[str, object]) -> None:
    async with answering(said(payment(**wrong), 201)) as client:
        answer = await authorize(client)
    assert (answer.approved, answer.error_code) == (False, "provider_mismatch")


async def test_the_same_amount_written_otherwise_is_ours() -> None:
    async with answering(said(payment(amount="100.0000"), 201)) as client:
        assert (await authorize(client)).approved


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("capture", payment(status="captured", captured="99.00")),
        ("capture", payment(status="captured", captured="100.00", id="pi_2")),
        ("capture", payment(status="authorized")),
        ("void", payment(status="captured")),
        ("void", payment(status="voided", currency="USD")),
        ("refund", {"id": "re_1", "reference": "refund-2", "amount": "100.00"}),
        ("refund", {"id": "re_1", "reference": "refund-1", "amount": "10.00"}),
    ],
)
async def test_a_later_answer_about_something_else_is_refused(operation: Operation, body: dict[str, object]) -> None:
    async with answering(said(body)) as client:
        answer = await later(client, operation)
    assert (answer.approved, answer.error_code) == (False, "provider_mismatch")


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ("capture", payment(status="captured", captured="100.00")),
        ("void", payment(status="voided")),
        (
            "refund",
            payment(
                status="captured",
                captured="100.00",
                refunded="100.00",
                refunds=[
                    {"id": "re_0", "reference": "refund-0", "amount": "1.00"},
                    {"id": "re_1", "reference": "refund-1", "amount": "100.00"},
                ],
            ),
        ),
    ],
)
@pytest.mark.parametrize("fault", [hang, break_off])
async def test_a_call_whose_answer_is_lost_is_looked_up(
    operation: Operation, state: dict[str, object], fault: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> None:
    async with answering(fault, said(state), patience=0.2) as client:
        answer = await later(client, operation)
    assert answer.approved
    assert answer.provider_reference == ("re_1" if operation == "refund" else "pi_1")


@pytest.mark.parametrize("operation", ["capture", "void", "refund"])
async def test_what_the_state_does_not_show_was_not_done(operation: Operation) -> None:
    async with answering(break_off, said(payment())) as client:
        with pytest.raises(ProviderUnavailable, match="not done"):
            await later(client, operation)


async def test_a_look_up_that_finds_nothing_leaves_the_call_to_be_repeated() -> None:
    async with answering(hang, patience=0.2) as client:
        with pytest.raises(ProviderUnavailable, match="timeout; looked up: not done"):
            await authorize(client)


async def test_a_look_up_that_finds_a_refusal_is_one() -> None:
    declined = payment(status="declined", error={"code": "card_declined", "message": "No."})
    async with answering(break_off, said(declined)) as client:
        answer = await authorize(client)
    assert (answer.approved, answer.error_code, answer.error_message) == (False, "card_declined", "No.")


async def test_a_look_up_that_finds_other_money_is_not_believed() -> None:
    async with answering(break_off, said(payment(amount="1.00"))) as client:
        assert (await authorize(client)).error_code == "provider_mismatch"


async def test_a_look_up_that_fails_too_leaves_the_call_to_be_repeated() -> None:
    async with answering(break_off, break_off) as client:
        with pytest.raises(ProviderUnavailable, match="connection lost"):
            await authorize(client)


@pytest.mark.parametrize("status", [301, 401, 403, 408, 500, 502, 503])
async def test_a_status_that_says_nothing_of_the_content_is_no_refusal(status: int) -> None:
    async with answering(said({}, status, {"Location": "/elsewhere"})) as client:
        with pytest.raises(ProviderUnavailable, match=str(status)) as caught:
            await authorize(client)
    assert caught.value.retry_after is None


async def test_too_many_requests_says_when_to_come_back() -> None:
    async with answering(said({}, 429, {"Retry-After": "7"})) as client:
        with pytest.raises(ProviderUnavailable) as caught:
            await authorize(client)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("body", ["nonsense", [], {}, {"id": 5}, payment(amount="-1"), payment(status="stolen")])
@pytest.mark.parametrize("status", [200, 402])
async def test_an_answer_we_do_not_understand_decides_nothing(body: object, status: int) -> None:
    async with answering(said(body, status)) as client:
        with pytest.raises(ProviderUnavailable, match="not understood"):
            await authorize(client)


async def test_an_endless_answer_is_cut_off() -> None:
    async with answering(said({"error": {"code": "x", "message": "y" * 100_000}}, 402)) as client:
        with pytest.raises(ProviderUnavailable, match="more than"):
            await authorize(client)


async def test_a_long_message_is_cut() -> None:
    async with answering(said({"error": {"code": "x", "message": "y" * 1_000}}, 402)) as client:
        assert (await authorize(client)).error_message == "y" * 500


async def test_a_provider_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            with pytest.raises(ProviderUnavailable, match="no connection"):
                await authorize(ProviderClient(session, f"http://127.0.0.1:{taken.getsockname()[1]}", 1.0))


async def test_nothing_can_be_captured_that_was_never_authorized(books: Books) -> None:
    assert (await books.ask("capture", "c")).error_code == "not_authorized"
    assert books.kinds == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("3", 3.0), ("0", 0.0), ("-1", None), ("nan", None), ("inf", None), ("Wed, 21 Oct 2026", None)],
)
def test_retry_after_is_a_number_of_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds
