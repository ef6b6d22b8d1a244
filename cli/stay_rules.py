"""The journeys of guests who try a rule of their property, and what each has to find.

A guest whose booking is not CONFIRMED goes home: nights may be sold out, and an outcome may come too late.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from cli.client import Booking, Money, Refused, Wish
from cli.houses import EARLY_REFUND, NO_SHOW_FEE
from cli.visit import Visit

_WAITLIST = "/api/waitlist"
#: Why a change may be refused though nothing is wrong with it.
_AS_MAY_BE = ("sold_out", "deadline_passed")
#: And why it is asked for again.
_SOON = ("not_paid_yet", "change_under_way")


class _Sum(msgspec.Struct, frozen=True):
    amount: str


class _Night(msgspec.Struct, frozen=True):
    base: str
    adjustments: list[_Sum]
    price: str


class _Quote(msgspec.Struct, frozen=True):
    quantity: int
    nights: list[_Night]
    subtotal: str
    discounts: list[_Sum]
    total: Money


class _Fee(msgspec.Struct, frozen=True):
    fee: Money
    refund: Money
    non_refundable: bool
    valid_until: datetime | None = None


class _Refund(msgspec.Struct, frozen=True):
    refund_id: str
    status: str


class _Payment(msgspec.Struct, frozen=True):
    status: str
    captured: Money
    refunded: Money
    refunds: list[_Refund]

    def refund(self, refund_id: str) -> str | None:
        """How one of its refunds stands."""
        return next((refund.status for refund in self.refunds if refund.refund_id == refund_id), None)

    def has_answered(self, refund_id: str) -> bool:
        return self.refund(refund_id) in ("refunded", "refused", "failed")


class _Entry(msgspec.Struct, frozen=True):
    entry_id: str
    status: str


async def book_as_quoted(visit: Visit) -> Booking:
    quoted = await _quote(visit)
    visit.expect(_adds_up(quoted), f"the lines of {quoted} do not add up")
    visit.due = asyncio.get_running_loop().time()
    booking = await visit.book()
    # Another price is right only where the prices moved between.
    if booking.price != quoted.total and await _quote(visit) == quoted:
        visit.wrong(f"{booking.booking_id} costs {booking.price}, though {quoted.total} was quoted")
    return booking


async def stay_longer(visit: Visit, booking: Booking) -> Booking:
    """Another night, at the price of the others."""
    nights = (visit.stay.check_out - visit.stay.check_in).days
    longer = await _changed(visit, booking, {"check_out": visit.stay.check_out + timedelta(days=1)})
    if longer is None:
        return await visit.client.get(visit.path, booking.booking_id)
    dearer = Decimal(longer.price.amount) - Decimal(booking.price.amount)
    visit.expect(dearer * nights == Decimal(booking.price.amount), f"{longer} costs {dearer} more for a night")
    visit.expect(len(longer.payments) == 2 and longer.balance is None, f"{longer} is not paid twice")
    for payment_id, amount in zip(longer.payments, (Decimal(booking.price.amount), dearer), strict=False):
        paid = await visit.client.once(
            f"/api/payments/{payment_id}", _Payment, lambda payment: payment.status == "CAPTURED"
        )
        visit.expect(Decimal(paid.captured.amount) == amount, f"{payment_id} is {paid}, not {amount}")
    return longer


async def cancel_as_quoted(visit: Visit, booking: Booking) -> Booking:
    """At the fee that was quoted; asked again where a tier of the policy ended between."""
    while True:
        path = f"{visit.path}/{booking.booking_id}"
        quoted = msgspec.json.decode(await visit.client.look(f"{path}/cancellation"), type=_Fee)
        fee = quoted.fee.amount
        try:
            key = f"{visit.key}-cancel-{fee}"
            gone = await visit.client.cancel(visit.path, booking.booking_id, "as quoted", key=key, fee=fee)
        except Refused as refusal:
            over = quoted.valid_until is not None and datetime.now(UTC) >= quoted.valid_until
            if refusal.kind != "fee-changed" or not over:
                raise
        else:
            break
    done = gone.cancellation
    kept = done is not None and (done.fee, done.refund) == (quoted.fee, quoted.refund)
    visit.expect(kept, f"{gone.booking_id} was cancelled at {done}, though {quoted} was quoted")
    visit.expect(_sum(quoted.fee, quoted.refund) == Decimal(booking.price.amount), f"{quoted} is not {booking.price}")
    whole = not quoted.non_refundable or quoted.fee == booking.price
    visit.expect(whole, f"{booking.booking_id} is non-refundable, and {quoted.refund} would go back")
    return gone


async def leave_early(visit: Visit, booking: Booking) -> Booking:
    """The first night is paid; of the others half goes back, as the policy says."""
    came = await visit.client.move(visit.path, booking.booking_id, "check-in", key=f"{visit.key}-in")
    left = await visit.client.move(visit.path, booking.booking_id, "check-out", key=f"{visit.key}-out")
    nights = (visit.stay.check_out - visit.stay.check_in).days
    back = Decimal(came.price.amount) * (nights - 1) * EARLY_REFUND / (nights * 100)
    paid = Decimal(came.price.amount) - back
    visit.expect(Decimal(left.price.amount) == paid, f"{left.booking_id} left early for {left.price}, not {paid}")
    return left


async def be_given_back(visit: Visit, booking: Booking) -> Booking:
    """A tenth of the price, by an operator."""
    path, tenth = f"/api/payments/{booking.payment_id}", Decimal(booking.price.amount) / 10
    amount = str(tenth.quantize(Decimal(booking.price.amount)))
    asked = {"amount": amount, "reason": "noise at night"}
    raw = await visit.client.post(f"{path}/refunds", asked, key=f"{visit.key}-refund")
    refund_id = msgspec.json.decode(raw, type=_Refund).refund_id
    paid = await visit.client.once(path, _Payment, lambda payment: payment.has_answered(refund_id))
    given = paid.refund(refund_id) == "refunded" and Decimal(paid.refunded.amount) == Decimal(amount)
    visit.expect(given, f"{amount} was to be given back, and the payment is {paid}")
    return await visit.client.get(visit.path, booking.booking_id)


async def never_come(visit: Visit, booking: Booking) -> Booking:
    """No guest with hours is a no-show before the night is over; of one without, the last tier's fee is kept."""
    first = booking.times.no_show_from if booking.times is not None else None
    try:
        missed = await visit.client.move(visit.path, booking.booking_id, "no-show", key=f"{visit.key}-no-show")
    except Refused as refusal:
        if refusal.kind != "too-early":
            raise
        visit.expect(first is not None and datetime.now(UTC) < first + timedelta(seconds=5), f"{booking}: {refusal}")
        return booking
    visit.expect(first is None or datetime.now(UTC) >= first, f"{booking.booking_id} is a no-show before {first}")
    done, price = missed.cancellation, Decimal(booking.price.amount)
    kept = done is not None and Decimal(done.fee.amount) * 100 == price * NO_SHOW_FEE
    visit.expect(kept and done is not None and _sum(done.fee, done.refund) == price, f"{price} of a no-show: {done}")
    return missed


