"""What goes back of a booking's payments: the latest first, of each no more than it captured, the rest of the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from domain.booking_state import Booking, Supplement, derived_id
from streams.events.booking import RefundCut
from streams.events.payment import Refund


def refund(booking: Booking, amount: Decimal, why: str, reason: str) -> Iterator[Refund]:
    """Orders `amount` back under ids that follow from `why`, unless it is nothing."""
    return _spread(booking, booking.supplements, amount, why, reason)


def refund_rest(booking: Booking, supplement: Supplement, cut: RefundCut) -> Iterator[Refund]:
    """Orders what a payment could not give from those before it: those after it were asked before."""
    earlier = [each for each in booking.supplements if each.revision < supplement.revision]
    return _spread(booking, earlier, cut.missing, f"rest of {cut.refund_id}", "the rest of a refund")


def refund_of(booking: Booking, supplement: Supplement, amount: Decimal, why: str, reason: str) -> Refund:
    """Orders `amount` back of one payment."""
    return Refund(
        payment_id=supplement.payment_id,
        booking_id=booking.booking_id,
        refund_id=derived_id(booking.booking_id, why),
        amount=amount,
        reason=reason,
        shared=True,
    )


def noted(booking: Booking, orders: Sequence[Refund]) -> Booking:
    """The booking that remembers what it ordered: of each payment, and that no operator did."""
    if not orders:
        return booking
    supplements = tuple(_giving(each, orders) for each in booking.supplements)
    ordered = (*booking.change_refunds, *(order.refund_id for order in orders))
    return msgspec.structs.replace(booking, supplements=supplements, change_refunds=ordered)


def _spread(
    booking: Booking, supplements: Iterable[Supplement], amount: Decimal, why: str, reason: str
) -> Iterator[Refund]:
    for supplement in sorted(supplements, key=lambda each: each.revision, reverse=True):
        part = min(supplement.left, amount)
        if part > 0:
            yield refund_of(booking, supplement, part, f"{why}/{supplement.revision}", reason)
            amount -= part
    if amount > 0:
        yield Refund(
            payment_id=booking.payment_id,
            booking_id=booking.booking_id,
            refund_id=derived_id(booking.booking_id, why),
            amount=amount,
            reason=reason,
        )


def _giving(supplement: Supplement, orders: Sequence[Refund]) -> Supplement:
    ordered = {order.refund_id: order.amount for order in orders if order.payment_id == supplement.payment_id}
    return msgspec.structs.replace(supplement, given=supplement.given | ordered)
