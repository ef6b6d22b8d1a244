"""One booking, end to end, on a real Kafka."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest

from streams.keys import partition_of
from streams.publisher import Record
from tests.whole.api import TODAY, Api, eventually, stay

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


async def test_a_booking_is_confirmed_and_everybody_hears_of_it(api: Api) -> None:
    """CAT-02, CAT-05, CAT-07, CAT-16, CAT-17, CAT-19, CAT-22, CAT-24, HTL-15..17, HTL-24."""
    await api.unit("JOURNEY")
    answer = await api.book("JOURNEY")
    assert (answer.status, answer.body["status"]) == (201, "PENDING")
    assert answer.body["confirmation_number"].startswith(f"RSV-{TODAY.year}-")
    assert len(answer.body["confirmation_number"].rpartition("-")[2]) >= 6
    booking_id = answer.body["booking_id"]
    assert answer.headers["Location"] == f"/api/reservations/{booking_id}"
    booking = await api.outcome(booking_id)
    assert booking["status"] == "CONFIRMED"
    assert booking["price"] == {"amount": "200.00", "currency": "EUR"}
    assert await api.free("JOURNEY", 29, 4) == [5, 4, 4, 5]

    topics = ("booking.booking.created", "booking.booking.confirmed", "payment.payment.created")
    succeeded = await eventually(lambda: api.events("payment.payment.succeeded", booking_id))
    found = [*succeeded, *[event for topic in topics for event in await api.events(topic, booking_id)]]
    assert [event["event_type"] for event in found] == ["payment.payment.succeeded", *topics]
    assert len({event["correlation_id"] for event in found}) == 1
    created = found[1]["data"]
    assert (created["product_id"], created["provider_id"]) == ("standard", "JOURNEY")
    assert (created["price_amount"], created["price_currency"], created["quantity"]) == (200.0, "EUR", 1)
    assert succeeded[0]["data"]["payment_method"] == {"type": "card", "brand": "visa", "last4": "4242"}
    for record in await api.records("payment.payment.succeeded", 3):
        assert (record.key or b"").decode() == json.loads(record.value or b"")["data"]["payment_id"]


async def test_the_timeline_tells_cause_and_source(api: Api) -> None:
    await api.unit("TIMELINE")
    booking_id = (await api.book("TIMELINE")).body["booking_id"]
    await api.outcome(booking_id)
    events = (await api.call("GET", f"/api/reservations/{booking_id}/timeline")).body["events"]
    kinds = [event["event_type"] for event in events]
    assert kinds[:2] == ["booking.booking.request", "booking.booking.created"]
    assert "booking.booking.confirmed" in kinds
    assert events[0]["source"] == "gateway"
    assert events[1]["causation_id"] == events[0]["event_id"]


@pytest.mark.parametrize(
    ("token", "status", "reason"),
    [
        ("tok_visa", "CONFIRMED", None),
        ("tok_mastercard", "CONFIRMED", None),
        ("tok_slow", "CONFIRMED", None),
        ("tok_flaky", "CONFIRMED", None),
        ("tok_timeout", "CONFIRMED", None),
        ("tok_declined", "REJECTED", "card_declined"),
        ("tok_insufficient_funds", "REJECTED", "insufficient_funds"),
        ("tok_expired_card", "REJECTED", "expired_card"),
    ],
)
async def test_every_sandbox_token_ends_as_documented(api: Api, token: str, status: str, reason: str | None) -> None:
    """CAT-08, CAT-20, HTL-21."""
    await api.unit("TOKENS", 50)
    booking_id = (await api.book("TOKENS", token=token)).body["booking_id"]
    booking = await api.outcome(booking_id)
    assert (booking["status"], booking["reason"]) == (status, reason)
    if status == "REJECTED":
        [failed] = await api.events("payment.payment.failed", booking_id)
        assert failed["data"]["error_code"] == reason


async def test_a_capture_that_fails_for_good_cancels_and_frees_the_nights(api: Api) -> None:
    await api.unit("LATE", 1)
    booking_id = (await api.book("LATE", token="tok_late_decline")).body["booking_id"]

    async def cancelled() -> Any:
        found = (await api.call("GET", f"/api/reservations/{booking_id}")).body
        return found if found["status"] == "CANCELLED" else None

    assert "payment_capture_failed" in (await eventually(cancelled))["reason"]

    async def free() -> bool:
        return await api.free("LATE", 30, 2) == [1, 1]

    await eventually(free)


async def test_a_cancellation_frees_the_nights_and_gives_the_money_back(api: Api) -> None:
    """CAT-04, CAT-09, CAT-18, HTL-28, HTL-29."""
    await api.unit("CANCEL", 1)
    booking_id = (await api.book("CANCEL")).body["booking_id"]
    await api.outcome(booking_id)
    answer = await api.call("POST", f"/api/reservations/{booking_id}/cancel", {"reason": "plans changed"})
    assert answer.status == 200
    assert answer.body["status"] == "CANCELLED"
    assert answer.body["cancellation"]["refund"] == {"amount": "200.00", "currency": "EUR"}
    [refunded] = await eventually(lambda: api.events("payment.payment.refunded", booking_id))
    assert refunded["data"]["amount"] == 200.0
    [cancelled] = await api.events("booking.booking.cancelled", booking_id)
    assert cancelled["data"]["refund_eligible"] is True
    assert cancelled["metadata"]["cancelled_by"]

    async def free() -> bool:
        return await api.free("CANCEL", 30, 2) == [1, 1]

    await eventually(free)
    payment = await api.call("GET", f"/api/payments/{cancelled['data']['payment_id']}")
    assert payment.status == 200


async def test_a_retry_is_answered_from_the_row(api: Api) -> None:
    await api.unit("RETRY")
    body = stay("RETRY")
    first, second = [await api.call("POST", "/api/reservations", body, Idempotency_Key="retry-1") for _ in range(2)]
    assert (first.status, first.body) == (second.status, second.body) == (201, first.body)
    other = await api.call("POST", "/api/reservations", {**body, "quantity": 2}, Idempotency_Key="retry-1")
    assert other.status == 422
    created = await api.events("booking.booking.created", first.body["booking_id"])
    assert len(created) == 1


async def test_a_hundred_retries_at_once_are_one_booking(api: Api) -> None:
    await api.unit("STORM", 200)
    body = stay("STORM", start=60)
    answers = await asyncio.gather(
        *(api.call("POST", "/api/reservations", body, Idempotency_Key="storm-1") for _ in range(100))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({json.dumps(answer.body, sort_keys=True) for answer in answers}) == 1
    await api.outcome(answers[0].body["booking_id"])
    assert await api.free("STORM", 60, 2) == [199, 199]


async def test_a_guests_data_is_nowhere_in_the_clear(api: Api) -> None:
    """C21, C24: inboxes and rows hold personal data encrypted only."""
    await api.unit("SECRET")
    guest = {"email": "secret.person@example.com", "first_name": "Unmistakable", "last_name": "Namington"}
    booking_id = (await api.book("SECRET", guest=guest)).body["booking_id"]
    booking = await api.outcome(booking_id)
    assert booking["guest"]["email"] == "secret.person@example.com"
    topics = [f"vacancy.{name}.{kind}" for name in ("booking", "availability", "payment") for kind in ("inbox", "rows")]
    for topic in [*topics, "vacancy.payment.effects"]:
        values = b"".join(record.value or b"" for record in await api.records(topic, 4))
        assert b"secret.person" not in values
        assert b"Unmistakable" not in values
        assert b"tok_visa" not in values


POISON = [None, b"", b"\xff\x00\x01", b'{"event_id": "1", "event_', b"[]", b'"x"', b"x" * 900_000, b'{"event_type": 5}']


async def test_poison_is_in_the_dead_letters_and_the_next_booking_does_not_wait(api: Api) -> None:
    """CAT-25, CLN-20: with the reason, topic, partition and offset, and its bytes as they came."""
    await api.unit("POISON", 50)
    for number, value in enumerate(POISON):
        for service in ("booking", "availability", "payment"):
            await api.write(
                f"vacancy.{service}.inbox", number % 4, Record(None if value is None else b"key", value or b"")
            )
    answers = await asyncio.gather(*(api.book("POISON", token="tok_mastercard") for _ in range(20)))
    outcomes = await asyncio.gather(*(api.outcome(answer.body["booking_id"]) for answer in answers))
    assert {booking["status"] for booking in outcomes} == {"CONFIRMED"}
    for service in ("booking", "availability", "payment"):
        letters = await api.records(f"vacancy.{service}.inbox.dlq", 1)
        assert sorted(letter.value or b"" for letter in letters) == sorted(value or b"" for value in POISON)
        for letter in letters:
            headers = dict(letter.headers)
            assert headers["vacancy-dlq-topic"] == f"vacancy.{service}.inbox".encode()
            assert int(headers["vacancy-dlq-partition"]) in range(4)
            assert int(headers["vacancy-dlq-offset"]) >= 0
            assert headers["vacancy-dlq-reason"]


async def test_a_message_in_the_wrong_partition_is_not_decided_there(api: Api) -> None:
    await api.unit("WRONG")
    booking_id = (await api.book("WRONG")).body["booking_id"]
    await api.outcome(booking_id)
    [request] = [
        record
        for record in await api.records("vacancy.booking.inbox", 4)
        if b"booking.booking.request" in (record.value or b"") and booking_id.encode() in (record.value or b"")
    ]
    wrong = (partition_of(booking_id, 4) + 1) % 4
    await api.write("vacancy.booking.inbox", wrong, Record(request.key, request.value))

    async def buried() -> bool:
        letters = await api.records("vacancy.booking.inbox.dlq", 1)
        return any(dict(letter.headers)["vacancy-dlq-class"] == b"misplaced" for letter in letters)

    await eventually(buried)
    assert (await api.call("GET", f"/api/reservations/{booking_id}")).body["status"] == "CONFIRMED"


async def test_what_is_not_there_is_404_and_what_is_wrong_names_its_field(api: Api) -> None:
    await api.unit("BAD")
    assert (await api.call("GET", "/api/reservations/6f1c2e34-0000-4000-8000-000000000001")).status == 404
    unknown = await api.call("POST", "/api/reservations", stay("NOPE"))
    assert (unknown.status, unknown.body["errors"][0]["field"]) == (422, "property_id")
    past = await api.call("POST", "/api/reservations", {**stay("BAD"), "check_in": "2001-01-01"})
    assert past.status == 422
    assert past.headers["Content-Type"].startswith("application/problem+json")


async def test_the_catalogues_own_request_books_too(api: Api) -> None:
    """CAT-16: the data of booking.booking.created, as a request."""
    await api.unit("CATALOGUE")
    start = dt.datetime.combine(TODAY + dt.timedelta(days=40), dt.time(14), dt.UTC)
    body = {
        "user_id": "6f1c2e34-0000-4000-8000-0000000000aa",
        "product_id": "standard",
        "provider_id": "CATALOGUE",
        "start_time": start.isoformat(),
        "end_time": (start + dt.timedelta(hours=1)).isoformat(),
        "quantity": 1,
        "price_amount": 100.0,
        "price_currency": "EUR",
        "payment_method": {"token": "tok_visa"},
    }
    answer = await api.call("POST", "/api/bookings", body)
    assert answer.status == 201, answer
    assert (await api.outcome(answer.body["booking_id"]))["status"] == "CONFIRMED"
    wrong = await api.call("POST", "/api/bookings", {**body, "price_amount": 99.0})
    assert wrong.status == 409
