"""No request may carry a card number, wherever it stands; nothing repeats it, and nothing of it is appended."""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import Gateway, booking, stay

PAN = "4111 1111 1111 1111"
BARE = "4111111111111111"


@pytest.mark.proves("HTL-21")
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/reservations", stay(payment_method={"token": BARE}), "payment_method.token"),
        ("/api/reservations", stay(payment_method={"token": "x", "number": PAN}), "payment_method.number"),
        ("/api/reservations", stay(guest={"email": "a@b.nl", "first_name": PAN, "last_name": "G"}), "guest.first_name"),
        ("/api/reservations", stay(property_id=BARE), "property_id"),
        ("/api/bookings", booking(metadata={"deep": [{"card": int(BARE)}]}), "metadata.deep.0.card"),
        ("/api/bookings", booking(metadata={PAN: 1}), "metadata.[card number removed]"),
        ("/api/users", {"email": "a@b.nl", "first_name": "A", "last_name": f"my card: {PAN}"}, "last_name"),
        ("/api/orders", {"anything": ["4111-1111-1111-1111"]}, "anything.0"),
        ("/api/payments/p/refunds", {"amount": "1", "reason": PAN}, "reason"),
    ],
)
async def test_a_body_with_a_card_number_is_refused(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, path: str, body: object, field: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await gateway.call("POST", path, body)
        text = await answer.text()
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == field
    assert "send a token of the payment provider, never a card number" in text
    assert BARE not in (text + caplog.text).replace(" ", "").replace("-", "")
    assert gateway.instance.appended == []


@pytest.mark.parametrize(
    ("path", "headers", "field"),
    [
        (f"/api/reservations/{BARE}", {}, "path"),
        ("/api/reservations/4111%201111%201111%201111", {}, "path"),
        (f"/api/availability?property_id={BARE}", {}, "query.property_id"),
        ("/api/reservations/b1", {"Idempotency_Key": BARE}, "Idempotency-Key"),
        ("/api/reservations/b1", {"X_Correlation_Id": BARE}, "X-Correlation-Id"),
    ],
)
async def test_nor_may_paths_queries_and_headers(
    gateway: Gateway, path: str, headers: dict[str, str], field: str
) -> None:
    answer = await gateway.call("GET", path, **headers)
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == field
    assert BARE not in await answer.text() + str(answer.headers)


async def test_phone_numbers_and_ids_are_no_card_numbers(gateway: Gateway) -> None:
    await gateway.unit()
    guest = {"email": "a@b.nl", "first_name": "A", "last_name": "B", "phone": PAN}
    answer = await gateway.call("POST", "/api/reservations", stay(guest=guest), Idempotency_Key="RSV-2026-000123")
    assert answer.status == 201
