"""The sandbox provider: what its cards do, and what its books hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from cli.sandbox.ledger import Ledger
from cli.sandbox.server import application
from cli.sandbox.tokens import CARDS
from tests.cli.shop import Json, Shop

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=lambda: NOW)
    async with TestClient(TestServer(application(ledger, slow=0.01))) as http:
        yield Shop(http)
    ledger.close()


def code(answer: tuple[int, Json]) -> tuple[int, str]:
    status, body = answer
    return status, body["error"]["code"]


async def test_an_authorization_shows_the_payment(shop: Shop) -> None:
    status, body = await shop.authorize()
    assert status == 201
    assert body.pop("id").startswith("pi_")
    assert body == {
        "reference": "pay-1",
        "status": "authorized",
        "amount": "100.00",
        "currency": "EUR",
        "captured": "0",
        "refunded": "0",
        "method": {"type": "card", "brand": "visa", "last4": "4242"},
        "refunds": [],
    }


async def test_the_ledger_lists_what_was_done_in_order(shop: Shop) -> None:
    path = await shop.captured()
    await shop.post(f"{path}/refunds", {"reference": "refund-1", "amount": "12.50"}, "back")
    await shop.authorize("tok_declined", reference="pay-2")
    entries = (await shop.get("/v1/ledger"))[1]["entries"]
    assert [(entry["n"], entry["kind"]) for entry in entries] == [
        (1, "authorized"),
        (2, "captured"),
        (3, "refunded"),
        (4, "declined"),
    ]
    assert entries[2] == {
        "n": 3,
        "at": NOW.isoformat(),
        "kind": "refunded",
        "payment": path.rpartition("/")[2],
        "reference": "pay-1",
        "refund_reference": "refund-1",
        "amount": "12.50",
        "currency": "EUR",
        "idempotency_key": "back",
    }
    assert (await shop.get("/v1/ledger?after=3"))[1]["entries"] == entries[3:]
    assert (await shop.get("/v1/ledger?after=1&limit=2"))[1]["entries"] == entries[1:3]


@pytest.mark.parametrize("token", sorted(token for token, card in CARDS.items() if card.declined))
async def test_a_card_that_is_declined_says_why(shop: Shop, token: str) -> None:
    card = CARDS[token]
    assert card.declined is not None
    assert code(await shop.authorize(token)) == (402, card.declined.code)
    status, found = await shop.get("/v1/payments?reference=pay-1")
    assert (status, found["status"], found["error"]["code"]) == (200, "declined", card.declined.code)
    assert await shop.kinds() == ["declined"]


async def test_a_token_nobody_issued_is_declined(shop: Shop) -> None:
    assert code(await shop.authorize("tok_of_nobody")) == (402, "invalid_token")
    assert await shop.kinds() == ["declined"]


async def test_a_mastercard_is_one(shop: Shop) -> None:
    assert (await shop.authorize("tok_mastercard"))[1]["method"] == {
        "type": "card",
        "brand": "mastercard",
        "last4": "4444",
    }


async def test_a_flaky_card_fails_twice_for_each_payment(shop: Shop) -> None:
    for reference in ("pay-1", "pay-2"):
        statuses = [(await shop.authorize("tok_flaky", "same-" + reference, reference=reference))[0] for _ in range(4)]
        assert statuses == [503, 503, 201, 201]
    assert await shop.kinds() == ["authorized", "authorized"]


async def test_a_slow_card_is_approved_once(shop: Shop) -> None:
    first, again = await shop.authorize("tok_slow", "k"), await shop.authorize("tok_slow", "k")
    assert first == again
    assert await shop.kinds() == ["authorized"]


async def test_a_late_decline_comes_with_the_capture(shop: Shop) -> None:
    path = await shop.authorized("tok_late_decline")
    assert code(await shop.post(f"{path}/capture", {})) == (402, "card_declined")
    assert code(await shop.post(f"{path}/void", {})) == (409, "payment_capture_failed")
    assert await shop.kinds() == ["authorized", "capture_failed"]


async def test_the_same_key_gets_the_same_answer_and_does_nothing(shop: Shop) -> None:
    path = await shop.captured()
    refund = {"reference": "refund-1", "amount": "40.00"}
    answers = [await shop.post(f"{path}/refunds", refund, "back") for _ in range(3)]
    assert answers[0][0] == 201
    assert answers[1:] == answers[:1] * 2
    assert (await shop.get("/v1/payments?reference=pay-1"))[1]["refunded"] == "40.00"


async def test_a_refusal_is_repeated_too(shop: Shop) -> None:
    first = await shop.authorize("tok_declined", "k")
    assert await shop.authorize("tok_declined", "k") == first
    assert await shop.kinds() == ["declined"]


async def test_a_key_is_good_for_one_request_only(shop: Shop) -> None:
    await shop.authorize(key="k")
    assert code(await shop.authorize(key="k", amount="100.01")) == (422, "idempotency_key_reused")
    assert code(await shop.post("/v1/payments/pi_1/void", {}, "k")) == (422, "idempotency_key_reused")
    assert await shop.kinds() == ["authorized"]


async def test_a_part_can_be_captured_and_never_more_than_all(shop: Shop) -> None:
    path = await shop.authorized()
    assert code(await shop.post(f"{path}/capture", {"amount": "100.01"})) == (422, "amount_too_large")
    status, body = await shop.post(f"{path}/capture", {"amount": "60.10"})
    assert (status, body["status"], body["captured"]) == (200, "captured", "60.10")
    assert code(await shop.post(f"{path}/capture", {})) == (409, "payment_captured")
    assert code(await shop.post(f"{path}/refunds", {"reference": "r", "amount": "60.11"})) == (422, "refund_too_large")


async def test_refunds_never_exceed_the_capture(shop: Shop) -> None:
    path = await shop.captured()
    for number, amount in enumerate(("33.33", "33.33", "33.34")):
        assert (await shop.post(f"{path}/refunds", {"reference": f"r{number}", "amount": amount}))[0] == 201
    assert code(await shop.post(f"{path}/refunds", {"reference": "r4", "amount": "0.01"})) == (422, "refund_too_large")
    found = (await shop.get("/v1/payments?reference=pay-1"))[1]
    assert found["refunded"] == "100.00"
    assert [refund["reference"] for refund in found["refunds"]] == ["r0", "r1", "r2"]


async def test_captured_and_voided_exclude_each_other(shop: Shop) -> None:
    captured = await shop.captured()
    assert code(await shop.post(f"{captured}/void", {})) == (409, "payment_captured")
    voided = await shop.authorized()
    assert (await shop.post(f"{voided}/void", {}))[1]["status"] == "voided"
    assert code(await shop.post(f"{voided}/capture", {})) == (409, "payment_voided")
    assert code(await shop.post(f"{voided}/void", {})) == (409, "payment_voided")


async def test_only_what_was_captured_is_refunded(shop: Shop) -> None:
    path = await shop.authorized()
    assert code(await shop.post(f"{path}/refunds", {"reference": "r", "amount": "1.00"})) == (409, "payment_authorized")


@pytest.mark.parametrize(
    ("what", "body"), [("capture", {}), ("void", {}), ("refunds", {"reference": "r", "amount": "1"})]
)
async def test_an_unknown_payment_is_not_found(shop: Shop, what: str, body: Json) -> None:
    assert code(await shop.post(f"/v1/payments/pi_nobody/{what}", body)) == (404, "payment_not_found")
    assert code(await shop.get("/v1/payments?reference=nobody")) == (404, "payment_not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 100.0},
        {"amount": "1e3"},
        {"amount": "-5.00"},
        {"amount": "1.00000"},
        {"amount": "\u0661.00"},
        {"currency": "eur"},
        {"reference": ""},
        {"surprise": 1},
        {"amount": None},
    ],
)
async def test_a_request_that_is_not_understood_does_nothing(shop: Shop, wrong: Json) -> None:
    assert code(await shop.authorize("tok_visa", "k", **wrong)) == (422, "invalid_request")
    assert await shop.kinds() == []
    assert (await shop.authorize(key="k"))[0] == 201


async def test_every_refusal_has_one_shape(shop: Shop) -> None:
    path = await shop.captured()
    assert code(await shop.raw("/v1/authorizations", b"{", {"Idempotency-Key": "k"})) == (422, "invalid_request")
    assert code(await shop.raw(f"{path}/void", b"", {})) == (400, "idempotency_key_missing")
    assert code(await shop.raw(f"{path}/void", b"x" * 70_000, {"Idempotency-Key": "k"})) == (413, "http_413")
    assert code(await shop.post(f"{path}/refunds", {"reference": "r", "amount": "0.00"})) == (422, "invalid_request")
    assert code(await shop.get("/v1/ledger?after=x")) == (422, "invalid_request")
    assert code(await shop.get("/v1/nothing")) == (404, "http_404")


async def test_of_two_payments_with_one_reference_the_one_that_holds_money_is_found(shop: Shop) -> None:
    await shop.authorize()
    await shop.authorize("tok_declined")
    assert (await shop.get("/v1/payments?reference=pay-1"))[1]["status"] == "authorized"


async def test_it_says_that_it_lives(shop: Shop) -> None:
    for path in ("/livez", "/readyz"):
        assert await shop.get(path) == (200, {"status": "ok"})


def test_work_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def fail() -> Any:
        ledger.attempt("pay-1")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        ledger.once("k", "f", fail)
    assert ledger.attempt("pay-1") == 1
    ledger.close()
