"""A clean history: one booking of each kind, every service settled, rows and ledger as they should be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cli.audit import names
from tests.cli.audit.story import PRICE, UNIT, Story

ZERO = Decimal(0)
NIGHT = "2026-03-01"
CLINIC = "clinic/dr-who"


def confirm(story: Story, name: str, *, start: str = NIGHT, nights: int = 1, quantity: int = 1) -> None:
    """A booking from its request to its capture."""
    pend(story, name, start=start, nights=nights, quantity=quantity)
    story.world(name, names.CONFIRMED, cause="payment.authorized")
    story.captured(name)


def pend(story: Story, name: str, *, start: str = NIGHT, nights: int = 1, quantity: int = 1) -> None:
    """A booking with all its answers, not confirmed yet."""
    story.request(name)
    story.hold(name, start, nights, quantity)
    story.reserved(name)
    story.authorized(name)


def rows(story: Story, name: str, status: str, captured: Decimal = ZERO, **refunds: Decimal) -> None:
    """The rows of a booking and of its payment."""
    booking_row(story, name, status)
    pay = story.bookings[name].payment_id
    given = {refund: {"amount": str(amount), "status": "refunded"} for refund, amount in refunds.items()}
    kinds = [entry.kind for entry in story.ledger if entry.reference == pay and entry.kind != "refunded"]
    status = kinds[-1].upper() if kinds else "REFUSED"
    payment = {"payment_id": pay, "status": status, "captured": str(captured), "refunds": given}
    last = story.end(names.PAYMENT_INBOX, story.partition(pay))
    story.row("payment", f"p|{pay}", payment, partition=pay, source=last)


def booking_row(story: Story, name: str, status: str) -> None:
    last = story.end(names.BOOKING_INBOX, story.partition(name))
    story.row("booking", f"b|{name}", {"booking_id": name, "status": status}, partition=name, source=last)


def night(story: Story, slot: str, holds: dict[str, Any] | None, unit: str = UNIT, **more: Any) -> None:
    """A night's row: hold -> {revision: quantity}; None for a deleted one. `more`: what of stock was sold."""
    last = story.end(names.AVAILABILITY_INBOX, story.partition(unit))
    content = None if holds is None else {"holds": holds, **more}
    story.row("availability", f"n|{unit}|{slot}", content, partition=unit, source=last)


def clean() -> Story:
    """Two units of one room: a and b take a night each, c cancels, d is refused, e declined, f expires, g is undone."""
    story = Story()
    story.declare(2)
    story.declare(1, CLINIC, slots=15)
    confirm(story, "a", nights=2)
    confirm(story, "b")
    confirm(story, "c", start="2026-04-01")
    story.cancel("c", PRICE)
    story.refunded("c", PRICE)
    _refused(story, "d")
    _declined(story, "e")
    _expired(story, "f")
    _undone(story, "g")
    confirm(story, "h", start="2026-06-01", quantity=2)
    story.refunded("h", Decimal("50.00"), by="operator", cause=None)
    story.wait(minutes=5)
    story.bury(story.put(names.BOOKING_INBOX, "x", b"\x00 not JSON"))
    story.bury(story.put(names.PAYMENT_INBOX, "gone", None))
    _remember(story)
    story.settle()
    return story


def _refused(story: Story, name: str) -> None:
    story.request(name)
    story.hold(name, NIGHT, 1)
    story.answer(name, "line.rejected", cause="hold", line=1, reason="sold_out")
    story.world(name, names.REJECTED, cause="line.rejected", reason="sold_out")
    story.authorized(name)
    story.pay(name, "void", cause="line.rejected", reason="sold_out")
    story.provider(name, "void", "voided")


def _declined(story: Story, name: str) -> None:
    story.request(name)
    story.hold(name, "2026-05-01", 1)
    story.reserved(name)
    story.authorized(name, "declined")
    story.world(name, names.REJECTED, cause="payment.declined", reason="card_declined")
    story.release(name, "payment.declined")


def _expired(story: Story, name: str) -> None:
    story.request(name)
    story.authorized(name)
    story.wait(minutes=10, seconds=1)
    data = {"booking_id": name}
    ids = story.bookings[name].last
    ids["tick"] = story.say(names.BOOKING_INBOX, "booking.deadline.passed", data, key=name)
    story.world(name, names.EXPIRED, cause="tick", reason="deadline_passed")
    story.release(name, "tick")
    story.hold(name, NIGHT, 1)  # its end overtook it
    story.answer(name, "line.rejected", cause="hold", line=1, reason="already_released")
    story.pay(name, "void", cause="tick", reason="deadline_passed")
    story.provider(name, "void", "voided")


def _undone(story: Story, name: str) -> None:
    pend(story, name, start="2026-05-01")
    story.world(name, names.CONFIRMED, cause="payment.authorized")
    story.captured(name, "capture_failed")
    why = "payment_capture_failed: card_declined"
    story.world(name, names.CANCELLED, cause="payment.capture_failed", refund_amount=0.0, cancellation_reason=why)
    story.release(name, "payment.capture_failed")


def _remember(story: Story) -> None:
    rows(story, "a", "CONFIRMED", PRICE)
    rows(story, "b", "CONFIRMED", PRICE)
    rows(story, "c", "CANCELLED", PRICE, refund=PRICE)
    rows(story, "d", "REJECTED")
    rows(story, "e", "REJECTED")
    rows(story, "f", "EXPIRED")
    rows(story, "g", "CANCELLED")
    rows(story, "h", "CONFIRMED", PRICE, refund=Decimal("50.00"))
    night(story, NIGHT, {"a/1": {"1": 1}, "b/1": {"1": 1}})
    night(story, "2026-03-02", {"a/1": {"1": 1}})
    night(story, "2026-04-01", {"c/1": {"1": 1}})
    night(story, "2026-04-01", None)
    night(story, "2026-06-01", {"h/1": {"1": 2}})
