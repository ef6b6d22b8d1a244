"""Rows of the payment, the receipt and the rate service, as tables."""

from __future__ import annotations

import msgspec

from domain.dynamic_prices import TermsChange
from domain.payment_state import Payment
from domain.rates import Applied, Usage
from domain.receipts import Receipt
from projections.kinds import Cells, Kind, code, of_resource
from projections.schema import (
    BOOKED_AT,
    PAYMENTS,
    PRICES,
    RECEIPTS,
    REFUNDS,
    REVENUE,
    USAGE,
    USAGE_BY_PLAN,
)

_payment = msgspec.json.Decoder(Payment)
_receipt = msgspec.json.Decoder(Receipt)
_usage = msgspec.json.Decoder(Usage)
_applied = msgspec.json.Decoder(Applied)
_change = msgspec.json.Decoder(TermsChange)


def payment(key: str, value: bytes) -> Cells:
    row = _payment.decode(value)
    method = row.method
    yield (
        PAYMENTS,
        {
            "payment_id": row.payment_id,
            "booking_id": row.booking_id,
            "status": row.status.value,
            "user_id": row.user_id,
            "currency": row.currency,
            "provider": row.provider,
            "provider_payment_id": row.provider_payment_id,
            "method": method.type if method is not None else None,
            "brand": method.brand if method is not None else None,
            "last4": method.last4 if method is not None else None,
            "settlement_id": row.settlement_id,
            "void_reason": code(row.void_reason),
            "error": code(row.error),
            "revision": row.revision,
            "amount": row.amount,
            "captured": row.captured,
            "refunded": row.refunded,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        },
    )
    for refund_id, refund in row.refunds.items():
        yield (
            REFUNDS,
            {
                "refund_id": refund_id,
                "payment_id": row.payment_id,
                "booking_id": row.booking_id,
                "status": refund.status,
                "reason": code(refund.reason),
                "error": code(refund.error),
                "currency": row.currency,
                "provider_refund_id": refund.provider_refund_id,
                "amount": refund.amount,
            },
        )


def receipt(key: str, value: bytes) -> Cells:
    row = _receipt.decode(value)
    yield (
        RECEIPTS,
        {
            "receipt_id": row.receipt_id,
            "number": row.number,
            "payment_id": row.payment_id,
            "booking_id": row.booking_id,
            "user_id": row.user_id,
            "currency": row.currency,
            "amount": row.amount,
            "paid_at": row.paid_at,
            "requested_at": row.requested_at,
            "generated_at": row.generated_at,
        },
    )


def usage(key: str, value: bytes) -> Cells:
    row, of = _usage.decode(value), of_resource(key)
    yield (
        USAGE,
        {
            **of,
            "last_currency": row.last_currency,
            "bookings": row.bookings,
            "units": row.units,
            "last_price": row.last_price,
            "last_booked_at": row.last_booked_at,
        },
    )
    for rate_plan, part in row.plans.items():
        yield USAGE_BY_PLAN, {**of, "rate_plan": rate_plan, "bookings": part.bookings, "units": part.units}
        for currency, revenue in part.revenue.items():
            yield REVENUE, {**of, "rate_plan": rate_plan, "currency": currency, "revenue": revenue}


def booked(key: str, value: bytes) -> Cells:
    resource, _, booking_id = key.partition("|")
    row = _applied.decode(value)
    yield (
        BOOKED_AT,
        {
            **of_resource(resource),
            "booking_id": booking_id,
            "currency": row.price_currency,
            "units": row.units,
            "price": row.price_amount,
            "applied_at": row.applied_at,
        },
    )


def price_change(key: str, value: bytes) -> Cells:
    """`{resource}|{milliseconds}|{offset}`: the base price or a plan from a time on, withdrawn without rules."""
    row = _change.decode(value)
    of_plan = row.plan.base if row.plan is not None else None
    yield (
        PRICES,
        {
            **of_resource(key.partition("|")[0]),
            "rate_plan": row.rate_plan,
            "currency": row.terms.price_currency if row.terms is not None else row.currency,
            "rules": msgspec.json.encode(row.plan).decode() if row.plan is not None else None,
            "base_price": row.terms.price_amount if row.terms is not None else of_plan,
            "at": row.at,
        },
    )


PAYMENT_KINDS = {"p": Kind(payment, PAYMENTS, (REFUNDS,))}
RECEIPT_KINDS = {"q": Kind(receipt, RECEIPTS)}
RATE_KINDS = {
    "u": Kind(usage, USAGE, (USAGE_BY_PLAN, REVENUE)),
    "b": Kind(booked, BOOKED_AT),
    "c": Kind(price_change, PRICES),
}
