"""Deliveries: attempted until taken or given up, at times that follow from the row alone."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hook_deliveries import (
    JITTER,
    KEPT_FOR,
    LADDER,
    LONGEST,
    POSTPONED,
    Delivery,
    Outcome,
    answered,
    come_due,
    deliver,
    delivery_id_of,
    may_be_forgotten,
    pause_after,
    redeliver,
)
from domain.hook_load import MOST_HELD, MOST_UNDER_WAY, MOST_WAITING, MOST_WAITING_TAKEN, DeliveryStatus, Load
from domain.hooks import MOST_FAILURES, PATIENCE, Endpoint
from streams.events import Event
from streams.events.hooks import Deliver, DeliveryAnswered, DeliveryDue, EndpointPaused, Reception, SendWebhook
from tests.domain.test_hooks import LATER, NOW, endpoint

ASKED = Deliver(endpoint_id="w1", event_id="e1", news="payment.payment.failed", at=LATER, body="{}")


class There(NamedTuple):
    """An outcome with a delivery."""

    endpoint: Endpoint
    delivery: Delivery
    events: tuple[Event, ...]


def there(outcome: Outcome | None) -> There:
    assert outcome is not None
    assert outcome.delivery is not None
    return There(outcome.endpoint, outcome.delivery, outcome.events)


def new() -> There:
    return there(deliver(endpoint(), ASKED, Load(), LATER))


def answer(delivery: Delivery, status: int | None = 500, **more: object) -> DeliveryAnswered:
    fields = {"endpoint_id": "w1", "delivery_id": delivery.delivery_id, "effect_id": "f", "attempt": delivery.ordered}
    return msgspec.convert({**fields, "status": status, **more}, DeliveryAnswered)


def due(delivery: Delivery) -> DeliveryDue:
    assert delivery.due is not None
    return DeliveryDue(endpoint_id="w1", delivery_id=delivery.delivery_id, due=delivery.due)


def with_reception(reception: Reception) -> Endpoint:
    return msgspec.structs.replace(endpoint(), reception=reception)


def test_an_event_is_attempted_at_once_with_what_was_written_down() -> None:
    outcome = new()
    (send,) = outcome.events
    assert send == SendWebhook(
        endpoint_id="w1",
        delivery_id=delivery_id_of(LATER, "e1"),
        attempt=1,
        url="https://example.com/",
        format="standard",
        secrets=("s1",),
        event_id="e1",
        body="{}",
    )
    assert (outcome.delivery.status, outcome.delivery.awaited) == (DeliveryStatus.PENDING, True)


def test_what_was_told_before_the_endpoint_was_there_is_not_sent_but_for_a_test() -> None:
    before = msgspec.structs.replace(ASKED, at=NOW - timedelta(seconds=1))
    assert deliver(endpoint(), before, Load(), LATER) is None
    assert deliver(endpoint(), msgspec.structs.replace(before, test=True), Load(), LATER) is not None
    assert deliver(with_reception("DISABLED"), ASKED, Load(), LATER) is None


def test_what_comes_while_an_endpoint_is_paused_is_held_and_can_be_had_later() -> None:
    held = there(deliver(with_reception("PAUSED"), ASKED, Load(), LATER))
    assert (held.delivery.status, held.events) == (DeliveryStatus.HELD, ())
    assert redeliver(with_reception("PAUSED"), held.delivery, LATER) is None
    anew = redeliver(endpoint(), held.delivery, LATER)
    assert anew is not None
    assert (anew.status, anew.due, anew.ended_at) == (DeliveryStatus.PENDING, LATER, None)
    assert there(come_due(endpoint(), anew, due(anew), Load(), LATER)).delivery.ordered == 1


def test_one_that_is_taken_is_delivered_and_ends_the_endpoint_s_failures() -> None:
    failing = msgspec.structs.replace(endpoint(), failures=3, failing_since=NOW)
    outcome = there(answered(failing, new().delivery, answer(new().delivery, 204, response="ok"), LATER))
    assert (outcome.delivery.status, outcome.delivery.ended_at) == (DeliveryStatus.DELIVERED, LATER)
    assert outcome.endpoint.failures == 0
    assert outcome.delivery.attempts[0].response == "ok"
    assert answered(endpoint(), outcome.delivery, answer(outcome.delivery, 500), LATER) is None


def test_the_answer_of_another_attempt_changes_nothing() -> None:
    assert answered(endpoint(), new().delivery, answer(new().delivery, attempt=7), LATER) is None


def test_an_attempt_is_made_when_it_is_due_and_not_before() -> None:
    waiting = there(answered(endpoint(), new().delivery, answer(new().delivery), LATER)).delivery
    assert waiting.due is not None
    assert come_due(endpoint(), waiting, due(waiting), Load(), waiting.due - timedelta(milliseconds=1)) is None
    other = msgspec.structs.replace(due(waiting), due=LATER)
    assert come_due(endpoint(), waiting, other, Load(), waiting.due) is None
    assert there(come_due(endpoint(), waiting, due(waiting), Load(), waiting.due)).delivery.ordered == 2


def test_an_attempt_that_found_too_many_under_way_does_not_count() -> None:
    later = there(answered(endpoint(), new().delivery, answer(new().delivery, None, postponed=True), LATER))
    assert (later.delivery.tries, later.delivery.attempts, later.endpoint.failures) == (0, (), 0)
    assert later.delivery.due is not None
    assert later.delivery.due >= LATER + timedelta(seconds=POSTPONED)


def test_an_endpoint_that_is_gone_gets_nothing_more() -> None:
    outcome = there(answered(endpoint(), new().delivery, answer(new().delivery, 410), LATER))
    assert (outcome.delivery.status, outcome.endpoint.reception) == (DeliveryStatus.FAILED, "DISABLED")


def test_the_delivery_that_makes_its_endpoint_pause_is_held() -> None:
    failing = msgspec.structs.replace(endpoint(), failures=MOST_FAILURES, failing_since=LATER - PATIENCE)
    outcome = there(answered(failing, new().delivery, answer(new().delivery), LATER))
    assert outcome.delivery.status is DeliveryStatus.HELD
    assert EndpointPaused in [type(each) for each in outcome.events]


@given(event_id=st.text("abcdef0123456789-", min_size=1, max_size=36), asked=st.none() | st.integers(0, 10**7))
def test_a_delivery_that_always_fails_is_given_up_after_a_day_and_a_bit(event_id: str, asked: int | None) -> None:
    """The same times whenever it is decided again, each within its rung's jitter or as long as the receiver asked."""

    def whole() -> list[Delivery]:
        now, found = LATER, list[Delivery]()
        delivery = there(deliver(endpoint(), msgspec.structs.replace(ASKED, event_id=event_id), Load(), now)).delivery
        while True:
            delivery = there(answered(endpoint(), delivery, answer(delivery, 503, retry_after=asked), now)).delivery
            found.append(delivery)
            if delivery.due is None:
                return found
            now = delivery.due
            delivery = there(come_due(endpoint(), delivery, due(delivery), Load(), now)).delivery

    steps = whole()
    assert steps == whole()
    assert steps[-1].status is DeliveryStatus.FAILED
    assert [step.tries for step in steps] == list(range(1, len(LADDER) + 2))
    for step, rung in zip(steps, LADDER, strict=False):
        pause = pause_after(step, asked)
        assert step.due == step.attempts[-1].at + pause
        least = max(timedelta(seconds=rung), min(timedelta(seconds=asked or 0), LONGEST))
        assert least <= pause <= max(least, timedelta(seconds=rung * (1 + JITTER)))


