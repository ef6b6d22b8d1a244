"""Calls that the provider gave no answer to: made again in their order, under one id, and never given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import msgspec
import pytest

from domain.payment import Payment, PaymentStatus
from domain.payment_parking import LONGEST_PAUSE, PAUSES, knows_better
from streams.envelope import originate
from streams.events import Event
from streams.events.payment import CallDue, CallParked, ProviderCall
from streams.working import WorkingRows
from tables.history import Moment
from tables.payments import Due, Payments
from tests.domain.messages import (
    NOW,
    PAYMENT,
    approved,
    authorize,
    capture,
    payment_voided,
    provider_call,
    refund,
    refused,
    void,
)
from tests.domain.services import RowOf, given_payment
from tests.lives.process import Durable

AUTHORIZED = (authorize(), approved("authorize"))
CAPTURED = (*AUTHORIZED, capture(), approved("capture"))


def parked(call: ProviderCall, call_id: str = "", attempt: int = 0, retry_after: float | None = None) -> CallParked:
    name = call_id or call.call_id or f"effect-{call.operation}"
    return CallParked(payment_id=PAYMENT, call_id=name, attempt=attempt, call=call, retry_after=retry_after)


def due(service: RowOf[Payment]) -> CallDue:
    time = service.state.call_due
    assert time is not None
    return CallDue(payment_id=PAYMENT, due=time)


def again(call: ProviderCall, attempt: int, call_id: str = "") -> ProviderCall:
    return msgspec.structs.replace(call, call_id=call_id or f"effect-{call.operation}", attempt=attempt)


OFFSETS = count()
CAPTURE = provider_call("capture")


def capturing() -> RowOf[Payment]:
    return given_payment(*AUTHORIZED, capture()).service


@pytest.mark.proves("HTL-39")
def test_it_is_made_again_for_ever_ever_more_rarely_and_at_least_every_two_minutes() -> None:
    service, now, pauses, call = capturing(), NOW, list[timedelta](), CAPTURE
    for attempt in range(6):
        assert service.take(parked(call, attempt=attempt), now) == ()
        tick = due(service)
        pauses.append(tick.due - now)
        now = tick.due
        (made,) = service.take(tick, now)
        assert made == again(CAPTURE, attempt + 1)
        assert isinstance(made, ProviderCall)
        call = made
    assert pauses == [*PAUSES, *[LONGEST_PAUSE] * 3]
    service.take(approved("capture"), now)
    assert (service.state.status, service.state.parked) == (PaymentStatus.CAPTURED, ())


@pytest.mark.parametrize(("wished", "pause"), [(-1.0, 5), (2.0, 5), (20.0, 20), (1e12, 120)])
def test_a_provider_is_asked_when_it_wants_to_be_within_limits(wished: float, pause: int) -> None:
    service = capturing()
    service.take(parked(CAPTURE, retry_after=wished), NOW)
    assert service.state.call_due == NOW + timedelta(seconds=pause)


def test_what_is_ordered_meanwhile_waits_behind_it_in_order() -> None:
    service = given_payment(*CAPTURED, refund("10.00", "r1")).service
    first = provider_call("refund", "10.00", refund_id="r1")
    service.take(parked(first, "call-1"), NOW)
    for number in ("r2", "r3"):
        assert service.take(refund("10.00", number, ordered_by="operator"), NOW) == ()
    assert [call.refund_id for call in service.state.behind] == ["r2", "r3"]
    said = service.take(approved("refund", "call-1", refund_id="r1"), NOW)
    assert [event.refund_id for event in said if isinstance(event, ProviderCall)] == ["r2", "r3"]
    assert all(event.call_id is None for event in said if isinstance(event, ProviderCall))
    assert (service.state.parked, service.state.behind) == ((), ())
    assert service.state.refunds["r1"].status == "refunded"


def test_of_several_that_are_parked_one_is_tried_and_its_answer_is_the_next_ones_turn() -> None:
    service = given_payment(*CAPTURED, refund("10.00", "r1"), refund("10.00", "r2")).service
    one, two = (provider_call("refund", "10.00", refund_id=name) for name in ("r1", "r2"))
    service.take(parked(one, "call-1"), NOW)
    service.take(parked(two, "call-2"), NOW + timedelta(seconds=1))
    later = NOW + timedelta(minutes=1)
    assert service.take(due(service), later) == (again(one, 1, "call-1"),)
    assert service.state.call_due is None  # nothing else is tried while it is under way
    service.take(refund("10.00", "r3"), later)
    *_, called = service.take(refused("refund", effect="call-1", refund_id="r1"), later)
    assert called == again(two, 1, "call-2")
    assert [call.refund_id for call in service.state.behind] == ["r3"]
    *_, called = service.take(approved("refund", "call-2", refund_id="r2"), later)
    assert called == provider_call("refund", "10.00", refund_id="r3")


def test_an_answer_to_one_that_is_not_tried_leaves_the_first_to_its_time() -> None:
    """E.g. a webhook."""
    service = given_payment(*CAPTURED, refund("10.00", "r1"), refund("10.00", "r2")).service
    for name in ("r1", "r2"):
        service.take(parked(provider_call("refund", "10.00", refund_id=name), name), NOW)
    said = service.take(approved("refund", "r2", refund_id="r2"), NOW)
    assert not any(isinstance(event, ProviderCall) for event in said)
    assert service.state.call_due == NOW + PAUSES[0]
    assert len(service.state.parked) == 1


def test_an_authorization_that_is_parked_when_its_end_comes_is_voided_once_it_is_known() -> None:
    service = given_payment(authorize()).service
    call = provider_call("authorize", reference=None, token="sealed")
    service.take(parked(call), NOW)
    assert service.take(void(), NOW) == ()
    later = NOW + timedelta(hours=1)
    assert service.take(due(service), later) == (again(call, 1),)
    assert service.take(approved("authorize"), later) == (provider_call("void"),)
    assert service.take(approved("void"), later) == (payment_voided(),)


def test_what_is_said_and_is_no_call_does_not_wait() -> None:
    service = given_payment(*AUTHORIZED).service
    service.take(void(), NOW)
    service.take(parked(provider_call("void")), NOW)
    assert service.take(approved("void", effect="another"), NOW) == (payment_voided(),)
    assert service.state.parked  # its own answer is asked for yet


@pytest.mark.parametrize(
    "message",
    [
        parked(CAPTURE),  # the attempt before
        parked(CAPTURE, attempt=5),
        parked(CAPTURE, "effect-authorize"),  # answered
        parked(CAPTURE, "unknown", attempt=1),
        CallDue(payment_id=PAYMENT, due=NOW),
        authorize(),
    ],
    ids=lambda message: f"{message.event_type}",
)
@pytest.mark.parametrize("under_way", [False, True])
def test_what_is_over_changes_nothing(message: Event, under_way: bool) -> None:
    service = capturing()
    service.take(parked(CAPTURE), NOW)
    if under_way:
        service.take(due(service), NOW + PAUSES[0])
    before = service.state
    assert service.take(message, NOW + timedelta(hours=1)) == ()
    assert service.state == before


def test_a_tick_that_comes_too_early_changes_nothing() -> None:
    service = capturing()
    service.take(parked(CAPTURE), NOW)
    tick = due(service)
    assert service.take(tick, tick.due - timedelta(milliseconds=1)) == ()
    assert service.take(tick, tick.due) == (again(CAPTURE, 1),)
    assert service.take(tick, tick.due) == ()


def test_of_a_payment_that_there_is_not_nothing_is_learnt() -> None:
    nobody: RowOf[Payment] = given_payment().service
    assert nobody.take(parked(CAPTURE), NOW) == nobody.take(CallDue(payment_id=PAYMENT, due=NOW), NOW) == ()
    assert nobody.found is None


def test_an_attempt_is_over_once_it_is_answered_or_parked() -> None:
    service = capturing()
    assert knows_better(service.state, "effect-authorize", 0)
    assert not knows_better(service.state, "effect-capture", 0)
    service.take(parked(CAPTURE), NOW)
    assert knows_better(service.state, "effect-capture", 0)
    assert not knows_better(service.state, "effect-capture", 1)
    assert not knows_better(service.state, "another", 0)


def test_a_list_by_time_has_it_while_it_waits_and_its_history_knows_nothing_of_it() -> None:
    rows = Durable().working()
    for message in (*AUTHORIZED, capture()):
        take(rows, message)
    known = len(list(rows.scan("h|", Moment)))
    take(rows, parked(CAPTURE))
    tick = CallDue(payment_id=PAYMENT, due=NOW + PAUSES[0])
    assert entries(rows) == [("d|2026-12-01T12:00:05.000+00:00|" + PAYMENT, Due(PAYMENT, tick.due))]
    assert take(rows, tick, tick.due) == [again(CAPTURE, 1)]
    assert entries(rows) == []
    take(rows, parked(CAPTURE, attempt=1), tick.due)
    assert len(entries(rows)) == 1
    assert len(list(rows.scan("h|", Moment))) == known
    take(rows, approved("capture"), tick.due)
    assert entries(rows) == []


def test_an_entry_that_came_back_is_taken_out_by_its_tick() -> None:
    """It may stand for a payment that is not even there."""
    rows = Durable().working()
    rows.put(f"d|2026-12-01T12:00:05.000+00:00|{PAYMENT}", Due(PAYMENT, NOW + PAUSES[0]), keep=False)
    assert take(rows, CallDue(payment_id=PAYMENT, due=NOW + PAUSES[0])) == []
    assert entries(rows) == []


def take(rows: WorkingRows, message: Event, now: datetime = NOW) -> list[Event]:
    return list(Payments().apply(rows, originate(message, source="test", now=now), now, next(OFFSETS)))


def entries(rows: WorkingRows) -> list[tuple[str, Due]]:
    return list(rows.scan("d|", Due))


def test_a_row_keeps_the_call_to_the_cent() -> None:
    service = given_payment(*CAPTURED, refund("10.10", "r1")).service
    service.take(parked(provider_call("refund", "10.10", refund_id="r1"), "call-1"), NOW)
    assert service.state.parked[0].call.amount == Decimal("10.10")
