"""The client against providers that hang, break off, lie, or talk nonsense."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from adapters.provider import ProviderClient, ProviderUnavailable
from adapters.provider_answers import retry_after
from streams.events.payment import Operation
from tests.adapters.providers import answering, authorize, break_off, hang, later, payment, said


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


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("3", 3.0), ("0", 0.0), ("-1", None), ("nan", None), ("inf", None), ("Wed, 21 Oct 2026", None)],
)
def test_retry_after_is_a_number_of_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds
