"""Booking a stay over HTTP: accepted, followed, repeated, cancelled."""

from __future__ import annotations

import asyncio
import uuid

from streams.events.booking import CancelBooking, RequestBooking
from tests.web.conftest import Gateway, day, stay


async def test_a_stay_is_accepted_as_pending_with_its_number_and_price(gateway: Gateway) -> None:
    await gateway.unit()
    answer = await gateway.call("POST", "/api/reservations", stay(quantity=2))
    body = await answer.json()
    assert answer.status == 201
    assert body["status"] == "PENDING"
    assert body["confirmation_number"] == "RSV-2026-000001"
    assert body["price"] == {"amount": "400.00", "currency": "EUR"}
    assert answer.headers["Location"] == body["links"]["self"] == f"/api/reservations/{body['booking_id']}"


async def test_a_stay_is_read_back_with_its_dates_guest_and_outcome(gateway: Gateway) -> None:
    await gateway.unit(time_zone="America/New_York")
    opened = await gateway.book()
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    assert body["status"] == "CONFIRMED"
    assert (body["check_in"], body["check_out"]) == (str(day(30)), str(day(32)))
    assert body["guest"]["email"] == "Ada@example.com"
    assert body["start_time"] is None
    assert body["payment_id"]


async def test_nothing_personal_is_appended_in_the_clear(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    (event,) = gateway.instance.appended
    assert isinstance(event, RequestBooking)
    for secret in ("Ada", "example.com", "tok_visa"):
        assert secret not in repr(event)
    assert event.user_id == str(uuid.UUID(event.user_id))


async def test_a_guest_has_the_same_user_id_however_the_email_is_written(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    await gateway.book(guest={"email": "ada@EXAMPLE.com", "first_name": "A", "last_name": "G"})
    one, other = gateway.instance.appended
    assert isinstance(one, RequestBooking)
    assert isinstance(other, RequestBooking)
    assert one.user_id == other.user_id


async def test_an_erased_guest_is_shown_as_none(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book(guest={"email": "a@b.co", "first_name": "A", "last_name": "G", "user_id": "u-7"})
    gateway.seals.erased.add("u-7")
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    assert body["guest"] is None
    assert body["user_id"] == "u-7"


async def test_a_retry_is_answered_from_the_row(gateway: Gateway) -> None:
    await gateway.unit()
    one = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k 1")
    await gateway.unit(base_price={"amount": "150.00", "currency": "EUR"})
    other = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k 1")
    assert (one.status, other.status) == (201, 201)
    assert await one.json() == await other.json()


async def test_a_retry_is_answered_even_when_the_request_would_be_refused_by_now(gateway: Gateway) -> None:
    await gateway.unit()
    one = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    await gateway.unit(min_stay=5)
    other = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    assert (one.status, other.status) == (201, 201)
    assert await one.json() == await other.json()
    assert gateway.instance.appended == []


async def test_another_body_under_the_same_key_is_refused(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")
    answer = await gateway.call("POST", "/api/reservations", stay(quantity=2), Idempotency_Key="k")
    assert answer.status == 422
    assert (await answer.json())["type"].endswith("idempotency-key-reused")


async def test_a_key_that_cannot_be_used_is_refused_before_anything_is_appended(gateway: Gateway) -> None:
    await gateway.unit()
    for key in ("", "k" * 256, "schlüssel"):
        answer = await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key=key)
        assert answer.status == 400, key
    assert gateway.instance.appended == []


async def test_the_correlation_id_goes_from_the_request_into_the_log_and_back(gateway: Gateway) -> None:
    await gateway.unit()
    answer = await gateway.call("POST", "/api/reservations", stay(), X_Correlation_Id="trace-1")
    assert answer.headers["X-Correlation-Id"] == "trace-1"
    assert gateway.instance.correlations[-1] == "trace-1"
    forged = await gateway.call("GET", "/livez", X_Correlation_Id="no spaces here")
    assert forged.headers["X-Correlation-Id"] != "no spaces here"


async def test_wait_answers_as_soon_as_there_is_an_outcome(gateway: Gateway) -> None:
    await gateway.unit()
    gateway.instance.paused.add("payment")
    opened = await gateway.book()
    waiting = asyncio.create_task(gateway.call("GET", f"{opened['links']['self']}?wait=30"))
    now = await (await gateway.call("GET", f"{opened['links']['self']}?wait=0.05")).json()
    assert now["status"] == "PENDING"
    assert not waiting.done()
    gateway.instance.paused.clear()
    await gateway.instance.run()
    assert (await (await waiting).json())["status"] == "CONFIRMED"


async def test_a_wait_that_is_no_number_is_refused(gateway: Gateway) -> None:
    for wait in ("-1", "soon", "61", "1e3", "nan", ""):
        answer = await gateway.call("GET", f"/api/reservations/{uuid.uuid4()}?wait={wait}")
        assert answer.status == 422, wait
        assert (await answer.json())["errors"][0]["field"] == "wait"


async def test_the_timeline_tells_what_happened_in_order(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    body = await (await gateway.call("GET", opened["links"]["timeline"])).json()
    types = [event["event_type"] for event in body["events"]]
    assert types[:2] == ["booking.booking.request", "booking.booking.created"]
    assert "booking.booking.confirmed" in types
    assert body["events"][1]["causation_id"] == body["events"][0]["event_id"]


async def test_a_cancel_quotes_fee_and_refund_and_repeats_its_answer(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    answer = await gateway.call("POST", opened["links"]["cancel"], {"reason": "ill"})
    body = await answer.json()
    assert answer.status == 200
    assert (body["status"], body["reason"]) == ("CANCELLED", "ill")
    assert body["cancellation"]["refund"] == {"amount": "200.00", "currency": "EUR"}
    assert body["cancellation"]["fee"]["amount"] == "0.00"
    again = await (await gateway.call("POST", opened["links"]["cancel"], {"reason": "other"})).json()
    assert again["cancellation"] == body["cancellation"]
    assert len([event for event in gateway.instance.appended if isinstance(event, CancelBooking)]) == 1


async def test_a_cancel_needs_no_body(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    answer = await gateway.call("POST", opened["links"]["cancel"])
    assert answer.status == 200


async def test_what_was_rejected_cannot_be_cancelled(gateway: Gateway) -> None:
    await gateway.unit(capacity=0)
    opened = await gateway.book()
    answer = await gateway.call("POST", opened["links"]["cancel"], {"reason": "ill"})
    assert answer.status == 409
    told = await answer.json()
    assert (told["status"], told["booking_status"]) == (409, "REJECTED")


async def test_an_unknown_booking_is_404_and_a_malformed_id_too(gateway: Gateway) -> None:
    for name in (str(uuid.uuid4()), "nope", "{00000000-0000-0000-0000-000000000000}"):
        for path in (f"/api/reservations/{name}", f"/api/reservations/{name}/timeline", f"/api/payments/{name}"):
            answer = await gateway.call("GET", path)
            assert answer.status == 404, path
            assert answer.content_type == "application/problem+json"
