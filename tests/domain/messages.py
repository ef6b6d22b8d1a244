"""Messages as the tests say them: everything that is not the point of a rule has a value here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from domain.booking import payment_id_of
from streams.events import about
from streams.events import booking as said
from streams.events import payment as paying
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release, Slots

S = TypeVar("S")

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
DEADLINE = NOW + timedelta(minutes=10)
FREE_UNTIL = datetime(2026, 12, 20, tzinfo=UTC)
PRICE = Decimal("240.00")
PAYMENT = payment_id_of("b1", 1)


def night(day: int) -> datetime:
    """Midnight of a day counted from 24 December 2026: the nights of `[night(0), night(2))` are the 24th and 25th."""
    return datetime(2026, 12, 24, tzinfo=UTC) + timedelta(days=day)


CHECK_IN, NEXT_DAY, CHECK_OUT = night(0), night(1), night(2)

# --- inventory ---


def declare(
    capacity: int = 1,
    overbooking_limit: int = 0,
    price: str = "120.00",
    currency: str = "EUR",
    slots: Slots = "nights",
    time_zone: str = "UTC",
    min_stay: int = 1,
    product: str = "double",
) -> DeclareResource:
    return DeclareResource(
        provider_id="hotel",
        product_id=product,
        capacity=capacity,
        overbooking_limit=overbooking_limit,
        price_amount=Decimal(price),
        price_currency=currency,
        slots=slots,
        time_zone=time_zone,
        min_stay=min_stay,
    )


def hold(
    booking: str = "b1",
    revision: int = 1,
    line: int = 1,
    start: datetime = CHECK_IN,
    end: datetime = NEXT_DAY,
    quantity: int = 1,
    product: str = "double",
) -> Hold:
    return Hold(
        provider_id="hotel",
        product_id=product,
        booking_id=booking,
        revision=revision,
        line=line,
        start=start,
        end=end,
        quantity=quantity,
    )


def confirm_hold(booking: str = "b1", revision: int = 1, line: int = 1, product: str = "double") -> ConfirmHold:
    return ConfirmHold(provider_id="hotel", product_id=product, booking_id=booking, revision=revision, line=line)


def release(
    booking: str = "b1", revision: int = 1, line: int = 1, product: str = "double", report: bool = False
) -> Release:
    return Release(
        provider_id="hotel", product_id=product, booking_id=booking, revision=revision, line=line, report=report
    )


def reserved(booking: str = "b1", revision: int = 1, line: int = 1) -> said.LineReserved:
    return said.LineReserved(booking_id=booking, revision=revision, line=line)


def released(booking: str = "b1", revision: int = 1, line: int = 1) -> said.LineReleased:
    return said.LineReleased(booking_id=booking, revision=revision, line=line)


def rejected(reason: str, booking: str = "b1", revision: int = 1, line: int = 1) -> said.LineRejected:
    return said.LineRejected(booking_id=booking, revision=revision, line=line, reason=reason)


# --- bookings ---


def booked_line(
    line: int = 1,
    product: str = "double",
    start: datetime = CHECK_IN,
    end: datetime = CHECK_OUT,
    quantity: int = 1,
    price: Decimal = PRICE,
) -> about.Line:
    return about.Line(
        line=line,
        provider_id="hotel",
        product_id=product,
        start=start,
        end=end,
        quantity=quantity,
        price_amount=price,
    )


def request(
    *lines: about.Line,
    booking: str = "b1",
    price: Decimal = PRICE,
    free_until: datetime = FREE_UNTIL,
    location: about.Location | None = None,
    metadata: dict[str, Any] | None = None,
    **more: Any,
) -> said.RequestBooking:
    return said.RequestBooking(
        booking_id=booking,
        kind="stay",
        fingerprint="f" * 64,
        confirmation_number="RSV-2026-000123",
        user_id="u1",
        guest="sealed guest",
        lines=lines or (booked_line(price=price),),
        price_amount=price,
        price_currency="EUR",
        payment_token="sealed tok_visa",
        deadline=DEADLINE,
        free_until=free_until,
        location=location,
        metadata=metadata or {},
        **{"rules": said.RULES, **more},
    )


def change(
    *lines: about.Line, price: Decimal | None = None, revision: int = 2, deadline: datetime = DEADLINE, **more: Any
) -> said.ChangeBooking:
    return said.ChangeBooking(
        booking_id="b1", revision=revision, lines=lines or None, price_amount=price, deadline=deadline, **more
    )


def cancel(reason: str = "plans changed", by: str = "guest", booking: str = "b1") -> said.CancelBooking:
    return said.CancelBooking(booking_id=booking, reason=reason, cancelled_by=by)


def deadline_passed(booking: str = "b1") -> said.DeadlinePassed:
    return said.DeadlinePassed(booking_id=booking)


def payment_authorized(revision: int = 1, payment: str = PAYMENT) -> said.PaymentAuthorized:
    return said.PaymentAuthorized(booking_id="b1", revision=revision, payment_id=payment)


def payment_declined(reason: str = "card_declined") -> said.PaymentDeclined:
    return said.PaymentDeclined(booking_id="b1", revision=1, payment_id=PAYMENT, reason=reason)


def payment_captured(amount: Decimal = PRICE) -> said.PaymentCaptured:
    return said.PaymentCaptured(booking_id="b1", revision=1, payment_id=PAYMENT, amount=amount)


def payment_voided() -> said.PaymentVoided:
    return said.PaymentVoided(booking_id="b1", payment_id=PAYMENT)


def capture_failed(reason: str = "card_declined") -> said.CaptureFailed:
    return said.CaptureFailed(booking_id="b1", revision=1, payment_id=PAYMENT, reason=reason)


def payment_refunded(amount: Decimal = PRICE, refund_id: str = "r1") -> said.PaymentRefunded:
    return said.PaymentRefunded(booking_id="b1", payment_id=PAYMENT, refund_id=refund_id, amount=amount)


def of_change(what: Callable[..., S], revision: int = 2, **more: Any) -> S:
    """What the payment of a change says to its booking."""
    return what(booking_id="b1", revision=revision, payment_id=payment_id_of("b1", revision), **more)


# --- payments ---


def authorize(amount: Decimal = PRICE) -> paying.Authorize:
    return paying.Authorize(
        payment_id=PAYMENT,
        booking_id="b1",
        revision=1,
        user_id="u1",
        amount=amount,
        currency="EUR",
        payment_token="sealed tok_visa",
    )


def capture() -> paying.Capture:
    return paying.Capture(payment_id=PAYMENT, booking_id="b1", revision=1)


def void(reason: str = "sold_out") -> paying.Void:
    return paying.Void(payment_id=PAYMENT, booking_id="b1", revision=1, reason=reason)


def settle(settlement_id: str = "run-1") -> paying.Settle:
    return paying.Settle(payment_id=PAYMENT, settlement_id=settlement_id)


def refund(amount: str = "240.00", refund_id: str = "r1", ordered_by: str = "policy") -> paying.Refund:
    return paying.Refund(
        payment_id=PAYMENT,
        booking_id="b1",
        refund_id=refund_id,
        amount=Decimal(amount),
        reason="plans changed",
        ordered_by=ordered_by,
    )


def approved(
    operation: paying.Operation,
    effect: str = "",
    reference: str | None = "pi_1",
    method: paying.PaymentMethod | None = None,
    refund_id: str | None = None,
) -> paying.ProviderAnswered:
    return paying.ProviderAnswered(
        payment_id=PAYMENT,
        effect_id=effect or f"effect-{operation}",
        operation=operation,
        approved=True,
        provider_reference=reference,
        method=method,
        refund_id=refund_id,
    )


def refused(
    operation: paying.Operation,
    code: str | None = "card_declined",
    effect: str = "",
    message: str | None = None,
    refund_id: str | None = None,
) -> paying.ProviderAnswered:
    return paying.ProviderAnswered(
        payment_id=PAYMENT,
        effect_id=effect or f"effect-{operation}",
        operation=operation,
        approved=False,
        error_code=code,
        error_message=message,
        refund_id=refund_id,
    )


def provider_call(
    operation: paying.Operation,
    amount: str = "240.00",
    reference: str | None = "pi_1",
    token: str | None = None,
    refund_id: str | None = None,
) -> paying.ProviderCall:
    return paying.ProviderCall(
        payment_id=PAYMENT,
        operation=operation,
        user_id="u1",
        amount=Decimal(amount),
        currency="EUR",
        payment_token=token,
        provider_payment_id=reference,
        refund_id=refund_id,
    )