async def wait_for_another(visit: Visit) -> Booking:
    """Two guests want the last one. The second waits, is offered what the first gives back, and takes it; where both
    came too late, the second waits and leaves.
    """
    first = await visit.book()
    if first.status != "CONFIRMED" and first.reason != "sold_out":
        return first
    entry = await _join(visit)
    if first.status != "CONFIRMED":
        raw = await visit.client.post(f"{_WAITLIST}/{entry.entry_id}/withdraw", {}, key=f"{visit.key}-withdraw")
        left = msgspec.json.decode(raw, type=_Entry)
        visit.expect(left.status == "WITHDRAWN", f"{left} was withdrawn")
        return first
    gone = await visit.client.cancel(visit.path, first.booking_id, "plans changed", key=f"{visit.key}-cancel")
    visit.stands(gone)
    found = await visit.client.once(f"{_WAITLIST}/{entry.entry_id}", _Entry, lambda entry: entry.status != "WAITING")
    visit.expect(found.status == "OFFERED", f"{found}, and not OFFERED what became free")
    visit.notebook.tally.started += 1
    visit.due = asyncio.get_running_loop().time()
    taken = Wish(f"{_WAITLIST}/{entry.entry_id}/accept", {"payment_method": {"token": visit.stay.token}})
    return await visit.book_also(taken, f"{visit.key}-accept")


async def _changed(visit: Visit, booking: Booking, asked: dict[str, Any]) -> Booking | None:
    """The booking with the change in it; None where that was refused for what nobody is to blame for."""
    path = f"{visit.path}/{booking.booking_id}"
    try:
        await visit.client.patiently(lambda: visit.client.patch(path, asked), lambda refusal: refusal.reason in _SOON)
    except Refused as refusal:
        if refusal.reason not in _AS_MAY_BE:
            raise
        return None
    return await visit.client.once(path, Booking, lambda row: row.change is None)


async def _join(visit: Visit) -> _Entry:
    asked = {name: visit.wish.body[name] for name in ("property_id", "unit_type", "check_in", "check_out", "quantity")}
    guest = {**visit.wish.body["guest"], "email": f"waits-{visit.stay.email}"}
    raw = await visit.client.post(_WAITLIST, {**asked, "guest": guest}, key=f"{visit.key}-wait")
    return msgspec.json.decode(raw, type=_Entry)


async def _quote(visit: Visit) -> _Quote:
    stay = visit.stay
    asked = {"property_id": stay.property_id, "unit_type": stay.unit_type, "rate_plan": stay.rate_plan}
    dates = {"check_in": stay.check_in, "check_out": stay.check_out, "quantity": stay.quantity}
    raw = await visit.client.post("/api/rates/quote", {**asked, **dates}, key=f"{visit.key}-quote")
    return msgspec.json.decode(raw, type=_Quote)


def _adds_up(quote: _Quote) -> bool:
    nights = [_sum(_Sum(night.base), *night.adjustments) == Decimal(night.price) for night in quote.nights]
    subtotal = sum(Decimal(night.price) for night in quote.nights) * quote.quantity
    whole = _sum(_Sum(quote.subtotal), *quote.discounts) == Decimal(quote.total.amount)
    return all(nights) and whole and subtotal == Decimal(quote.subtotal)


def _sum(*parts: _Sum | Money) -> Decimal:
    return sum((Decimal(part.amount) for part in parts), Decimal(0))
