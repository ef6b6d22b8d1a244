"""The five layouts as the auditor reads them: which topic carries what, and where each document shows it.

Written from the documents and from what they leave open (`docs/layouts.md`), not from the platform's layouts.
"""

from __future__ import annotations

from typing import Final

from cli.audit import names
from cli.audit.dialect import Dialect, Path
from cli.audit.wire import Body

_REFUNDED = "payment.payment.refunded"
_SUCCEEDED = "payment.payment.succeeded"
_FAILED = "payment.payment.failed"

_CATALOGUE_TOPICS = (
    names.CREATED,
    names.UPDATED,
    names.CANCELLED,
    names.CONFIRMED,
    names.REJECTED,
    names.EXPIRED,
    names.PAYMENT_CREATED,
    _SUCCEEDED,
    _FAILED,
    _REFUNDED,
    "receipt.receipt.generated",
    "notification.email.sent",
    "notification.sms.sent",
    "analytics.event.tracked",
    "user.user.created",
    "user.user.updated",
    "availability.night.updated",
    "availability.night.overbooked",
    "rate.rate.updated",
    "rate.rate.applied",
)

CATALOGUE: Final = Dialect(
    name="catalogue",
    topics={kind: {kind: (kind,)} for kind in _CATALOGUE_TOPICS},
    gate="vacancy-gate",
)


def _camp_kind(body: Body, topic: str) -> str:
    """The document writes "BookingCreated" in its sample and "BookingCreatedEvent" in its pictures."""
    return str(body.get("EventType")).removesuffix("Event")


def _flat(**fields: str) -> dict[str, tuple[Path, ...]]:
    return {field: ((name,),) for field, name in fields.items()}


CAMPSITE: Final = Dialect(
    name="campsite",
    topics={
        "booking-events": {
            "BookingCreated": (names.CREATED,),
            "BookingConfirmed": (names.CONFIRMED,),
            "BookingCancelled": (names.CANCELLED,),
            "BookingCompleted": (names.COMPLETED,),
        },
        "user-events": {"UserCreated": ("user.user.created",), "UserUpdated": ("user.user.updated",)},
        "payment-events": {"PaymentProcessed": (_SUCCEEDED,), "RefundProcessed": (_REFUNDED,)},
    },
    gate="vacancy-gate",
    kind_of=_camp_kind,
    id=("EventId",),
    fields=_flat(
        booking_id="BookingId",
        payment_id="PaymentId",
        refund_amount="RefundAmount",
        cancellation_reason="CancellationReason",
        price_amount="TotalPrice",
    )
    | {"user_id": (("GuestId",), ("UserId",))},
    weak=True,
)

HOTEL: Final = Dialect(
    name="hotel",
    topics={
        topic: {topic: (kind,)}
        for topic, kind in {
            "reservation.created": names.CREATED,
            "reservation.confirmed": names.CONFIRMED,
            "reservation.modified": names.UPDATED,
            "reservation.cancelled": names.CANCELLED,
            "reservation.cancellation_completed": "booking.booking.cancellation_completed",
            "reservation.checkin": names.CHECKED_IN,
            "reservation.checkout": names.COMPLETED,
            "payment.initiated": names.PAYMENT_CREATED,
            "payment.authorized": "payment.payment.authorized",
            "payment.captured": _SUCCEEDED,
            "payment.failed": _FAILED,
            "payment.refunded": _REFUNDED,
            "payment.settled": "payment.payment.settled",
            "rate.updated": "rate.rate.updated",
            "rate.applied": "rate.rate.applied",
            "availability.updated": "availability.night.updated",
            "availability.overbooked": "availability.night.overbooked",
            "analytics.reservation": "analytics.event.tracked",
        }.items()
    },
    gate="vacancy-gate",
    kind_of=lambda body, topic: str(body.get("eventType")),
    id=("eventId",),
    fields={
        "booking_id": (("stayDetails", "reservationId"), ("reservationId",)),
        "payment_id": (("paymentId",), ("pricingDetails", "paymentId")),
        "user_id": (("guestDetails", "guestId"),),
        "refund_amount": (("pricingDetails", "refundAmount"),),
        "cancellation_reason": (("stayDetails", "reason"),),
        "price_amount": (("pricingDetails", "totalPrice"),),
    },
)

ORDERS: Final = Dialect(
    name="orders",
    topics={
        topic: {topic: (kind,)}
        for topic, kind in {
            "order_created": names.CREATED,
            "payment_successful": _SUCCEEDED,
            "payment_failed": _FAILED,
            "inventory_updated": names.STOCK_NEWS,
            "notification_sent": "notification.email.sent",
        }.items()
    },
    gate="vacancy-gate",
    kind_of=lambda body, topic: topic,
    fields=_flat(booking_id="order_id", payment_id="payment_id", price_amount="total_amount"),
)


def _clinic_kind(body: Body, topic: str) -> str:
    """What happened to it, and of an appointment what it is now. The guide's handler for "deleted" has no action."""
    action = "cancelled" if body.get("action") == "deleted" else str(body.get("action"))
    if topic != "appointment-events":
        return action
    status = str(body.get("status") or "scheduled")
    if "cancelled" in (action, status):
        return "cancelled"
    return action if action == "created" else f"{action}/{status}"


def _records(what: str, *actions: str) -> dict[str, tuple[str, ...]]:
    return {action: (f"{names.RECORD_NEWS}{what}.{action}",) for action in actions}


CLINIC: Final = Dialect(
    name="clinic",
    topics={
        "appointment-events": {
            "created": (names.CREATED,),
            "updated/scheduled": (names.UPDATED,),
            "updated/confirmed": (names.CONFIRMED, names.UPDATED),
            "updated/completed": (names.COMPLETED,),
            # The guide knows no other end.
            "cancelled": (names.CANCELLED, names.REJECTED, names.EXPIRED),
        },
        "prescription-events": _records("prescription", "created", "updated", "cancelled"),
        "order-events": _records("order", "created", "updated", "shipped", "delivered"),
        "health-record-events": _records("health", "created", "updated"),
    },
    gate="vacancy-gate",
    kind_of=_clinic_kind,
    fields=_flat(booking_id="appointmentId"),
    unsaid={"price_amount": 0, "refund_amount": 0, "cancellation_reason": ""},
)

DIALECTS: Final = {each.name: each for each in (CATALOGUE, CAMPSITE, ORDERS, HOTEL, CLINIC)}
