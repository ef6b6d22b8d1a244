"""Cancellation policies over HTTP: declared with a unit, quoted before they are taken, agreed to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.analytics import observation_of
from streams.events.booking import CancelBooking, RequestBooking
from streams.events.booking_news import BookingCancelled
from streams.events.policy import Before, CancellationPolicy, Fee, Tier
from tests.web.conftest import Gateway, booking, day
from tests.web.instance import NOW

#: Free until two days before at 18:00 in Amsterdam, then one night, from the day of arrival on 80 %.
FLEXIBLE: dict[str, Any] = {
    "free_until": {"days": 2, "at": "18:00"},
    "then": [{"until": {"hours": 0}, "fee": {"nights": 1}}, {"fee": {"percent": 80}}],
}
UNIT = "/api/properties/PROP-001/units/standard"


async def booked(gateway: Gateway, policy: dict[str, Any] | None = FLEXIBLE) -> str:
    """The path of a stay of two nights at 100.00 that begins in thirty days."""
    await gateway.unit(time_zone="Europe/Amsterdam", cancellation=policy)
    opened = await gateway.book()
    return str(opened["links"]["self"])


async def quote(gateway: Gateway, path: str) -> dict[str, Any]:
    answer = await gateway.call("GET", f"{path}/cancellation")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def test_a_policy_is_declared_read_back_and_frozen_in_the_request(gateway: Gateway) -> None:
    await booked(gateway)
    (asked,) = gateway.instance.appended
    assert isinstance(asked, RequestBooking)
    assert asked.policy == CancellationPolicy(
        free_until=Before(days=2, at="18:00"),
        then=(Tier(fee=Fee(nights=1), until=Before(hours=0)), Tier(fee=Fee(percent=80))),
    )
    shown = (await (await gateway.call("GET", UNIT)).json())["cancellation"]
    assert shown["free_until"] == {"days": 2, "at": "18:00", "hours": None}
    assert shown["then"][1]["fee"] == {"percent": 80, "nights": None, "amount": None}
    assert (shown["non_refundable"], shown["early_departure_refund"]) == (False, 0)


@pytest.mark.proves("HTL-02", "HTL-28")
async def test_the_fee_is_quoted_with_its_reason_and_until_when_it_holds(gateway: Gateway) -> None:
    path = await booked(gateway)
    free = await quote(gateway, path)
    assert (free["fee"]["amount"], free["refund"]["amount"]) == ("0.00", "200.00")
    assert free["valid_until"] == f"{day(28)}T17:00:00Z"  # 18:00 in Amsterdam
    assert free["reason"] == f"Until {day(28)}T17:00:00Z cancelling is free."
    gateway.instance.now = NOW + timedelta(days=29)
    late = await quote(gateway, path)
    assert (late["fee"]["amount"], late["refund"]["amount"]) == ("100.00", "100.00")
    assert (late["rule"]["nights"], late["valid_until"]) == (1, f"{day(29)}T23:00:00Z")
    gateway.instance.now = NOW + timedelta(days=30)
    last = await quote(gateway, path)
    assert (last["fee"]["amount"], last["valid_until"]) == ("160.00", None)
    assert last["reason"] == "From now on cancelling costs 80 % of the price."


@pytest.mark.proves("HTL-28")
async def test_a_cancellation_at_another_fee_than_was_quoted_is_told_the_new_one(gateway: Gateway) -> None:
    path = await booked(gateway)
    gateway.instance.now = NOW + timedelta(days=29)
    answer = await gateway.call("POST", f"{path}/cancel", {"expected_fee": "0.00"})
    problem = await answer.json()
    assert answer.status == 409
    assert problem["type"].endswith("fee-changed")
    assert problem["errors"][0]["field"] == "expected_fee"
    assert problem["quote"]["fee"] == {"amount": "100.00", "currency": "EUR"}
    assert (await (await gateway.call("GET", path)).json())["status"] == "CONFIRMED"
    agreed = await gateway.call("POST", f"{path}/cancel", {"expected_fee": problem["quote"]["fee"]["amount"]})
    assert (await agreed.json())["cancellation"]["fee"]["amount"] == "100.00"
    again = await gateway.call("POST", f"{path}/cancel", {"expected_fee": "100.00"})
    assert again.status == 200
    payment = await (await gateway.call("GET", f"/api/payments/{(await agreed.json())['payment_id']}")).json()
    assert (payment["captured"]["amount"], payment["refunded"]["amount"]) == ("200.00", "100.00")


async def test_an_expected_fee_that_is_no_sum_of_the_currency_is_refused(gateway: Gateway) -> None:
    path = await booked(gateway)
    for wrong in ("0.001", "-1", "free", [1]):
        answer = await gateway.call("POST", f"{path}/cancel", {"expected_fee": wrong})
        assert answer.status == 422, wrong
        assert (await answer.json())["errors"][0]["field"] == "expected_fee"
    assert not [event for event in gateway.instance.appended if isinstance(event, CancelBooking)]


async def test_a_non_refundable_booking_says_so_wherever_it_is_shown(gateway: Gateway) -> None:
    path = await booked(gateway, {"non_refundable": True})
    assert (await (await gateway.call("GET", path)).json())["non_refundable"] is True
    quoted = await quote(gateway, path)
    assert (quoted["non_refundable"], quoted["fee"]["amount"], quoted["valid_until"]) == (True, "200.00", None)
    assert quoted["reason"] == "It was booked as non-refundable: the whole price is kept."
    answer = await (await gateway.call("POST", f"{path}/cancel")).json()
    assert (answer["non_refundable"], answer["cancellation"]["refund"]["amount"]) == (True, "0.00")


async def test_without_a_policy_it_is_free_until_it_begins(gateway: Gateway) -> None:
    quoted = await quote(gateway, await booked(gateway, None))
    assert (quoted["fee"]["amount"], quoted["valid_until"]) == ("0.00", f"{day(29)}T23:00:00Z")
    assert (quoted["non_refundable"], quoted["rule"]["percent"]) == (False, 0)


async def test_a_policy_that_changes_later_leaves_what_was_booked_before(gateway: Gateway) -> None:
    path = await booked(gateway)
    await gateway.unit(time_zone="Europe/Amsterdam", cancellation={"non_refundable": True})
    assert (await quote(gateway, path))["fee"]["amount"] == "0.00"


async def test_what_is_pending_is_quoted_as_free_and_what_ended_is_not_quoted(gateway: Gateway) -> None:
    gateway.instance.paused.add("payment")
    path = await booked(gateway)
    pending = await quote(gateway, path)
    assert (pending["fee"]["amount"], pending["reason"]) == ("0.00", "It is not confirmed yet.")
    gateway.instance.paused.clear()
    await gateway.instance.run()
    await gateway.call("POST", f"{path}/cancel")
    answer = await gateway.call("GET", f"{path}/cancellation")
    assert (answer.status, (await answer.json())["type"].endswith("not-cancellable")) == (409, True)
    assert (await gateway.call("GET", "/api/reservations/nope/cancellation")).status == 404


async def test_a_booking_of_any_period_counts_from_its_own_beginning(gateway: Gateway) -> None:
    policy = {"free_until": {"hours": 48}, "then": [{"fee": {"amount": "20.00"}}]}
    await gateway.unit(cancellation=policy)
    opened = await (await gateway.call("POST", "/api/bookings", booking())).json()
    assert (await quote(gateway, opened["links"]["self"]))["valid_until"] == f"{day(28)}T14:00:00Z"
    gateway.instance.now = NOW + timedelta(days=29)
    late = await quote(gateway, opened["links"]["self"])
    assert (late["fee"]["amount"], late["reason"]) == (
        "20.00",
        "From now on cancelling costs 20.00 EUR, at most the price.",
    )


@pytest.mark.proves("HTL-29")
async def test_a_cancellation_shows_what_it_waits_for_until_all_updates_are_complete(gateway: Gateway) -> None:
    path = await booked(gateway)
    gateway.instance.paused.add("availability")
    cancelled = (await (await gateway.call("POST", f"{path}/cancel")).json())["cancellation"]
    assert (cancelled["inventory"], cancelled["money"], cancelled["figures"]) == ("pending", "done", "pending")
    gateway.instance.paused.clear()
    await gateway.instance.run()
    (news,) = [each for each in gateway.instance.published if isinstance(each.data, BookingCancelled)]
    for observed in observation_of(news):  # as analytics' own reader does
        await gateway.instance.append(observed, source="analytics")
    shown = (await (await gateway.call("GET", path)).json())["cancellation"]
    assert (shown["inventory"], shown["money"], shown["figures"]) == ("done", "done", "done")
    assert shown["completed_at"] == NOW.isoformat().replace("+00:00", "Z")
    timeline = await (await gateway.call("GET", f"{path}/timeline")).json()
    types = [event["event_type"] for event in timeline["events"]]
    assert types[-1] == "booking.booking.cancellation_completed"
    assert "booking.line.released" in types


@pytest.mark.parametrize(
    ("field", "policy"),
    [
        ("cancellation", {}),
        ("cancellation", {"non_refundable": True, "free_until": {"hours": 1}}),
        ("cancellation.free_until", {"free_until": {}}),
        ("cancellation.free_until", {"free_until": {"days": 1, "hours": 1}}),
        ("cancellation.free_until", {"free_until": {"hours": 1, "at": "18:00"}}),
        ("cancellation.free_until.at", {"free_until": {"days": 1, "at": "24:00"}}),
        ("cancellation.free_until.at", {"free_until": {"days": 1, "at": "6pm"}}),
        ("cancellation.free_until.days", {"free_until": {"days": -1}}),
        ("cancellation.free_until.days", {"free_until": {"days": 10**6}}),
        ("cancellation.then.0.fee", {"then": [{"fee": {}}]}),
        ("cancellation.then.0.fee", {"then": [{"fee": {"percent": 5, "nights": 1}}]}),
        ("cancellation.then.0.fee.percent", {"then": [{"fee": {"percent": 101}}]}),
        ("cancellation.then.0.fee.nights", {"then": [{"fee": {"nights": 0}}]}),
        ("cancellation.then.0.fee.amount", {"then": [{"fee": {"amount": "1.005"}}]}),
        ("cancellation", {"then": [{"fee": {"percent": 1}}, {"fee": {"percent": 2}}]}),
        (
            "cancellation",
            {"free_until": {"hours": 48}, "then": [{"until": {"days": 2, "at": "00:00"}, "fee": {"percent": 1}}]},
        ),
        ("cancellation.then", {"then": [{"until": {"hours": 20 - n}, "fee": {"percent": 1}} for n in range(11)]}),
        ("cancellation.refund", {"refund": 1}),
    ],
)
async def test_a_policy_that_makes_no_sense_names_its_field(
    gateway: Gateway, field: str, policy: dict[str, Any]
) -> None:
    body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, "cancellation": policy}
    answer = await gateway.call("PUT", UNIT, body)
    assert answer.status == 422, await answer.text()
    assert (await answer.json())["errors"][0]["field"] == field
    assert gateway.instance.appended == []


async def test_nights_are_no_fee_for_what_is_booked_by_the_minute(gateway: Gateway) -> None:
    unit = {"capacity": 2, "base_price": {"amount": "10", "currency": "EUR"}, "slots": 60}
    answer = await gateway.call("PUT", UNIT, {**unit, "cancellation": {"then": [{"fee": {"nights": 1}}]}})
    assert (await answer.json())["errors"][0]["field"] == "cancellation.then.0.fee.nights"


@pytest.mark.proves("HTL-02")
async def test_the_nights_of_a_guest_who_leaves_early_can_be_booked_again(gateway: Gateway) -> None:
    await gateway.unit(capacity=1, cancellation={"non_refundable": True, "early_departure_refund": 50})
    path = str((await gateway.book(check_out=str(day(34))))["links"]["self"])
    gateway.instance.now = NOW + timedelta(days=30)
    await gateway.call("POST", f"{path}/check-in")
    gateway.instance.now = NOW + timedelta(days=31)
    left = await (await gateway.call("POST", f"{path}/check-out")).json()
    assert (left["status"], left["check_out"], left["price"]["amount"]) == ("COMPLETED", str(day(31)), "250.00")
    payment = await (await gateway.call("GET", f"/api/payments/{left['payment_id']}")).json()
    assert payment["refunded"]["amount"] == "150.00"
    query = f"property_id=PROP-001&unit_type=standard&from={day(30)}&to={day(34)}"
    nights = (await (await gateway.call("GET", f"/api/availability?{query}")).json())["nights"]
    assert [each["free"] for each in nights] == [0, 1, 1, 1]


async def test_a_guest_who_never_came_gets_back_what_policy_says_in_the_end(gateway: Gateway) -> None:
    path = await booked(gateway)
    gateway.instance.now = NOW + timedelta(days=31)
    missing = await (await gateway.call("POST", f"{path}/no-show")).json()
    assert missing["status"] == "NO_SHOW"
    assert (missing["cancellation"]["fee"]["amount"], missing["cancellation"]["refund"]["amount"]) == (
        "160.00",
        "40.00",
    )
    assert missing["cancellation"]["inventory"] is None
