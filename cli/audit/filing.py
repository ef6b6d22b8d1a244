"""How each record becomes a fact: one small function for every type the auditor judges by, and the table of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from cli.audit import names
from cli.audit.changelog import file_row
from cli.audit.deadletters import file_dead_letter, meet_origin
from cli.audit.facts import Answer, Call, Declare, Ending, Hold, Order, Place, Release, Request
from cli.audit.history import History, Orphan
from cli.audit.wire import Letter, Record, digest, milliseconds, money, read, short

Filed = Callable[[History, Record, Letter], None]


def add(history: History, record: Record) -> None:
    """Files one record. What cannot be read is remembered as poison where that matters."""
    history.records += 1
    history.newest = max(history.newest, record.timestamp)
    history.first_at.setdefault((record.topic, record.partition), record.timestamp)
    if record.topic.endswith(names.DEAD):
        file_dead_letter(history, record)
    elif record.topic in names.CHANGELOGS:
        file_row(history, record)
    elif not meet_origin(history, record):
        _file_message(history, record)


def _file_message(history: History, record: Record) -> None:
    letter = read(record.value)
    if letter is None:
        return _poison(history, record)
    file = FILING.get((record.topic, letter.event_type))
    if file is not None:
        try:
            file(history, record, letter)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return _poison(history, record)
    if record.topic != names.WORKERS:
        _identify(history, record, letter)


def _identify(history: History, record: Record, letter: Letter) -> None:
    history.identify(letter.event_id, letter.event_type, digest(record.value))
    if record.topic in names.CAUSES:
        history.know(letter.event_id, record.offset if record.topic == names.BOOKING_INBOX else None)
    if letter.event_type not in names.ORIGINS or letter.cause is not None:
        history.needs(Orphan(letter.event_type, letter.event_id, letter.cause, record.timestamp))


def _poison(history: History, record: Record) -> None:
    if record.topic in names.CAUSES:
        history.poison.append(Place(record.topic, record.partition, record.offset))


# --- the booking inbox ---


def _requested(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    deadline, price = milliseconds(data["deadline"]), money(data["price_amount"])
    booking = history.bookings[data["booking_id"]]
    booking.last = record.offset
    if booking.request is None:
        booking.request = Request(record.partition, record.offset, record.timestamp, deadline, price)


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
        history.payments[data["payment_id"]].told.add(what or data["refund_id"])

    return file


def _touched(history: History, record: Record, letter: Letter) -> None:
    history.bookings[letter.data["booking_id"]].last = record.offset


# --- the availability inbox ---


def _resource(data: dict[str, Any]) -> str:
    return f"{quote(data['provider_id'], safe='')}/{quote(data['product_id'], safe='')}"


def _declared(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    limit = int(data["capacity"]) + int(data.get("overbooking_limit", 0))
    cut = data.get("slots", "nights"), data.get("time_zone", "UTC")
    history.inventory[record.partition].append(Declare(record.offset, record.timestamp, _resource(data), limit, *cut))


def _hold_asked(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    history.inventory[record.partition].append(
        Hold(
            record.offset,
            letter.event_id,
            _resource(data),
            data["booking_id"],
            int(data["revision"]),
            int(data["line"]),
            data["start"],
            data["end"],
            int(data["quantity"]),
        )
    )


def _released(history: History, record: Record, letter: Letter) -> None:
    data = letter.data
    released = Release(record.offset, _resource(data), data["booking_id"], int(data["revision"]), int(data["line"]))
    history.inventory[record.partition].append(released)


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


def _provider_answered(history: History, record: Record, letter: Letter) -> None:
    _about_payment(history, record, letter)
    data = letter.data
    answer = Answer(data["operation"], record.offset, bool(data["approved"]), data.get("refund_id") or "")
    history.payments[data["payment_id"]].answers.setdefault(short(data["effect_id"]), answer)


def _provider_called(history: History, record: Record, letter: Letter) -> None:
    call = Call(letter.data["operation"], record.partition, record.offset)
    history.payments[letter.data["payment_id"]].calls.setdefault(short(letter.event_id), call)


# --- what the world reads ---


def _booking_created(history: History, record: Record, letter: Letter) -> None:
    history.bookings[letter.data["booking_id"]].created = True


def _payment_created(history: History, record: Record, letter: Letter) -> None:
    history.payments[letter.data["payment_id"]].created = True


def _ended(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    before = booking.endings.get(letter.event_id)
    at = record.timestamp if before is None else min(before.at, record.timestamp)
    booking.endings[letter.event_id] = Ending(letter.event_type, letter.event_id, at, short(letter.cause or ""))


def _cancelled(history: History, record: Record, letter: Letter) -> None:
    booking = history.bookings[letter.data["booking_id"]]
    booking.refund_amount = money(letter.data["refund_amount"])
    booking.reason = str(letter.data["cancellation_reason"])
    _ended(history, record, letter)


def _claimed(history: History, record: Record, letter: Letter) -> None:
    if letter.data["service"] == "booking":
        history.claims.append(milliseconds(letter.data["since"]))


FILING: dict[tuple[str, str], Filed] = {
    (names.BOOKING_INBOX, "booking.booking.request"): _requested,
    (names.BOOKING_INBOX, "booking.booking.cancel"): _touched,
    (names.BOOKING_INBOX, "booking.deadline.passed"): _touched,
    (names.BOOKING_INBOX, "booking.line.reserved"): _answered_line("reserved"),
    (names.BOOKING_INBOX, "booking.line.rejected"): _answered_line("rejected"),
    (names.BOOKING_INBOX, "booking.payment.authorized"): _told_of_payment("authorized"),
    (names.BOOKING_INBOX, "booking.payment.declined"): _told_of_payment("declined"),
    (names.BOOKING_INBOX, "booking.payment.captured"): _told_of_payment("captured"),
    (names.BOOKING_INBOX, "booking.payment.capture_failed"): _told_of_payment("capture_failed"),
    (names.BOOKING_INBOX, "booking.payment.refunded"): _told_of_payment(""),
    (names.AVAILABILITY_INBOX, "availability.resource.declare"): _declared,
    (names.AVAILABILITY_INBOX, "availability.line.hold"): _hold_asked,
    (names.AVAILABILITY_INBOX, "availability.line.release"): _released,
    (names.PAYMENT_INBOX, "payment.payment.authorize"): _authorize_asked,
    (names.PAYMENT_INBOX, "payment.payment.capture"): _capture_asked,
    (names.PAYMENT_INBOX, "payment.payment.void"): _void_asked,
    (names.PAYMENT_INBOX, "payment.payment.refund"): _refund_asked,
    (names.PAYMENT_INBOX, "payment.effect.answered"): _provider_answered,
    (names.PAYMENT_EFFECTS, "payment.effect.call"): _provider_called,
    (names.CREATED, names.CREATED): _booking_created,
    (names.CONFIRMED, names.CONFIRMED): _ended,
    (names.REJECTED, names.REJECTED): _ended,
    (names.EXPIRED, names.EXPIRED): _ended,
    (names.CANCELLED, names.CANCELLED): _cancelled,
    (names.PAYMENT_CREATED, names.PAYMENT_CREATED): _payment_created,
    (names.WORKERS, "vacancy.worker.owns"): _claimed,
}
