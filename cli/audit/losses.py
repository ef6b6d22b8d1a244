"""P7: nothing that was acknowledged is lost.

Read hop by hop, for everything its service has durably passed (an inbox record at or below the position on the
changelog, a call below the committed offset of the effects topic): a request has its created event and its row; a
Hold has an answer; an Authorize has its created event or a refusal; a call has its answer on the payment inbox, or is
parked there and made again when it is due; an answer has been told to the booking (unless its payment was voided
meanwhile); a mail or receipt that was ordered has its result in the inbox; a request of another program that the gate
is past has become a request in an inbox, or lies on the dead-letter topic. No group's committed offset is ahead of the
position on the changelog. And every booking an outside journal says was acknowledged stands in the inbox.
"""

from __future__ import annotations

from cli.audit import calls, names
from cli.audit.facts import Booking, Payment
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.operations import Hold


def check(history: History) -> Verdict:
    verdict = Verdict("P7", "nothing that was acknowledged is lost")
    for booking_id in sorted(history.acknowledged):
        verdict.checked += 1
        if booking_id not in history.bookings or history.bookings[booking_id].request is None:
            verdict.find(booking_id, "was acknowledged, but its request is not on the log")
    _check_requests(history, verdict)
    _check_holds(history, verdict)
    _check_payments(history, verdict)
    _check_errands(history, verdict)
    _check_asked(history, verdict)
    _check_commits(history, verdict)
    if history.weak:
        verdict.excepted = "weak producer profile"
    return verdict


def _check_requests(history: History, verdict: Verdict) -> None:
    horizon = history.forgotten(names.BOOKING_NEWS)
    for booking_id, booking in history.bookings.items():
        request = booking.request
        if request is None or not _count(verdict, history.passed("booking", request.partition, request.offset)):
            continue
        row = history.rows["booking"].get(booking_id)
        if row is None or row.content is None:
            verdict.find(booking_id, "its request was decided, but it has no row")
        if not (booking.created or request.announced or _refused(booking) or request.at < horizon):
            verdict.find(booking_id, f"its request was decided, but there is no {names.CREATED}")


def _refused(booking: Booking) -> bool:
    """A request too large to be decided is refused without having been created."""
    return bool(booking.of(names.REJECTED))


def _check_holds(history: History, verdict: Verdict) -> None:
    for partition, operations in history.inventory.items():
        for operation in operations:
            if not isinstance(operation, Hold):
                continue
            passed = history.passed("availability", partition, operation.offset)
            if _count(verdict, passed) and not _answered(history, operation):
                verdict.find(
                    operation.booking_id, f"the hold of its line {operation.line} was decided, but not answered"
                )


def _answered(history: History, hold: Hold) -> bool:
    booking = history.bookings.get(hold.booking_id)
    return booking is not None and (hold.revision, hold.line) in booking.lines


def _check_payments(history: History, verdict: Verdict) -> None:
    horizon = history.forgotten((names.PAYMENT_CREATED,))
    for payment_id, payment in history.payments.items():
        authorize = payment.authorize
        if authorize is not None and _count(verdict, history.passed("payment", payment.partition, authorize)):
            aged = payment.booking_id and _requested_at(history, payment.booking_id) < horizon
            if not (payment.created or "declined" in payment.told or aged):
                verdict.find(payment_id, "was asked for, but there is neither a payment nor a refusal")
        calls.check(history, verdict, payment_id, payment)
        _check_answers(history, verdict, payment_id, payment)


def _requested_at(history: History, booking_id: str) -> int:
    request = history.bookings[booking_id].request
    return request.at if request is not None else 0


def _check_answers(history: History, verdict: Verdict, payment_id: str, payment: Payment) -> None:
    for answer in payment.answers.values():
        if not _count(verdict, history.passed("payment", payment.partition, answer.offset)):
            continue
        match answer.operation:
            case "authorize":
                told = payment.told & {"authorized", "declined"} or payment.void
            case "capture":
                told = payment.told & {"captured", "capture_failed"}
            case "refund":
                told = answer.refund_id in payment.told or not answer.approved
            case _:
                told = True
        if not told:
            verdict.find(payment_id, f"the answer to {answer.operation} was decided, but the booking was not told")


def _check_errands(history: History, verdict: Verdict) -> None:
    for name, errand in history.errands.items():
        if _count(verdict, history.handled(errand.place)) and name not in history.done:
            where = "/".join(map(str, errand.place))
            verdict.find(where, f"the order to {errand.what} was passed, but its result is not on the log")


def _check_asked(history: History, verdict: Verdict) -> None:
    for name, asked in history.asked.items():
        if _count(verdict, history.handled(asked.place)) and name not in history.admitted:
            where = "/".join(map(str, asked.place))
            verdict.find(where, f"another program's {asked.what} was passed, but nothing became of it")


def _check_commits(history: History, verdict: Verdict) -> None:
    for (topic, partition), offset in history.committed.items():
        if topic not in names.INBOXES:
            continue
        verdict.checked += 1
        position = history.positions.get((names.service_of(topic), partition), -1)
        if offset > max(position + 1, history.begins.get((topic, partition), 0)):
            verdict.find(f"{topic}/{partition}", f"committed up to {offset}, but durable only up to {position}")


def _count(verdict: Verdict, passed: bool) -> bool:
    """Counts something as checked, or as open while its service has not passed it."""
    verdict.checked += passed
    verdict.open += not passed
    return passed
