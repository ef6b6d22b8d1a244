"""P3, what policy says: what goes back of a booking that was cancelled, or whose guest never came, is recomputed.

From the policy in the request on the log, the arrival and nights it had by then, the price the world was told of last,
the time of the record that cancelled it, and what operators had given back before that record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from cli.audit import names
from cli.audit.deposits import paid_before_arrival
from cli.audit.facts import NOTHING, Booking
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.operations import Hold
from cli.audit.terms import Ask, Terms, dates, early_refund, fee_at

#: (booking, revision) -> what was asked of inventory under it.
Holds = Mapping[tuple[str, int], Sequence[Hold]]


def holds_of_changes(history: History) -> Holds:
    found: defaultdict[tuple[str, int], list[Hold]] = defaultdict(list)
    for operations in history.inventory.values():
        for hold in operations:
            if isinstance(hold, Hold) and hold.revision > 1:
                found[hold.booking_id, hold.revision].append(hold)
    return found


def check_refund(history: History, verdict: Verdict, booking_id: str, booking: Booking, holds: Holds) -> None:
    """Whether a confirmed booking was told to get back what its policy says. One that the platform itself cancelled is
    judged by its money alone: no record asks for that; and so is one with a payment that could not be captured: what
    of it was known by then depends on the place of an answer that is not kept.
    """
    if booking.request is None or not booking.of(names.CONFIRMED) or _lost_any(history, booking):
        return
    terms = _terms(booking_id, booking, holds)
    if terms is not None:
        _check_departure(history, verdict, booking_id, booking, terms)
    for ending in (*booking.of(names.CANCELLED), *booking.of(names.NO_SHOW)):
        asks = booking.asks.get(ending.cause, ())
        if terms is None or not asks:
            continue
        final = ending.event_type == names.NO_SHOW
        # Delivered twice, it may have been decided at either place.
        judged = [_due(history, booking, terms, ask, final=final) for ask in asks]
        if booking.refund_amount not in {back for _, back in judged}:
            verdict.find(booking_id, f"was told {booking.refund_amount} goes back, but policy says {judged[0][1]}")
        elif all(ask.expected not in (None, fee) for ask, (fee, _) in zip(asks, judged, strict=True)):
            verdict.find(booking_id, f"was cancelled for {judged[0][0]}, but {asks[0].expected} was agreed to")


def _lost_any(history: History, booking: Booking) -> bool:
    later = (history.payments[name] for name in booking.payments if history.payments[name].revision > 1)
    return any("capture_failed" in payment.told for payment in later)


def _due(history: History, booking: Booking, terms: Terms, ask: Ask, *, final: bool) -> tuple[Decimal, Decimal]:
    """The fee and what goes back."""
    assert booking.request is not None
    if not booking.request.prepaid or not booking.price:
        return NOTHING, NOTHING
    paid = paid_before_arrival(booking)
    fee = min(fee_at(terms, booking.price, None if final else ask.at), paid)
    return fee, max(paid - _given(history, booking, ask) - fee, NOTHING)


def _given(history: History, booking: Booking, ask: Ask) -> Decimal:
    """What operators had given back before that record."""
    orders = {name: order for payment in booking.payments for name, order in history.payments[payment].refunds.items()}
    before = (
        amount
        for name, (offset, amount) in booking.given.items()
        if offset < ask.offset and (name not in orders or orders[name].ordered_by != "policy")
    )
    return sum(before, NOTHING)


def _check_departure(history: History, verdict: Verdict, booking_id: str, booking: Booking, terms: Terms) -> None:
    """Whether a guest who left early pays what is left of the price by policy."""
    assert booking.request is not None
    price = booking.request.price
    for _, (now, cause) in sorted(booking.updates.items()):
        asks = booking.asks.get(cause, ())
        paid = price if booking.request.prepaid else NOTHING
        back = {
            max(min(early_refund(terms, paid, ask.at), paid - _given(history, booking, ask)), NOTHING) for ask in asks
        }
        if back and price - now not in back:
            verdict.find(booking_id, f"gave back {price - now} of an early departure, but policy says {min(back)}")
        price = now


def _terms(booking_id: str, booking: Booking, holds: Holds) -> Terms | None:
    """The request's terms as the changes left them: the earliest arrival counts, and the nights it has now. None where
    the log does not say.
    """
    assert booking.request is not None
    terms = booking.request.terms
    for revision, (_, cause) in sorted(booking.updates.items()):
        if cause in booking.asks:  # its guest left: nothing is cancelled after that
            continue
        held = holds.get((booking_id, revision), ())
        asked = cause if cause in booking.changes else next((hold.cause for hold in held), b"")
        if terms is None or asked not in booking.changes:
            return None
        if (until := booking.changes[asked]) is not None:
            terms = terms._replace(arrival=min(terms.arrival, datetime.fromisoformat(until)))
        if held:
            first, last = dates(((hold.start, hold.end) for hold in held), terms.time_zone)
            terms = terms._replace(first=first, last=last)
    return terms
