"""What goes back of a booking's payments: the latest first, of each no more than it captured, the rest of the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from domain.booking_parts import Supplement
from domain.booking_state import Booking, derived_id
from streams.events.booking import RefundCut
from streams.events.payment import Refund


def refund(booking: Booking, amount: Decimal, why: str, reason: str) -> Iterator[Refund]:
    """Orders `amount` back under ids that follow from `why`, unless it is nothing."""
    return _spread(booking, amount, why, reason)


def take_cut(booking: Booking, cut: RefundCut) -> tuple[Booking, tuple[Refund, ...]]:
    """A payment had not all that was ordered of it, because an operator gave it: the rest comes from another one."""
    if cut.refund_id in booking.cut:
        return booking, ()
    supplements = tuple(
        _spent(each, cut) if each.payment_id == cut.payment_id else each for each in booking.supplements
    )
    known = msgspec.structs.replace(
        booking,
        supplements=supplements,
        cut=(*booking.cut, cut.refund_id),
        first_spent=booking.first_spent or cut.payment_id == booking.payment_id,
        credit=booking.credit + cut.missing,
    )
    return pay_credit(known, f"rest of {cut.refund_id}")


def pay_credit(booking: Booking, why: str) -> tuple[Booking, tuple[Refund, ...]]:
    """Orders back what is due and was not to be had before, as far as some payment may have it."""
    orders = tuple(_spread(booking, booking.credit, why, "the rest of a refund", first=not booking.first_spent))
    ordered = sum((order.amount for order in orders), Decimal(0))
    return noted(msgspec.structs.replace(booking, credit=booking.credit - ordered), orders), orders


def refund_of(booking: Booking, payment_id: str, amount: Decimal, why: str, reason: str) -> Refund:
    """Orders `amount` back of one payment."""
    return Refund(
        payment_id=payment_id,
        booking_id=booking.booking_id,
        refund_id=derived_id(booking.booking_id, why),
        amount=amount,
        reason=reason,
        tell_rest=True,
    )


def noted(booking: Booking, orders: Sequence[Refund]) -> Booking:
    """The booking that remembers what it ordered: of each payment, and that no operator did."""
    if not orders:
        return booking
    supplements = tuple(_giving(each, orders) for each in booking.supplements)
    known = booking.change_refunds
    ordered = (*known, *(order.refund_id for order in orders if order.refund_id not in known))
    return msgspec.structs.replace(booking, supplements=supplements, change_refunds=ordered)


def _spread(booking: Booking, amount: Decimal, why: str, reason: str, *, first: bool = True) -> Iterator[Refund]:
    for supplement in reversed(booking.supplements):
        part = min(supplement.left, amount)
        if part > 0:
            yield refund_of(booking, supplement.payment_id, part, f"{why}/{supplement.revision}", reason)
            amount -= part
    if amount > 0 and first:
        yield refund_of(booking, booking.payment_id, amount, why, reason)


def _spent(supplement: Supplement, cut: RefundCut) -> Supplement:
    given = supplement.given.get(cut.refund_id, Decimal(0)) - cut.missing
    return msgspec.structs.replace(supplement, given=supplement.given | {cut.refund_id: given}, spent=True)


def _giving(supplement: Supplement, orders: Sequence[Refund]) -> Supplement:
    ordered = {order.refund_id: order.amount for order in orders if order.payment_id == supplement.payment_id}
    return msgspec.structs.replace(supplement, given=supplement.given | ordered)
