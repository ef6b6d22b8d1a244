"""Every way a promise can be broken, as something that goes wrong in a clean story."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import orjson

from cli.audit import names
from tests.cli.audit.clean import CLINIC, NIGHT, confirm, night, pend, rows
from tests.cli.audit.story import PRICE, Story
from tests.cli.audit.writer import iso


def sold_twice(story: Story) -> None:
    confirm(story, "z")  # a and b have both units of that night


def sold_twice_among_others(story: Story) -> None:
    pend(story, "z", start="2026-02-28", nights=3)


def sold_above_a_lowered_capacity(story: Story) -> None:
    story.declare(1)
    story.declare(1, "other/room")
    pend(story, "z", start="2026-03-02")


def sold_though_blocked(story: Story) -> None:
    """Two units, one of them out of order: a took the other on the 2nd."""
    story.block(1, "2026-03-02", "2026-03-04")
    pend(story, "z", start="2026-03-02", nights=2)


def sold_to_a_group_too_long(story: Story) -> None:
    """The group's units come back after ten minutes; y waits for them, z does not."""
    story.block(2, "2026-07-01", "2026-07-02", release_at=iso(story.now + timedelta(minutes=10)))
    pend(story, "z", start="2026-07-01")
    story.release("z", "payment.authorized")
    story.wait(minutes=10)
    pend(story, "y", start="2026-07-01", quantity=2)


def sold_above_a_nights_own_limit(story: Story) -> None:
    story.declare(2, overbooking_limit=1)
    story.calendar("2026-07-01", "2026-07-02", overbooking_limit=0)
    pend(story, "z", start="2026-07-01", nights=2, quantity=3)


def sold_though_closed(story: Story) -> None:
    story.calendar("2026-07-01", "2026-07-15", stop_sell=True, weekdays=["sat"])  # the 4th and the 11th
    story.calendar("2026-07-11", "2026-07-12", clears=["stop_sell"])
    pend(story, "y", start="2026-07-05", nights=10)
    pend(story, "z", start="2026-07-03", nights=2)


def held_by_minutes_twice(story: Story) -> None:
    for name in ("y", "z"):
        story.request(name)
        story.hold(name, "2026-03-01T09:10", 1, unit=CLINIC)
        story.reserved(name)


def reserved_nowhere(story: Story) -> None:
    story.request("z")
    story.hold("z", NIGHT, 1, unit="no/such")
    story.reserved("z")


def reserved_after_its_release(story: Story) -> None:
    story.answer("f", "line.reserved", cause="hold", line=1)


def reserved_and_rejected(story: Story) -> None:
    story.answer("a", "line.rejected", cause="hold", line=1, reason="sold_out")


def no_outcome(story: Story) -> None:
    story.request("z")
    story.wait(minutes=12)
    story.declare(2)


def one_number_for_two(story: Story) -> None:
    for name in ("y", "z"):
        story.request(name, confirmation_number="RSV-2026-000007")


def two_outcomes(story: Story) -> None:
    story.world("a", names.REJECTED, cause="request", reason="sold_out")


def confirmed_twice(story: Story) -> None:
    story.world("a", names.CONFIRMED, cause="request")


def confirmed_after_cancelled(story: Story) -> None:
    pend(story, "z", start="2026-07-01")
    story.world("z", names.CANCELLED, cause="request", refund_amount=0.0, cancellation_reason="ill")
    story.world("z", names.CONFIRMED, cause="payment.authorized")


def late_outcome(story: Story) -> None:
    story.request("z")
    story.wait(minutes=12)
    story.world("z", names.EXPIRED, cause="request", reason="deadline_passed")


def captured_unconfirmed(story: Story) -> None:
    pend(story, "z", start="2026-07-01")
    story.captured("z")


def captured_for_another_reason(story: Story) -> None:
    pend(story, "z", start="2026-07-01")
    story.world("z", names.CONFIRMED, cause="payment.authorized")
    story.pay("z", "capture", cause="request")


def captured_twice(story: Story) -> None:
    ids = story.bookings["a"]
    story.enter("captured", ids.payment_id, PRICE, key=story.ledger[1].idempotency_key or "")


def captured_without_a_call(story: Story) -> None:
    story.enter("captured", story.bookings["e"].payment_id, PRICE, key="by hand")


def never_captured(story: Story) -> None:
    pend(story, "z", start="2026-07-01")
    story.world("z", names.CONFIRMED, cause="payment.authorized")
    rows(story, "z", "CONFIRMED")


def left_open(story: Story) -> None:
    story.request("z")
    story.authorized("z")
    story.world("z", names.REJECTED, cause="request", reason="sold_out")


