"""Lists over HTTP, from tables on both databases."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from aiokafka import TopicPartition

from domain.booking_state import BookingStatus
from projections.database import Database
from projections.listings import BookingsAsked, Cursor, Listings, ListsUnavailable, PaymentsAsked
from projections.store import Store
from tests.projections.rows import NOW, booking, payment, put, write
from tests.web.conftest import Gateway, gateway, instance, layout  # noqa: F401  # fixtures
from web.context import CONTEXT

_LOGS = {"booking": ("vacancy.booking.rows", 1), "payment": ("vacancy.payment.rows", 1)}


@pytest.fixture
async def listings(database: Database) -> Listings:
    store = Store(database)
    made = [
        put(number, number, booking(f"b{number}", created_at=NOW + timedelta(seconds=number // 2)), f"b|b{number}")
        for number in range(5)
    ]
    cancelled = booking("b5", status=BookingStatus.CANCELLED, user_id="user-2", created_at=NOW)
    await write(store, [*made, put(5, 5, cancelled, "b|b5")])
    await write(store, [put(0, 1, payment(), "p|p1")], service="payment", tp=TopicPartition("vacancy.payment.rows", 0))
    return Listings(database, _LOGS)


async def ids(listings: Listings, **asked: object) -> list[str]:
    page = await listings.bookings(BookingsAsked(**asked), 10, None)  # type: ignore[arg-type]  # as a test gives them
    return [row["booking_id"] for row in page.rows]


async def test_pages_have_every_booking_once_the_newest_first(listings: Listings) -> None:
    seen: list[str] = []
    cursor: Cursor | None = None
    while True:
        page = await listings.bookings(BookingsAsked(), 2, cursor)
        seen += [row["booking_id"] for row in page.rows]
        if not page.more:
            break
        cursor = Cursor(page.rows[-1]["created_at"], page.rows[-1]["booking_id"])
    assert seen == ["b4", "b3", "b2", "b5", "b1", "b0"]


async def test_filters(listings: Listings) -> None:
    assert await ids(listings, status="CANCELLED") == ["b5"]
    assert await ids(listings, user_id="user-2") == ["b5"]
    assert await ids(listings, confirmation_number="RSV-2026-b3") == ["b3"]
    assert len(await ids(listings, property_id="PROP-001", unit_type="deluxe suite")) == 6
    assert await ids(listings, property_id="PROP-002") == []
    day = (NOW + timedelta(days=52)).date()  # 24 December, when all of them begin
    assert len(await ids(listings, first=day, last=day + timedelta(days=1))) == 6
    assert await ids(listings, last=day) == []
    assert await ids(listings, first=day + timedelta(days=2)) == []
    page = await listings.payments(PaymentsAsked(booking_id="b1", status="CAPTURED", first=NOW), 10, None)
    assert [row["refunded"] for row in page.rows] == [Decimal("50.00")]
    assert (await listings.payments(PaymentsAsked(last=NOW), 10, None)).rows == []


async def test_tables_that_are_being_filled_are_not_listed(database: Database) -> None:
    await Store(database).begin({TopicPartition("vacancy.booking.rows", 0): 9})
    with pytest.raises(ListsUnavailable, match="being filled"):
        await Listings(database, _LOGS).bookings(BookingsAsked(), 1, None)


def told(gateway: Gateway, listings: Listings) -> None:  # noqa: F811
    app = gateway.client.app
    assert app is not None
    app._state[CONTEXT] = dataclasses.replace(app[CONTEXT], listings=listings)


def at(gateway: Gateway, now: datetime) -> None:  # noqa: F811
    """Sets the gateway's clock."""
    app = gateway.client.app
    assert app is not None
    app._state[CONTEXT] = dataclasses.replace(app[CONTEXT], clock=lambda: now)


async def test_over_http(gateway: Gateway, listings: Listings) -> None:  # noqa: F811
    told(gateway, listings)
    answer = await gateway.call("GET", "/api/reservations?limit=4&property_id=PROP-001")
    body = await answer.json()
    assert (answer.status, [each["booking_id"] for each in body["bookings"]]) == (200, ["b4", "b3", "b2", "b5"])
    assert body["bookings"][0]["price"] == {"amount": "200.00", "currency": "EUR"}
    assert body["as_of"].startswith("2026-11-02T12:00:00")
    rest = await (await gateway.call("GET", f"/api/reservations?cursor={body['next']}")).json()
    assert ([each["booking_id"] for each in rest["bookings"]], rest["next"]) == (["b1", "b0"], None)
    paid = await (await gateway.call("GET", "/api/payments?from=2026-11-02&to=2026-11-03")).json()
    assert [each["refunded"]["amount"] for each in paid["payments"]] == ["50.00"]


async def test_what_cannot_be_asked_is_named(gateway: Gateway) -> None:  # noqa: F811
    for query, field in (
        ("status=GONE", "status"),
        ("cursor=x", "cursor"),
        ("from=soon", "from"),
        ("limit=0", "limit"),
    ):
        answer = await gateway.call("GET", f"/api/reservations?{query}")
        assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)
    answer = await gateway.call("GET", "/api/payments?from=2026-12-02&to=2026-12-01")
    assert (await answer.json())["errors"][0]["field"] == "to"


async def test_without_tables_lists_say_so(gateway: Gateway) -> None:  # noqa: F811
    answer = await gateway.call("GET", "/api/reservations")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "database_url" in (await answer.json())["detail"]


async def test_an_erasure_is_refused_while_bookings_are_under_way(gateway: Gateway, listings: Listings) -> None:  # noqa: F811
    told(gateway, listings)
    at(gateway, NOW)
    path = "/api/users/user-1/erasure"
    refused = await gateway.call("POST", path, {})
    body = await refused.json()
    assert (refused.status, body["bookings"]) == (409, [f"RSV-2026-b{number}" for number in range(5)])
    assert "RSV-2026-b4" in body["detail"]
    assert not gateway.instance.appended
    assert (await gateway.call("POST", path, {"force": "yes"})).status == 422
    assert (await gateway.call("POST", path, Idempotency_Key="\u00e9")).status == 400
    assert (await gateway.call("POST", path, {"force": True}, Idempotency_Key="once")).status == 200
    assert (await gateway.call("POST", "/api/users/user-2/erasure")).status == 200  # whose booking was cancelled


async def test_lists_of_long_ago_refuse_no_erasure(gateway: Gateway, listings: Listings) -> None:  # noqa: F811
    told(gateway, listings)
    at(gateway, NOW + timedelta(minutes=5))
    assert (await gateway.call("POST", "/api/users/user-1/erasure")).status == 200
