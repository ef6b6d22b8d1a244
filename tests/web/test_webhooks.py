"""Signed events of the provider: a call whose answer was lost is answered by them once, in whatever order they come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import orjson
import pytest

from adapters.webhooks import signed
from streams.events.payment import ProviderAnswered, ProviderCall
from tests.web.conftest import WEBHOOK_SECRET, Gateway
from tests.web.instance import NOW

AT = int(NOW.timestamp())
PATH = "/api/webhooks/provider"


async def send(gateway: Gateway, event: dict[str, Any], *, secret: bytes = WEBHOOK_SECRET, at: int = AT) -> int:
    body = orjson.dumps(event)
    headers = {**signed(secret, "evt_1", at, body), "Content-Type": "application/json"}
    answer = await gateway.client.post(PATH, data=body, headers=headers)
    return answer.status


def event(gateway: Gateway, nth: int, kind: str, status: str, **more: Any) -> dict[str, Any]:
    """What the provider says about the `nth` call it was asked and did not answer."""
    call = gateway.instance.calls[nth]
    assert isinstance(call.data, ProviderCall)
    payment = {
        **{"id": "pi_1", "reference": call.data.payment_id, "status": status, "amount": "200.00", "currency": "EUR"},
        **{"captured": "200.00" if status == "captured" else "0", "method": {"type": "card", "last4": "4242"}},
    }
    return {"type": kind, "idempotency_key": call.event_id, "payment": payment | more}


@pytest.fixture
async def path(gateway: Gateway) -> str:
    """A booking whose authorization nobody answered: its outcome is unknown."""
    await gateway.unit()
    gateway.instance.silent = True
    opened = await gateway.book()
    return str(opened["links"]["self"])


async def status_of(gateway: Gateway, path: str) -> str:
    return str((await (await gateway.call("GET", path)).json())["status"])


@pytest.mark.proves("HTL-05", "HTL-21")
async def test_an_unknown_outcome_becomes_known(gateway: Gateway, path: str) -> None:
    assert await status_of(gateway, path) == "PENDING", "a timeout is not a refusal"
    assert await send(gateway, event(gateway, 0, "payment.authorized", "authorized")) == 200
    assert await status_of(gateway, path) == "CONFIRMED"
    assert await send(gateway, event(gateway, 1, "payment.captured", "captured")) == 200
    body = await (await gateway.call("GET", path)).json()
    payment = await (await gateway.call("GET", f"/api/payments/{body['payment_id']}")).json()
    assert (payment["status"], payment["captured"]["amount"]) == ("CAPTURED", "200.00")


async def test_a_declined_card_is_known_from_its_event(gateway: Gateway, path: str) -> None:
    error = {"code": "card_declined", "message": "Your card was declined."}
    assert await send(gateway, event(gateway, 0, "payment.declined", "declined", error=error)) == 200
    body = await (await gateway.call("GET", path)).json()
    assert (body["status"], body["reason"]) == ("REJECTED", "card_declined")


@pytest.mark.parametrize("order", list(permutations([0, 1, 0, 1]))[:24:5])
async def test_late_twice_or_out_of_order_is_the_same(gateway: Gateway, path: str, order: tuple[int, ...]) -> None:
    first = event(gateway, 0, "payment.authorized", "authorized")
    await send(gateway, first)
    second = event(gateway, 1, "payment.captured", "captured")
    late = event(gateway, 0, "payment.authorized", "captured")
    for number in order:
        assert await send(gateway, (late, second)[number]) == 200
    answers = [each for each in gateway.instance.appended if isinstance(each, ProviderAnswered)]
    assert len(answers) == 2, "an answer that the row has is not appended again"
    body = await (await gateway.call("GET", path)).json()
    payment = await (await gateway.call("GET", f"/api/payments/{body['payment_id']}")).json()
    assert (body["status"], payment["captured"]["amount"]) == ("CONFIRMED", "200.00")


async def test_a_capture_that_was_never_asked_for_is_not_taken(gateway: Gateway, path: str) -> None:
    """Out of order: its authorization is not known yet. The provider tells it again, or our call asks."""
    early = event(gateway, 0, "payment.captured", "captured") | {"idempotency_key": "another"}
    assert await send(gateway, early) == 200
    assert await status_of(gateway, path) == "PENDING"


@pytest.mark.parametrize(
    ("how", "expected"),
    [({"secret": b"another"}, 401), ({"at": AT - 301}, 400), ({"at": AT + 301}, 400), ({"at": AT - 299}, 200)],
)
async def test_a_wrong_signature_is_401_and_a_replay_400(
    gateway: Gateway, path: str, how: dict[str, Any], expected: int
) -> None:
    assert await send(gateway, event(gateway, 0, "payment.authorized", "authorized"), **how) == expected
    assert await status_of(gateway, path) == ("CONFIRMED" if expected == 200 else "PENDING")


async def test_what_is_not_signed_is_not_read(gateway: Gateway, path: str) -> None:
    assert (await gateway.client.post(PATH, json={"type": "x"})).status == 401
    body = orjson.dumps(event(gateway, 0, "payment.authorized", "authorized"))
    headers = {**signed(WEBHOOK_SECRET, "evt_1", AT, body), "Content-Type": "application/json"}
    forged = body.replace(b"200.00", b"100.00")
    assert (await gateway.client.post(PATH, data=forged, headers=headers)).status == 401
    headers["webhook-signature"] = f"v1,wrong {headers['webhook-signature']}"
    assert (await gateway.client.post(PATH, data=body, headers=headers)).status == 200


@pytest.mark.parametrize("more", [{"amount": "199.99"}, {"currency": "USD"}])
async def test_an_event_about_other_money_is_refused(gateway: Gateway, path: str, more: dict[str, Any]) -> None:
    assert await send(gateway, event(gateway, 0, "payment.authorized", "authorized", **more)) == 422
    assert await status_of(gateway, path) == "PENDING"


async def test_an_event_of_no_payment_of_ours_is_404(gateway: Gateway, path: str) -> None:
    assert await send(gateway, event(gateway, 0, "payment.authorized", "authorized", reference="nobody")) == 404


async def test_an_authorization_that_expired_leads_to_a_clear_state(gateway: Gateway, path: str) -> None:
    gateway.instance.paused.add("booking")
    await send(gateway, event(gateway, 0, "payment.authorized", "authorized"))
    assert await send(gateway, event(gateway, 0, "authorization.expired", "voided")) == 200
    body = await (await gateway.call("GET", path)).json()
    payment = await (await gateway.call("GET", f"/api/payments/{body['payment_id']}")).json()
    assert (payment["status"], payment["error"]) == ("VOIDED", "authorization_expired")
    gateway.instance.paused.clear()
    await gateway.instance.run()
    body = await (await gateway.call("GET", path)).json()
    assert (body["status"], body["reason"]) == ("CANCELLED", "payment_capture_failed: authorization_expired")
