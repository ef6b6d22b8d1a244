"""P3: at rest the provider has taken exactly what is owed, and blocks nothing it need not.

Read as, for every booking with an outcome of which nothing is on its way (all messages decided, all calls answered):
captured less refunded is the price while it stands confirmed; the price less what its cancelled event says goes back,
once cancelled after confirmation, and alike of a guest who never came (what has to go back is recomputed:
`cli.audit.cancellations`); nothing where the capture failed for good, and nothing for every other outcome;
less what an operator ordered back and the ledger shows done, never below nothing. The price is the one that the world
was told of last, less the differences of changes whose own payment could not be captured. All payments of a booking
count. Nothing was captured unless a confirmed event says so and shares its cause with the Capture message; of a change
that costs more, its updated event. With a deposit, that is what is owed of the price until the guest has checked in
(`cli.audit.deposits`).
No authorization stays open. And no line of the ledger was written for a call that does not stand on the effects topic.

Where a layout says payment first, the Capture follows from the answer that it is authorized, and inventory is asked
because of the answer that it is captured; owed is nothing unless it was confirmed all the same. Of a booking that is
not paid through us nothing is ever captured.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from cli.audit import names
from cli.audit.cancellations import Holds, check_refund, holds_of_changes
from cli.audit.deposits import balances_of, paid_with_deposit, wrong_balances
from cli.audit.facts import NOTHING, Booking, Entry
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.operations import Hold
from cli.audit.provider import Account, accounts, in_view
from cli.audit.wire import short

#: Why the platform cancels a booking whose money it could not take.
UNDONE = "payment_capture_failed"


def check(history: History) -> Verdict:
    verdict = Verdict("P3", "captured less refunded is what is owed, and nothing is captured unconfirmed or left open")
    if history.ledger is None:
        verdict.applicable, verdict.note = False, "there is no ledger to read"
        return verdict
    ledger = in_view(history, history.ledger)
    _check_orders(history, verdict, ledger)
    _check_holds(history, verdict)
    books, horizon = accounts(ledger), history.forgotten(names.BOOKING_NEWS)
    holds = holds_of_changes(history)
    for booking_id, booking in history.bookings.items():
        if booking.request is not None and booking.request.at < horizon:
            verdict.aged += 1
        elif booking.request is not None:
            _judge(history, verdict, booking_id, booking, books, holds)
    return verdict


def _check_orders(history: History, verdict: Verdict, ledger: list[Entry]) -> None:
    horizon = history.horizon(names.CAUSES)
    for entry in ledger:
        payment = history.payments.get(entry.reference)
        if entry.at < horizon:
            continue
        if payment is None:
            verdict.find(entry.reference, f"the ledger has {entry.kind} {entry.amount} for a payment not on the log")
        elif short(entry.idempotency_key or "") not in payment.calls:
            verdict.find(entry.reference, f"{entry.kind} {entry.amount} was done for no call on the effects topic")


def _judge(
    history: History,
    verdict: Verdict,
    booking_id: str,
    booking: Booking,
    books: defaultdict[str, Account],
    holds: Holds,
) -> None:
    held = [books[payment_id] for payment_id in sorted(booking.payments)]
    settled = history.booking_settled(booking)
    if settled:
        _check_capture(history, verdict, booking_id, booking, held)
    if not (settled and booking.endings):
        verdict.open += 1
        return
    verdict.checked += 1
    check_refund(history, verdict, booking_id, booking, holds)
    if any(account.open for account in held):
        references = ", ".join(sorted(reference for account in held for reference in account.open))
        verdict.find(booking_id, f"has ended or is paid, but the authorization {references} is left open")
    net, owed = sum((account.net for account in held), NOTHING), _owed(history, booking, books)
    if net != owed:
        verdict.find(booking_id, f"captured less refunded is {net}, but {owed} is owed")


def _check_capture(history: History, verdict: Verdict, booking_id: str, booking: Booking, held: list[Account]) -> None:
    """Whether it was allowed to be captured, and at that moment."""
    assert booking.request is not None
    captured = sum((account.captured for account in held), NOTHING)
    first, balances = booking.request.pays_first, balances_of(history, booking)
    for what in wrong_balances(history, booking, balances):
        verdict.find(booking_id, what)
    confirmations = {ending.cause for ending in booking.of(names.CONFIRMED)}
    if captured and not booking.request.prepaid:
        verdict.find(booking_id, f"{captured} was captured, but it is not paid here")
    elif captured and not first and not confirmations:
        verdict.find(booking_id, f"{captured} was captured, but it was never confirmed")
    for payment_id in booking.payments - balances:
        payment = history.payments[payment_id]
        allowed, what = (payment.authorized_by, "authorization") if first else (confirmations, "confirmation")
        if payment.revision > 1:
            change = booking.updates.get(payment.revision)
            allowed, what = ({change.cause} if change is not None else set()), "change"
        if (first or allowed or payment.revision > 1) and payment.capture_causes - allowed:
            verdict.find(booking_id, f"the capture of {payment_id} was ordered by something else than its {what}")


def _check_holds(history: History, verdict: Verdict) -> None:
    """Where the money comes first, inventory is asked because of it."""
    holds = (hold for operations in history.inventory.values() for hold in operations if isinstance(hold, Hold))
    for hold in holds:
        booking = history.bookings.get(hold.booking_id)
        if booking is None or booking.request is None or not booking.request.pays_first or hold.revision > 1:
            continue
        paid = {cause for payment_id in booking.payments for cause in history.payments[payment_id].captured_by}
        if hold.cause not in paid and history.booking_settled(booking):
            verdict.find(hold.booking_id, f"line {hold.line} was held before the money was there")


def _owed(history: History, booking: Booking, books: defaultdict[str, Account]) -> Decimal:
    """What the provider should have in the end."""
    assert booking.request is not None
    cancelled, held = booking.of(names.CANCELLED), [books[payment_id] for payment_id in booking.payments]
    if not (booking.request.prepaid and booking.of(names.CONFIRMED)) or (cancelled and _never_taken(booking, held)):
        return NOTHING
    owed = _paid(history, booking, books)
    if cancelled or "NO_SHOW" in booking.moved_on:
        owed -= booking.refund_amount - _dropped(history, booking, books)
    return max(owed - _given_by_operators(history, booking, held), NOTHING)


def _paid(history: History, booking: Booking, books: defaultdict[str, Account]) -> Decimal:
    """The price as it stands, less what of it could not be captured: a change that costs more has a payment of its own,
    and one that costs less is taken off what is missing first.
    """
    assert booking.request is not None
    if booking.request.deposit is not None:
        return paid_with_deposit(history, booking, books)
    lost = {history.payments[name].revision for name in booking.payments if books[name].lost}
    price = paid = booking.request.price
    for revision, change in sorted(booking.updates.items()):
        if change.price <= price:
            paid = min(paid, change.price)
        elif revision not in lost:
            paid += change.price - price
        price = change.price
    return paid


def _dropped(history: History, booking: Booking, books: defaultdict[str, Account]) -> Decimal:
    """What was ordered back of payments that were never captured: not taken is given back."""
    orders = [
        order for name in booking.payments if books[name].lost for order in history.payments[name].refunds.values()
    ]
    return sum((order.amount for order in orders if order.ordered_by == "policy"), NOTHING)


def _never_taken(booking: Booking, held: list[Account]) -> bool:
    """The capture failed for good: nothing is owed then, and a fee that is cannot be had."""
    failed = any(account.capture_failed for account in held)
    return booking.reason.startswith(UNDONE) or (failed and not any(account.captured for account in held))


def _given_by_operators(history: History, booking: Booking, held: list[Account]) -> Decimal:
    orders = [order for payment_id in booking.payments for order in history.payments[payment_id].refunds.items()]
    by_operators = {refund_id for refund_id, order in orders if order.ordered_by != "policy"}
    return sum((account.refunds[name] for account in held for name in by_operators & account.refunds.keys()), NOTHING)