@pytest.mark.parametrize("after", [0, 1])
def test_only_the_last_attempts_are_remembered(after: int) -> None:
    many = msgspec.structs.replace(new().delivery, attempts=new().delivery.attempts)
    for _ in range(20 + after):
        many = there(answered(endpoint(), many, answer(many), LATER)).delivery
        many = msgspec.structs.replace(many, awaited=True, tries=0)
    assert len(many.attempts) == 20


def test_only_what_was_given_up_or_held_is_begun_anew_unless_a_person_asks() -> None:
    assert redeliver(endpoint(), new().delivery, LATER, anyway=True) is None  # under way
    taken = there(answered(endpoint(), new().delivery, answer(new().delivery, 200), LATER)).delivery
    assert redeliver(endpoint(), taken, LATER) is None
    anew = redeliver(endpoint(), taken, LATER, anyway=True)
    assert anew is not None
    assert (anew.status, anew.due) == (DeliveryStatus.PENDING, LATER)


def test_only_ended_ones_that_are_old_and_those_of_removed_endpoints_are_forgotten() -> None:
    soon, old = LATER + KEPT_FOR, LATER + KEPT_FOR + timedelta(seconds=1)
    ended = there(answered(endpoint(), new().delivery, answer(new().delivery, 200), LATER)).delivery
    assert not may_be_forgotten(endpoint(), ended, soon)
    assert may_be_forgotten(endpoint(), ended, old)
    held = there(deliver(with_reception("PAUSED"), ASKED, Load(), LATER)).delivery
    assert not may_be_forgotten(endpoint(), new().delivery, old)
    assert not may_be_forgotten(endpoint(), held, old)
    assert may_be_forgotten(with_reception("REMOVED"), held, LATER)


