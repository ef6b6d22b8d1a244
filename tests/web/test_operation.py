"""Keys, health, metrics, documents, the dashboard, and what an unexpected error says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.events import EVENT_TYPES
from tests.web.conftest import KEY, Gateway, stay
from web.gateway import OPERATIONS


async def test_without_a_valid_key_nothing_is_told(gateway: Gateway) -> None:
    for key in (None, "", "wrong", KEY + "x", "schlüssel"):
        for path in ("/api/reservations", "/api/nothing", "/nothing", "/static/../secret"):
            answer = await gateway.call("POST", path, stay(), key=key)
            assert answer.status == 401
            assert answer.content_type == "application/problem+json"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert gateway.instance.appended == []


async def test_the_key_may_come_in_either_header(gateway: Gateway) -> None:
    path = f"/api/reservations/{uuid.uuid4()}"
    assert (await gateway.call("GET", path, key=None, X_API_Key=KEY)).status == 404
    assert (await gateway.call("GET", path)).status == 404


@pytest.mark.parametrize(
    "path",
    [each.path for each in OPERATIONS if each.open and each.method == "GET" and "{" not in each.path],
)
async def test_what_is_open_needs_no_key(gateway: Gateway, path: str) -> None:
    answer = await gateway.call("GET", path.replace("{token}", "x"), key=None)
    assert answer.status == (404 if "{" in path else 200)  # a link that is none of ours
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_unknown_paths_and_methods_are_problems_too(gateway: Gateway) -> None:
    missing = await gateway.call("GET", "/api/nothing")
    assert (missing.status, missing.content_type) == (404, "application/problem+json")
    wrong = await gateway.call("DELETE", "/api/reservations")
    assert (wrong.status, wrong.content_type) == (405, "application/problem+json")
    assert wrong.headers["Allow"] == "GET,HEAD,POST"


async def test_an_unexpected_error_tells_nothing_of_itself(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*args: object, **more: object) -> None:
        raise RuntimeError("password=hunter2")

    await gateway.unit()
    monkeypatch.setattr(gateway.instance, "append", broken)
    answer = await gateway.call("POST", "/api/reservations", stay())
    body = await answer.json()
    assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert "hunter2" not in str(body)
    assert body["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert "a request failed unexpectedly" in caplog.text


async def test_ready_once_every_partition_has_an_owner_that_answers(gateway: Gateway) -> None:
    url = str(gateway.worker.make_url("")).rstrip("/")
    await gateway.claim("http://127.0.0.1:1")  # what an earlier run left on the topic
    answer = await gateway.call("GET", "/readyz")
    assert answer.status == 503
    assert (await answer.json())["waiting_for"] == ["worker-1"]
    await gateway.claim(url)
    claim = gateway.instance.workers.values.pop("payment/1")
    answer = await gateway.call("GET", "/readyz")
    assert (await answer.json())["waiting_for"] == ["an owner of payment/1"]
    await gateway.instance.workers.put("payment/1", claim)
    assert (await gateway.call("GET", "/readyz")).status == 200


async def test_on_a_full_disk_nothing_new_is_taken(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    await gateway.unit()
    before = list(gateway.instance.appended)
    gateway.instance.hindrance = "only 3 MiB left in /data"
    answer = await gateway.call("POST", "/api/reservations", stay())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert (await answer.json())["detail"].startswith("The disk is full")
    assert gateway.instance.appended == before
    assert "POST /api/reservations is refused: only 3 MiB left in /data" in caplog.text
    ready = await gateway.call("GET", "/readyz")
    assert (ready.status, (await ready.json())["waiting_for"]) == (503, ["space on the disk"])
    assert (await gateway.call("GET", f"/api/reservations/{uuid.uuid4()}")).status == 404, "reading goes on"
    gateway.instance.hindrance = ""
    assert (await gateway.call("POST", "/api/reservations", stay())).status == 201
    assert (await gateway.call("GET", "/readyz")).status == 200


async def test_a_worker_that_restarts_does_not_make_the_gateway_unready(gateway: Gateway) -> None:
    assert (await gateway.call("GET", "/readyz")).status == 200
    await gateway.claim("http://127.0.0.1:1")
    assert (await gateway.call("GET", "/readyz")).status == 200


async def test_metrics_count_by_route_and_hold_the_workers(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    page = await (await gateway.call("GET", "/metrics")).text()
    samples = {
        (sample.name, sample.labels.get("route"), sample.labels.get("part")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert samples["vacancy_http_requests_total", "/api/reservations", None] == 1
    assert samples["slices_total", None, "worker-1"] == 7


async def test_openapi_lists_every_route_and_its_references_hold(gateway: Gateway) -> None:
    document = await (await gateway.call("GET", "/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    app = gateway.client.app
    assert app is not None
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.method != "HEAD"
    }
    assert documented == served
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    schemas = document["components"]["schemas"]
    assert _references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    assert all(operation["responses"] for item in document["paths"].values() for operation in item.values())


async def test_the_examples_of_openapi_are_accepted(gateway: Gateway) -> None:
    document = await (await gateway.call("GET", "/openapi.json")).json()

    def example(path: str, method: str) -> Any:
        body = document["paths"][path][method]["requestBody"]["content"]["application/json"]
        return body["examples"]["1"]["value"]

    unit = "/api/properties/{property_id}/units/{unit_type}"
    declared = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", example(unit, "put"))
    assert declared.status == 200
    stock = "/api/stock/{product_id}"
    assert (await gateway.call("PUT", "/api/stock/TENT-2P", example(stock, "put"))).status == 200
    for path in ("/api/reservations", "/api/bookings", "/api/orders"):
        answer = await gateway.call("POST", path, example(path, "post"))
        assert answer.status == 201, await answer.text()


async def test_asyncapi_has_a_channel_for_every_topic_of_the_layout(gateway: Gateway) -> None:
    document = await (await gateway.call("GET", "/asyncapi.json")).json()
    assert document["asyncapi"].startswith("3.")
    assert set(document["channels"]) == set(gateway.instance.layout.named)
    assert len(document["channels"]) >= 14
    assert set(document["components"]["messages"]) <= set(EVENT_TYPES)
    created = document["channels"]["booking.booking.created"]["bindings"]["kafka"]
    assert created["partitions"] == 3
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    messages = {f"#/components/messages/{name}" for name in document["components"]["messages"]}
    channels = {f"#/channels/{name}" for name in document["channels"]}
    assert _references(document) <= schemas | messages | channels


async def test_the_dashboard_runs_nothing_from_elsewhere(gateway: Gateway) -> None:
    answer = await gateway.call("GET", "/", key=None)
    page = await answer.text()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in page
    assert "https://" not in page
    assert 'src="/static/dashboard.js"' in page


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return here.union(*(_references(each) for each in value.values()))
    return set().union(*(_references(each) for each in value)) if isinstance(value, list) else set()
