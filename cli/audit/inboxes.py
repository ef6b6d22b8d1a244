"""How what stands inside becomes facts: one small function for every type the auditor judges by, and the table of them.

What stands on the documented topics is filed by `cli.audit.news`.
"""

from __future__ import annotations

from collections.abc import Callable

from cli.audit import calls, erased, hooks, names
from cli.audit.deposits import deposit_of
from cli.audit.facts import Errand, Order, Place, Request
from cli.audit.figures import observed
from cli.audit.history import History
from cli.audit.inventory_inbox import (
    block_due,
    blocked,
    calendar_set,
    declared,
    hold_asked,
    released,
    shortened,
    sold,
    unblocked,
    waited,
)
from cli.audit.notices import notice_answered, notice_asked, notice_ordered
from cli.audit.reminders import reminder_planned
from cli.audit.terms import Ask, terms_of
from cli.audit.wire import Letter, Record, milliseconds, money, short

Filed = Callable[[History, Record, Letter], None]


# --- the booking inbox ---


def _requested(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    deadline, price = milliseconds(data["deadline"]), money(data["price_amount"])
    booking = history.bookings[data["booking_id"]]
    booking.last = record.offset
    booking.asked_by.add(short(letter.event_id))
    if booking.request is None:
        booking.request = Request(
            record.partition,
            record.offset,
            record.timestamp,
            deadline,
            price,
            confirm_on=data.get("confirm_on", "payment.authorized"),
            deposit=deposit_of(data),
            chargeable=bool(data.get("payment_token", True)),
            prepaid=bool(data.get("prepaid", True)),
            announced=bool(data.get("announced", False)),
            terms=terms_of(data),
            number=str(data.get("confirmation_number", "")),
        )


def _answered_line(verdict: str) -> Filed:
    def file(history: History, record: Record, letter: Letter) -> None:
        data = letter.data
        booking = history.bookings[data["booking_id"]]
        booking.last = record.offset
        booking.lines.setdefault((int(data["revision"]), int(data["line"])), set()).add(verdict)
        if letter.cause is not None:
            history.hold_answers[short(letter.cause)].add(verdict)

    return file


def _told_of_payment(what: str) -> Filed:
    def file(history: History, record: Record, letter: Letter) -> None:
        data = letter.data
        history.bookings[data["booking_id"]].last = record.offset
        payment = history.payments[data["payment_id"]]
        payment.told.add(what or data["refund_id"])
        if not what:
            given = record.offset, money(data["amount"])
            history.bookings[data["booking_id"]].given.setdefault(data["refund_id"], given)
        if what == "authorized":
            payment.authorized_by.add(short(letter.event_id))
        elif what == "captured":
            payment.captured_by.add(short(letter.event_id))

    return file


def _touched(history: History, record: Record, letter: Letter) -> None:
    history.bookings[letter.data["booking_id"]].last = record.offset


def _change_asked(history: History, record: Record, letter: Letter) -> None:
    _touched(history, record, letter)
    booking = history.bookings[letter.data["booking_id"]]
    booking.changes[short(letter.event_id)] = letter.data.get("free_until")


def _end_asked(history: History, record: Record, letter: Letter) -> None:
    """It is to be cancelled, or its guest left or never came."""
    _touched(history, record, letter)
    booking, expected = history.bookings[letter.data["booking_id"]], letter.data.get("expected_fee")
    ask = Ask(record.offset, record.timestamp, money(expected) if expected is not None else None)
    booking.asks.setdefault(short(letter.event_id), []).append(ask)


# --- the payment inbox and its effects ---


def _about_payment(history: History, record: Record, letter: Letter) -> None:
    payment = history.payments[letter.data["payment_id"]]
    payment.partition, payment.last = record.partition, record.offset
    if "booking_id" in letter.data:
        payment.booking_id = letter.data["booking_id"]
        history.bookings[payment.booking_id].payments.add(letter.data["payment_id"])


def _authorize_asked(history: History, record: Record, letter: Letter) -> None:
    _about_payment(history, record, letter)
    payment = history.payments[letter.data["payment_id"]]
    if payment.authorize is None:
        payment.authorize = record.offset
        payment.revision = int(letter.data.get("revision", 1))
        payment.authorize_cause = short(letter.cause or "")


def _capture_asked(history: History, record: Record, letter: Letter) -> None:
    _about_payment(history, record, letter)
    history.payments[letter.data["payment_id"]].capture_causes.add(short(letter.cause or ""))


def _void_asked(history: History, record: Record, letter: Letter) -> None:
    _about_payment(history, record, letter)
    history.payments[letter.data["payment_id"]].void = True


def _refund_asked(history: History, record: Record, letter: Letter) -> None:
    _about_payment(history, record, letter)
    order = Order(money(letter.data["amount"]), letter.data.get("ordered_by", "policy"))
    history.payments[letter.data["payment_id"]].refunds.setdefault(letter.data["refund_id"], order)


# --- beside them ---


def _sent_on(history: History, record: Record, letter: Letter) -> None:
    errand = Errand(letter.event_type, Place(record.topic, record.partition, record.offset))
    history.errands.setdefault(short(letter.event_id), errand)


def _handed_on(history: History, record: Record, letter: Letter) -> None:
    _sent_on(history, record, letter)
    notice_ordered(history, record, letter)


def _handed_over(history: History, record: Record, letter: Letter) -> None:
    _done(history, record, letter)
    notice_answered(history, record, letter)


def _receipt_asked(history: History, record: Record, letter: Letter) -> None:
    receipt = history.receipts[letter.data["payment_id"]]
    receipt.asked = receipt.asked or Place(record.topic, record.partition, record.offset)


def _done(history: History, record: Record, letter: Letter) -> None:
    history.done.add(short(letter.data["effect_id"]))


def _attempted(history: History, record: Record, letter: Letter) -> None:
    _done(history, record, letter)
    hooks.answered(history, record, letter)


def _claimed(history: History, record: Record, letter: Letter) -> None:
    if letter.data["service"] == "booking":
        history.claims.append(milliseconds(letter.data["since"]))


FILING: dict[tuple[str, str], Filed] = {
    (names.BOOKING_INBOX, "booking.booking.request"): _requested,
    (names.BOOKING_INBOX, "booking.booking.change"): _change_asked,
    (names.BOOKING_INBOX, "booking.booking.cancel"): _end_asked,
    (names.BOOKING_INBOX, "booking.booking.check_in"): _touched,
    (names.BOOKING_INBOX, "booking.booking.check_out"): _end_asked,
    (names.BOOKING_INBOX, "booking.booking.mark_no_show"): _end_asked,
    (names.BOOKING_INBOX, "booking.deadline.passed"): _touched,
    (names.BOOKING_INBOX, "booking.stay.due"): _touched,
    (names.BOOKING_INBOX, "booking.line.reserved"): _answered_line("reserved"),
    (names.BOOKING_INBOX, "booking.line.rejected"): _answered_line("rejected"),
    (names.BOOKING_INBOX, "booking.payment.authorized"): _told_of_payment("authorized"),
    (names.BOOKING_INBOX, "booking.payment.declined"): _told_of_payment("declined"),
    (names.BOOKING_INBOX, "booking.payment.captured"): _told_of_payment("captured"),
    (names.BOOKING_INBOX, "booking.payment.capture_failed"): _told_of_payment("capture_failed"),
    (names.BOOKING_INBOX, "booking.payment.refunded"): _told_of_payment(""),
    (names.BOOKING_INBOX, "booking.line.released"): _touched,
    (names.BOOKING_INBOX, "booking.payment.voided"): _touched,
    (names.BOOKING_INBOX, "booking.cancellation.counted"): _touched,
    (names.BOOKING_INBOX, "booking.payment.refund_cut"): _touched,
    (names.AVAILABILITY_INBOX, "availability.resource.declare"): declared,
    (names.AVAILABILITY_INBOX, "availability.calendar.set"): calendar_set,
    (names.AVAILABILITY_INBOX, "availability.block.set"): blocked,
    (names.AVAILABILITY_INBOX, "availability.block.remove"): unblocked,
    (names.AVAILABILITY_INBOX, "availability.block.due"): block_due,
    (names.AVAILABILITY_INBOX, "availability.line.hold"): hold_asked,
    (names.AVAILABILITY_INBOX, "availability.line.confirm"): sold,
    (names.AVAILABILITY_INBOX, "availability.line.release"): released,
    (names.AVAILABILITY_INBOX, "availability.waitlist.leave"): waited,
    (names.AVAILABILITY_INBOX, "availability.waitlist.due"): waited,
    (names.AVAILABILITY_INBOX, "availability.waitlist.offer"): waited,
    (names.AVAILABILITY_INBOX, "availability.line.shorten"): shortened,
    (names.PAYMENT_INBOX, "payment.payment.authorize"): _authorize_asked,
    (names.PAYMENT_INBOX, "payment.payment.capture"): _capture_asked,
    (names.PAYMENT_INBOX, "payment.payment.void"): _void_asked,
    (names.PAYMENT_INBOX, "payment.payment.refund"): _refund_asked,
    (names.PAYMENT_INBOX, "payment.payment.settle"): _about_payment,
    (names.PAYMENT_INBOX, "payment.effect.answered"): calls.answered,
    (names.PAYMENT_INBOX, "payment.effect.parked"): calls.parked,
    (names.PAYMENT_INBOX, "payment.call.due"): _about_payment,
    (names.PAYMENT_EFFECTS, "payment.effect.call"): calls.called,
    (names.NOTIFICATION_EFFECTS, "notification.effect.mail"): _handed_on,
    (names.NOTIFICATION_INBOX, "notification.effect.answered"): _handed_over,
    (names.NOTIFICATION_EFFECTS, "notification.effect.text"): _handed_on,
    (names.NOTIFICATION_INBOX, "notification.effect.text_answered"): _handed_over,
    (names.NOTIFICATION_INBOX, "notification.effect.parked"): _handed_over,
    (names.NOTIFICATION_INBOX, "notification.notice.request"): notice_asked,
    (names.NOTIFICATION_INBOX, "notification.reminder.plan"): reminder_planned,
    (names.RECEIPT_EFFECTS, "receipt.effect.write"): _sent_on,
    (names.RECEIPT_INBOX, "receipt.receipt.request"): _receipt_asked,
    (names.RECEIPT_INBOX, "receipt.effect.answered"): _done,
    (names.USER_EFFECTS, "user.effect.forget"): _sent_on,
    (names.USER_INBOX, "user.effect.answered"): erased.answered,
    (names.ANALYTICS_INBOX, "analytics.event.observe"): observed,
    (names.WEBHOOK_EFFECTS, "webhook.effect.send"): _sent_on,
    (names.WEBHOOK_INBOX, "webhook.delivery.deliver"): hooks.delivery_asked,
    (names.WEBHOOK_INBOX, "webhook.effect.answered"): _attempted,
    (names.WORKERS, "vacancy.worker.owns"): _claimed,
}