def test_no_more_than_so_many_attempts_are_under_way() -> None:
    half = Load(pending=MOST_UNDER_WAY // 2, awaited=MOST_UNDER_WAY // 2)
    assert there(deliver(endpoint(), ASKED, half, LATER)).events == ()  # the other half is for what was planned before
    full = Load(pending=MOST_UNDER_WAY, awaited=MOST_UNDER_WAY)
    waiting = there(deliver(endpoint(), ASKED, full, LATER))
    assert (waiting.delivery.due, waiting.delivery.ordered, waiting.events) == (LATER, 0, ())
    assert come_due(endpoint(), waiting.delivery, due(waiting.delivery), full, LATER) is None
    assert there(come_due(endpoint(), waiting.delivery, due(waiting.delivery), Load(), LATER)).delivery.ordered == 1


def test_what_is_planned_of_a_paused_endpoint_is_held_before_its_time() -> None:
    waiting = there(answered(endpoint(), new().delivery, answer(new().delivery), LATER)).delivery
    held = there(come_due(with_reception("PAUSED"), waiting, due(waiting), Load(), LATER))
    assert (held.delivery.status, held.delivery.due) == (DeliveryStatus.HELD, None)


def test_an_endpoint_with_too_many_that_wait_is_paused_and_nothing_is_lost() -> None:
    since = msgspec.structs.replace(endpoint(), redeliver_since=NOW, failures=3, failing_since=NOW)
    below = there(deliver(since, ASKED, Load(pending=MOST_WAITING - 1), LATER))
    assert below.endpoint.reception == "ENABLED"
    paused = there(deliver(since, ASKED, Load(pending=MOST_WAITING), LATER))
    assert (paused.endpoint.reception, paused.endpoint.reason) == ("PAUSED", "too_much_waiting")
    assert (paused.delivery.status, paused.endpoint.redeliver_since) == (DeliveryStatus.HELD, None)
    (told,) = [each for each in paused.events if isinstance(each, EndpointPaused)]
    assert (told.reason, told.failing_since, told.failures) == ("too_much_waiting", NOW, 3)


def test_an_endpoint_that_takes_all_it_is_sent_waits_longer_for_us() -> None:
    late = there(deliver(endpoint(), ASKED, Load(pending=MOST_WAITING_TAKEN - 1), LATER))
    assert late.endpoint.reception == "ENABLED"
    paused = there(deliver(endpoint(), ASKED, Load(pending=MOST_WAITING_TAKEN), LATER))
    assert (paused.endpoint.reason, paused.delivery.status) == ("too_much_waiting", DeliveryStatus.HELD)


def test_what_there_is_no_room_for_is_counted() -> None:
    outcome = deliver(with_reception("PAUSED"), ASKED, Load(held=MOST_HELD), LATER)
    assert outcome is not None
    assert (outcome.delivery, outcome.endpoint.missed, outcome.endpoint.missed_since) == (None, 1, LATER)
    again = deliver(outcome.endpoint, ASKED, Load(held=MOST_HELD), LATER + timedelta(hours=1))
    assert again is not None
    assert (again.endpoint.missed, again.endpoint.missed_since) == (2, LATER)


def test_how_many_there_are_of_each_kind() -> None:
    load = Load().changed(DeliveryStatus.PENDING, awaited=True, by=1)
    load = load.changed(DeliveryStatus.HELD, awaited=False, by=1).changed(DeliveryStatus.FAILED, awaited=False, by=1)
    assert (load.pending, load.awaited, load.held, load.ended, load.total) == (1, 1, 1, 1, 3)
    assert (load.room, load.room_anew) == (MOST_UNDER_WAY - 1, 399)
    assert Load(pending=1_000).room_anew == 0
    assert load.changed(DeliveryStatus.PENDING, awaited=True, by=-1).total == 2
