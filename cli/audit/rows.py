"""P6: what the services remember is what the log says.

Read as: of each row the state that was decided last (the highest source offset on the changelog, wherever it stands)
equals what the auditor makes of the inboxes up to the position the service has reached: a booking's status is its
outcome and what it has moved on to since, a night's live holds and the stock sold are those of the replayed inbox, a
payment's captured and refunded sums are those of the provider's ledger, a property's figures are those that the
analytics inbox comes to when it is counted from its first record (`cli.audit.figures`). Bookings and payments of which
something is on its way are open. Of every service: its position is at the end of its inbox, or moves on; one that
stands still for a minute while something waits has stopped remembering. The SQL tables have what the rows say
(`cli.audit.projections`). The archive is not there yet.
"""

from __future__ import annotations

from cli.audit import names, projections
from cli.audit.changelog import BookingRow, NightRow, PaymentRow
from cli.audit.facts import NOTHING, Booking
from cli.audit.figures import check_figures
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.inventory import replay
from cli.audit.provider import accounts, in_view

#: What a confirmed booking becomes, the last first.
_GONE_ON = ("COMPLETED", "NO_SHOW", "CHECKED_IN")
_EMPTY = NightRow({})
_STATUS = {names.REJECTED: "REJECTED", names.EXPIRED: "EXPIRED", names.CANCELLED: "CANCELLED"}


def check(history: History) -> Verdict:
    verdict = Verdict("P6", "the rows are what the log says")
    _check_bookings(history, verdict)
    _check_nights(history, verdict)
    _check_payments(history, verdict)
    check_figures(history, verdict)
    _check_positions(history, verdict)
    projections.check(history, verdict)
    return verdict


def _check_bookings(history: History, verdict: Verdict) -> None:
    horizon = history.forgotten(names.BOOKING_NEWS)
    for booking_id, booking in history.bookings.items():
        row, request = history.rows["booking"].get(booking_id), booking.request
        if row is None or request is None:
            continue  # a lost one is found by P7
        if request.at < horizon:
            verdict.aged += 1
        elif not history.passed("booking", request.partition, booking.last):
            verdict.open += 1
        else:
            verdict.checked += 1
            status = row.content.status if isinstance(row.content, BookingRow) else str(row.content)
            if status not in (expected := _statuses(booking)):
                verdict.find(booking_id, f"its row says {status}, the log says {' or '.join(sorted(expected))}")


def _statuses(booking: Booking) -> set[str]:
    """What the row may say; of contradicting outcomes (P1) any."""
    if booking.of(names.CONFIRMED) and not booking.of(names.CANCELLED):
        said = {next((status for status in _GONE_ON if status in booking.moved_on), "CONFIRMED")}
    else:
        said = {"PENDING"} if not booking.endings else set()
    return said | {_STATUS[ending.event_type] for ending in booking.endings.values() if ending.event_type in _STATUS}


def _check_nights(history: History, verdict: Verdict) -> None:
    expected: dict[str, NightRow] = {}
    for partition, operations in history.inventory.items():
        position = history.positions.get(("availability", partition), -1)
        books = replay(history, operations, Verdict("", ""), position)
        nights = books.nights.items()
        expected |= {f"{resource}|{slot}": NightRow(night.holds, night.sold) for (resource, slot), night in nights}
    found = {name: row.content for name, row in history.rows["night"].items() if row.content not in (None, _EMPTY)}
    for name in sorted(expected.keys() | found.keys()):
        verdict.checked += 1
        if expected.get(name) != found.get(name):
            verdict.find(name, _difference(found.get(name, _EMPTY), expected.get(name, _EMPTY)))


def _difference(row: object, inbox: NightRow) -> str:
    if not isinstance(row, NightRow):
        return f"its row is {row}"
    if row.holds == inbox.holds:
        return f"its row has {row.sold} sold, the inbox {inbox.sold}"
    kept, said = row.holds, inbox.holds
    differ = sorted(hold for hold in kept.keys() | said.keys() if kept.get(hold) != said.get(hold))
    hold = differ[0]
    more = f"; {len(differ) - 1} more differ" if len(differ) > 1 else ""
    return f"of {hold} its row has {kept.get(hold, 'nothing')}, the inbox {said.get(hold, 'nothing')}{more}"


def _check_payments(history: History, verdict: Verdict) -> None:
    if history.ledger is None:
        return
    books = accounts(in_view(history, history.ledger))
    for payment_id, payment in history.payments.items():
        if payment.last < 0:
            continue
        if not history.payment_settled(payment):
            verdict.open += 1
            continue
        verdict.checked += 1
        row, account = history.rows["payment"].get(payment_id), books[payment_id]
        content = row.content if row is not None else PaymentRow(NOTHING, NOTHING)
        if not isinstance(content, PaymentRow) or content[:2] != (account.captured, account.refunded):
            said = f"{account.captured} captured and {account.refunded} refunded"
            verdict.find(payment_id, f"its row says {content}, the ledger {said}")


def _check_positions(history: History, verdict: Verdict) -> None:
    """Of every service, whether it has decided its inbox, or is at it."""
    for (service, partition), end in sorted(history.ends.items()):
        place = service, partition
        if (position := history.positions.get(place, -1)) >= end - 1:
            verdict.checked += 1
        elif history.overdue(max(history.waiting.get(place, 0), history.moved.get(place, 0))):
            verdict.find(
                f"{names.inbox_of(service)}/{partition}", f"ends at {end - 1}, but nothing moves on {position}"
            )
        else:
            verdict.open += 1
