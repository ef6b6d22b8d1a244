"""Reads come from the owner of a row or not at all: 503 and safe to retry, never a wrong answer."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiohttp import ClientSession

from streams.events.booking import RequestBooking
from tests.web.conftest import TOKEN, Gateway, stay

READS = ("/api/reservations/{id}", "/api/reservations/{id}/timeline", "/api/payments/{id}")


async def _expect_unavailable(gateway: Gateway, method: str, path: str, body: object = None) -> None:
    answer = await gateway.call(method, path, body)
    assert answer.status == 503, path
    assert answer.headers["Retry-After"] == "1"
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", READS)
async def test_without_an_owner_a_read_is_503(gateway: Gateway, path: str) -> None:
    gateway.instance.workers.values.clear()
    await _expect_unavailable(gateway, "GET", path.format(id=uuid.uuid4()))


async def test_an_owner_that_is_gone_is_503(gateway: Gateway) -> None:
    await gateway.claim("http://127.0.0.1:1")
    await _expect_unavailable(gateway, "GET", f"/api/reservations/{uuid.uuid4()}")


async def test_a_worker_that_does_not_own_the_row_says_so(gateway: Gateway) -> None:
    gateway.instance.stores["booking"].withdraw()
    async with ClientSession() as http:
        url = gateway.worker.make_url(f"/rows/booking/{uuid.uuid4()}")
        async with http.get(url, headers={"X-Vacancy-Internal": TOKEN}) as answer:
            assert answer.status == 421
            assert await answer.json() == {"owner": False}
    await _expect_unavailable(gateway, "GET", f"/api/reservations/{uuid.uuid4()}")


async def test_a_moved_partition_is_found_at_its_new_owner(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    await gateway.claim("http://127.0.0.1:1")
    new_owner = str(gateway.worker.make_url("")).rstrip("/")
    reading = asyncio.create_task(gateway.call("GET", opened["links"]["self"]))
    await asyncio.sleep(0)
    await gateway.claim(new_owner)
    assert (await reading).status == 200


@pytest.mark.proves("C22")
async def test_a_post_whose_row_cannot_be_read_is_503_and_its_retry_gets_the_same_booking(gateway: Gateway) -> None:
    await gateway.unit()
    gateway.instance.paused.add("booking")
    first = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    assert first.status == 503
    gateway.instance.paused.clear()
    await gateway.instance.run()
    second = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    assert second.status == 201
    assert (await second.json())["confirmation_number"] == "RSV-2026-000001"  # the first attempt's: it was accepted


async def test_a_missing_row_is_404_only_once_its_inbox_is_decided(gateway: Gateway) -> None:
    await gateway.unit()
    gateway.instance.paused.add("booking")
    await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    (request,) = gateway.instance.appended
    assert isinstance(request, RequestBooking)
    path = f"/api/reservations/{request.booking_id}"
    await _expect_unavailable(gateway, "GET", path)
    gateway.instance.paused.clear()
    await gateway.instance.run()
    assert (await gateway.call("GET", path)).status == 200


@pytest.mark.proves("C22")
async def test_without_the_log_nothing_is_accepted(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    gateway.instance.reachable = False
    await _expect_unavailable(gateway, "POST", "/api/reservations", stay())
    await _expect_unavailable(gateway, "POST", opened["links"]["cancel"], {"reason": "ill"})


async def test_views_are_for_gateways_only(gateway: Gateway) -> None:
    async with ClientSession() as http:
        for headers in ({}, {"X-Vacancy-Internal": "guess"}):
            url = gateway.worker.make_url(f"/rows/booking/{uuid.uuid4()}")
            async with http.get(url, headers=headers) as answer:
                assert answer.status == 401
        async with http.get(
            gateway.worker.make_url("/rows/availability"), headers={"X-Vacancy-Internal": TOKEN}
        ) as answer:
            assert answer.status == 400
