"""Webhook endpoints over HTTP: made with a secret shown once, changed, paused, deleted; and what was sent to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streams.envelope import originate
from streams.events.hooks import Deliver, DeliveryAnswered, EndpointKnown, SendWebhook
from tests.web.conftest import Gateway
from tests.web.instance import NOW

ASKED = {"url": "https://example.com/hooks", "types": ["booking.booking.confirmed", "payment.*"]}
PATH = "/api/webhooks"


async def made(gateway: Gateway, **more: object) -> dict[str, Any]:
    answer = await gateway.call("POST", PATH, {**ASKED, **more})
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def deliver(gateway: Gateway, endpoint_id: str, minutes: int = 1) -> SendWebhook:
    """An event the endpoint wants, and the attempt that was ordered for it."""
    at = NOW + timedelta(minutes=minutes)
    event = Deliver(endpoint_id=endpoint_id, event_id=f"e{minutes}", news="payment.payment.failed", at=at, body="{}")
    await gateway.instance.append(event, source="test")
    sent = gateway.instance.published[-1].data
    assert isinstance(sent, SendWebhook)
    return sent


async def answer(gateway: Gateway, sent: SendWebhook, status: int | None, **more: Any) -> None:
    said = DeliveryAnswered(
        endpoint_id=sent.endpoint_id,
        delivery_id=sent.delivery_id,
        effect_id=originate(sent, source="test", now=NOW).event_id,
        attempt=sent.attempt,
        status=status,
        **more,
    )
    await gateway.instance.append(said, source="test")


async def look(gateway: Gateway, path: str) -> dict[str, Any]:
    found = await gateway.call("GET", path)
    assert found.status == 200, await found.text()
    body: dict[str, Any] = await found.json()
    return body


async def test_an_endpoint_is_made_and_its_secret_shown_once(gateway: Gateway) -> None:
    answered = await gateway.call("POST", PATH, {**ASKED, "description": "Accounting", "property_id": "P1"})
    body = await answered.json()
    secret = body.pop("secret")
    assert answered.status == 201
    assert secret.startswith("whsec_")
    assert answered.headers["Location"] == f"{PATH}/{body['id']}"
    assert (body["status"], body["types"], body["property_id"]) == ("ENABLED", ASKED["types"], "P1")
    assert await look(gateway, f"{PATH}/{body['id']}") == body
    assert await look(gateway, PATH) == {"endpoints": [body]}
    assert secret not in repr(gateway.instance.appended)
    (known,) = [each.data for each in gateway.instance.published]
    assert isinstance(known, EndpointKnown)
    assert known.types == tuple(ASKED["types"])


async def test_a_retry_is_answered_the_same_and_another_request_is_not(gateway: Gateway) -> None:
    first = await gateway.call("POST", PATH, ASKED, Idempotency_Key="k1")
    again = await gateway.call("POST", PATH, ASKED, Idempotency_Key="k1")
    assert (again.status, await again.json()) == (201, await first.json())
    other = await gateway.call("POST", PATH, {**ASKED, "types": ["*"]}, Idempotency_Key="k1")
    assert (other.status, (await other.json())["type"]) == (422, "urn:vacancy:problem:idempotency-key-reused")
    await gateway.call("DELETE", first.headers["Location"])
    gone = await gateway.call("POST", PATH, ASKED, Idempotency_Key="k1")
    assert (gone.status, (await gone.json())["type"]) == (409, "urn:vacancy:problem:endpoint-removed")


BAD_REQUESTS: list[tuple[dict[str, object], str]] = [
    ({**ASKED, "url": "http://example.com/"}, "url"),
    ({**ASKED, "url": "https://127.0.0.1/"}, "url"),
    ({**ASKED, "url": "https://2130706433/"}, "url"),
    ({**ASKED, "url": "https://[::ffff:10.0.0.1]/"}, "url"),
    ({**ASKED, "url": "https://localhost/x"}, "url"),
    ({**ASKED, "url": "https://me:secret@example.com/"}, "url"),
    ({**ASKED, "types": []}, "types"),
    ({**ASKED, "types": ["booking.booking.vanished"]}, "types.0"),
    ({**ASKED, "types": ["book*"]}, "types.0"),
    ({**ASKED, "format": "xml"}, "format"),
    ({"url": ASKED["url"]}, "types"),
]


async def test_bad_input_is_named(gateway: Gateway) -> None:
    for body, field in BAD_REQUESTS:
        refused = await gateway.call("POST", PATH, body)
        assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, field)


BAD_CHANGES: list[tuple[dict[str, object], str]] = [
    ({}, "body"),
    ({"url": None}, "url"),
    ({"url": "ftp://example.com"}, "url"),
    ({"enabled": False, "redeliver_since": "2026-11-21T00:00:00Z"}, "redeliver_since"),
]


async def test_bad_changes_are_named(gateway: Gateway) -> None:
    itself = f"{PATH}/{(await made(gateway))['id']}"
    for body, field in BAD_CHANGES:
        refused = await gateway.call("PATCH", itself, body)
        assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, field)


async def test_an_endpoint_is_changed_disabled_and_enabled(gateway: Gateway) -> None:
    itself = f"{PATH}/{(await made(gateway))['id']}"
    changed = await (await gateway.call("PATCH", itself, {"url": "https://example.com/2", "types": ["*"]})).json()
    assert (changed["url"], changed["types"]) == ("https://example.com/2", ["*"])
    off = await (await gateway.call("PATCH", itself, {"enabled": False})).json()
    assert (off["status"], off["reason"]) == ("DISABLED", "by_request")
    refused = await gateway.call("POST", f"{itself}/test")
    assert (refused.status, (await refused.json())["type"]) == (409, "urn:vacancy:problem:endpoint-not-enabled")
    on = await (await gateway.call("PATCH", itself, {"enabled": True})).json()
    assert (on["status"], on["reason"]) == ("ENABLED", None)


async def test_a_rotation_signs_with_both_secrets(gateway: Gateway) -> None:
    first = await made(gateway)
    itself = f"{PATH}/{first['id']}"
    rotated = await (await gateway.call("POST", f"{itself}/rotate", Idempotency_Key="r1")).json()
    again = await (await gateway.call("POST", f"{itself}/rotate", Idempotency_Key="r1")).json()
    assert rotated == again
    assert rotated["secret"] not in ("", first["secret"])
    sent = await deliver(gateway, first["id"])
    opened = [await gateway.seals.unseal(f"webhook:{first['id']}", each) for each in sent.secrets]
    assert opened == [rotated["secret"], first["secret"]]


async def test_too_many_rotations_are_refused_with_the_time_for_the_next(gateway: Gateway) -> None:
    itself = f"{PATH}/{(await made(gateway))['id']}"
    answers = [await gateway.call("POST", f"{itself}/rotate", Idempotency_Key=f"r{number}") for number in range(6)]
    assert [each.status for each in answers] == [200] * 5 + [409]
    problem = await answers[-1].json()
    assert problem["type"] == "urn:vacancy:problem:too-many-secrets"
    assert (NOW + timedelta(days=1)).date().isoformat() in problem["detail"]


async def test_removed_endpoints_hide_no_other(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.hook_endpoints._PAGE", 1)
    for _ in range(4):
        await gateway.call("DELETE", f"{PATH}/{(await made(gateway))['id']}")
    standing = {(await made(gateway))["id"] for _ in range(4)}
    found = await look(gateway, PATH)
    assert {each["id"] for each in found["endpoints"]} == standing
    assert {each["missed"] for each in found["endpoints"]} == {0}


async def test_a_deleted_endpoint_is_gone(gateway: Gateway) -> None:
    itself = f"{PATH}/{(await made(gateway))['id']}"
    assert (await gateway.call("DELETE", itself)).status == 200
    assert {(await gateway.call(method, itself)).status for method in ("GET", "DELETE")} == {404}
    assert await look(gateway, PATH) == {"endpoints": []}
    assert (await gateway.call("GET", f"{itself}/deliveries")).status == 404


async def test_deliveries_are_listed_by_page_and_status_with_their_attempts(gateway: Gateway) -> None:
    endpoint = await made(gateway)
    path = f"{PATH}/{endpoint['id']}/deliveries"
    sent = [await deliver(gateway, endpoint["id"], minutes) for minutes in (1, 2, 3)]
    await answer(gateway, sent[0], 200, response="thanks", duration_ms=12)
    await answer(gateway, sent[1], None, error="no connection: refused")
    page = await look(gateway, f"{path}?limit=2")
    assert [each["event_id"] for each in page["deliveries"]] == ["e3", "e2"]
    rest = await look(gateway, f"{path}?limit=2&before={page['next']}")
    assert ([each["event_id"] for each in rest["deliveries"]], rest["next"]) == (["e1"], None)
    waiting = await look(gateway, f"{path}?status=PENDING")
    assert [each["last_error"] for each in waiting["deliveries"]] == [None, "no connection: refused"]
    assert waiting["deliveries"][1]["next_attempt_at"] is not None
    one = await look(gateway, f"{path}/{sent[0].delivery_id}")
    assert (one["status"], one["body"], one["log"][0]["response"]) == ("DELIVERED", "{}", "thanks")
    assert (await look(gateway, f"{PATH}/{endpoint['id']}"))["failures"] == 1


async def test_bad_questions_are_named(gateway: Gateway) -> None:
    path = f"{PATH}/{(await made(gateway))['id']}/deliveries"
    for query in ("status=LOST", "before=yesterday", "limit=0"):
        refused = await gateway.call("GET", f"{path}?{query}")
        assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, query.partition("=")[0])


async def test_a_delivery_is_sent_again_when_it_is_asked_for(gateway: Gateway) -> None:
    endpoint = await made(gateway)
    sent = await deliver(gateway, endpoint["id"])
    await answer(gateway, sent, 200)
    path = f"{PATH}/{endpoint['id']}/deliveries/{sent.delivery_id}"
    again = await gateway.call("POST", f"{path}/redeliver")
    assert (again.status, (await again.json())["status"]) == (202, "PENDING")
    assert (await gateway.call("POST", f"{PATH}/{endpoint['id']}/deliveries/nothing/redeliver")).status == 404


@pytest.mark.parametrize("form", ["standard", "cloudevents"])
async def test_a_test_is_sent_whatever_the_endpoint_listens_to(gateway: Gateway, form: str) -> None:
    endpoint = await made(gateway, format=form)
    ordered = await gateway.call("POST", f"{PATH}/{endpoint['id']}/test")
    body = await ordered.json()
    sent = gateway.instance.published[-1].data
    assert (ordered.status, sent.event_type) == (202, "webhook.effect.send")
    assert '"type":"webhook.test"' in (await look(gateway, body["links"]["self"]))["body"]


async def test_endpoints_are_bounded(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.hook_endpoints.MOST_ENDPOINTS", 1)
    await made(gateway)
    refused = await gateway.call("POST", PATH, ASKED)
    assert (refused.status, (await refused.json())["type"]) == (409, "urn:vacancy:problem:too-many-endpoints")