def wrong_refund(story: Story) -> None:
    confirm(story, "z", start="2026-07-01")
    story.cancel("z", PRICE)
    story.refunded("z", PRICE - Decimal("0.01"))


def refund_forgotten(story: Story) -> None:
    confirm(story, "z", start="2026-07-01")
    story.cancel("z", PRICE)


def refunded_above_the_capture(story: Story) -> None:
    story.refunded("h", PRICE, by="another operator", cause=None)


def changed_content(story: Story) -> None:
    confirmed = next(record for record in story.records if record.topic == names.CONFIRMED)
    said = orjson.loads(confirmed.value or b"")
    said["data"]["confirmed_at"] = "2027-01-01T00:00:00Z"
    story.put(names.CONFIRMED, said["data"]["booking_id"], orjson.dumps(said), confirmed.headers)


def no_cause(story: Story) -> None:
    story.bookings["a"].last["nowhere"] = "00000000-0000-0000-0000-000000000000"
    story.world("a", names.UPDATED, cause="nowhere", revision=2, price_amount=float(PRICE))


def row_disagrees(story: Story) -> None:
    rows(story, "d", "CONFIRMED")


def night_disagrees(story: Story) -> None:
    night(story, NIGHT, {"a/1": {"1": 1}})


def night_left_behind(story: Story) -> None:
    night(story, "2026-04-01", {"c/1": {"1": 1}})


def payment_row_disagrees(story: Story) -> None:
    rows(story, "b", "CONFIRMED", Decimal("1.00"))


def no_row(story: Story) -> None:
    story.records = [record for record in story.records if record.key != b"b|a"]


def unanswered_hold(story: Story) -> None:
    story.request("z")
    story.hold("z", "2026-07-01", 1)


def no_payment(story: Story) -> None:
    story.request("z")
    story.pay("z", "authorize", cause="request", amount=1.0)


def answer_lost(story: Story) -> None:
    confirm(story, "z", start="2026-07-01")
    answers = [record for record in story.records if b"payment.effect.answered" in (record.value or b"")]
    story.records.remove(answers[-1])


def call_parked_for_ever(story: Story) -> None:
    """The provider was away for half an hour; y was asked for again then, and z never."""
    for name in ("y", "z"):
        pend(story, name, start="2026-07-01")
        story.world(name, names.CONFIRMED, cause="payment.authorized")
        story.pay(name, "capture", cause="payment.authorized")
        story.parked(name, "capture")
    story.wait(minutes=30)
    story.provider_again("y", "capture", "captured")
    story.answer("y", "payment.captured", cause="answer to capture", amount=float(PRICE))


def call_passed_unasked(story: Story) -> None:
    """Made again, and neither answered nor parked once more."""
    confirm(story, "z", start="2026-07-01")
    story.pay("z", "refund", cause=None, refund_id="r", amount=1.0, ordered_by="operator")
    story.parked("z", "refund")
    story.ordered("z", "refund", attempt=1)


def booking_not_told(story: Story) -> None:
    pend(story, "z", start="2026-07-01")
    story.pay("z", "capture", cause="payment.authorized")
    story.provider("z", "capture", "captured")


def no_created(story: Story) -> None:
    created = next(record for record in story.records if record.topic == names.CREATED and record.key == b"a")
    story.records.remove(created)


def no_dead_letter(story: Story) -> None:
    story.put(names.BOOKING_INBOX, "poison", b'{"event_id": 7')


def wrong_types_not_buried(story: Story) -> None:
    story.say(names.BOOKING_INBOX, "booking.booking.request", {"booking_id": "z", "deadline": 5}, key="poison")


def dead_letter_altered(story: Story) -> None:
    story.bury(story.put(names.BOOKING_INBOX, "poison", b"\xff\xfe"), value=b"\xff")


def dead_letter_without_origin(story: Story) -> None:
    story.bury(story.put(names.BOOKING_INBOX, "poison", b"\xff\xfe"), leave_out="vacancy-dlq-offset")


def dead_letter_from_nowhere(story: Story) -> None:
    story.bury(story.put(names.BOOKING_INBOX, "poison", b"\xff\xfe")._replace(offset=10_000))


def replay_not_judged(story: Story) -> None:
    story.replay(names.CREATED, b"\xff")


def replay_to_nobody(story: Story) -> None:
    story.replay(names.CREATED, b"\xff", group="a-bridge")


def replay_with_another_letter(story: Story) -> None:
    story.bury(story.replay(names.CREATED, b"\xff"), value=b"\xfe", home=names.CREATED)


def edited_copy_of_nothing(story: Story) -> None:
    letter = story.bury(story.put(names.BOOKING_INBOX, "poison", b"\xff\xfe"))
    story.edit(letter._replace(offset=10_000), b"{}")
