"""P3 of bookings that were made with a deposit.

Read as: until its guest has checked in, what is owed of the price is the deposit, less what cheaper changes took of it;
what a change costs more is not owed before. From the check-in on the whole price is, unless the provider refused the
balance or nothing was there to pay it by. A payment beside the first is ordered by the check-in that the world was told
of, once, for exactly what was open, and captured because of the answer that it is authorized.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from cli.audit.facts import Booking
from cli.audit.history import History
from cli.audit.provider import Account
from cli.audit.wire import Body, money


def deposit_of(request: Body) -> Decimal | None:
    """What a request says is paid at booking; None where that is the whole price, or nothing is paid through us."""
    price, asked = money(request["price_amount"]), request.get("deposit_amount")
    if asked is None or price <= 0 or not request.get("prepaid", True) or money(asked) <= 0:
        return None
    return min(money(asked), price)


def balances_of(history: History, booking: Booking) -> set[str]:
    """The payments of a booking with a deposit that its request did not ask for."""
    if booking.request is None or booking.request.deposit is None:
        return set()
    return {name for name in booking.payments if history.payments[name].authorize_cause not in booking.asked_by}


def wrong_balances(history: History, booking: Booking, balances: set[str]) -> Iterator[str]:
    """What is wrong with how the rest was asked for."""
    asked = [history.payments[name] for name in balances if history.payments[name].authorize is not None]
    for payment in asked:
        if payment.authorize_cause not in booking.arrivals:
            yield "was charged beside its deposit, but not because its guest has checked in"
        if payment.capture_causes - payment.authorized_by:
            yield "the capture of its balance was ordered by something else than its authorization"
    if len(asked) > 1:
        yield f"its balance was charged {len(asked)} times"


def paid_before_arrival(booking: Booking) -> Decimal:
    """What is paid of the price before the guest arrives: the deposit where there is one, less what it fell below."""
    return booking.price if booking.request is None or booking.request.deposit is None else _walked(booking)[0]


def paid_with_deposit(history: History, booking: Booking, books: defaultdict[str, Account]) -> Decimal:
    """What should be paid by now."""
    assert booking.request is not None
    paid, price = _walked(booking)
    if booking.arrivals and booking.request.chargeable and not _refused(history, booking, books):
        paid = price
    return min(paid, booking.price)  # less what an early departure gave back


def _walked(booking: Booking) -> tuple[Decimal, Decimal]:
    """What is paid of the deposit after all changes, and the price then; a departure is none."""
    assert booking.request is not None
    assert booking.request.deposit is not None
    paid, price = booking.request.deposit, booking.request.price
    for _, change in sorted(booking.updates.items()):
        if change.cause not in booking.asks:
            paid, price = min(paid, change.price), change.price
    return paid, price


def _refused(history: History, booking: Booking, books: defaultdict[str, Account]) -> bool:
    """Whether the provider refused the balance and took nothing of it."""
    return any(
        not books[name].captured and (books[name].capture_failed or "declined" in history.payments[name].told)
        for name in balances_of(history, booking)
    )
