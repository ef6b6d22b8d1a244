"""The services: each decides what stands in one inbox, keeps its rows in one changelog, and may ask for effects."""

from __future__ import annotations

from dataclasses import dataclass

from streams.events import (
    Event,
    analytics,
    availability,
    booking,
    hooks,
    night_rules,
    notices,
    payment,
    rate,
    rate_plans,
    receipts,
    records,
    users,
    waitlist,
)
from streams.topics import DAY_MS, LARGE, Topic


@dataclass(frozen=True, slots=True)
class Service:
    """A stateful service: one inbox it alone decides, one changelog of its rows, perhaps effects outside."""

    name: str
    key: str
    accepts: tuple[type[Event], ...]
    effects: tuple[type[Event], ...] = ()
    #: Of its effects, where calls of one key of the inbox need not be made in order.
    effects_key: str = ""
    #: Part of every name of its topics, where several instances share a cluster.
    namespace: str = ""

    @property
    def inbox(self) -> str:
        return internal_name(f"{self.name}.inbox", self.namespace)

    @property
    def rows(self) -> str:
        return internal_name(f"{self.name}.rows", self.namespace)

    @property
    def effects_topic(self) -> str:
        return internal_name(f"{self.name}.effects", self.namespace)


def internal_name(name: str, namespace: str) -> str:
    """The name of a topic that no document names: vacancy.NAME, or vacancy.NAMESPACE.NAME."""
    return f"vacancy.{namespace}.{name}" if namespace else f"vacancy.{name}"


BOOKING = Service(
    name="booking",
    key="booking_id",
    accepts=(
        booking.RequestBooking,
        booking.ChangeBooking,
        booking.CancelBooking,
        booking.CheckIn,
        booking.CheckOut,
        booking.MarkNoShow,
        booking.DeadlinePassed,
        booking.StayDue,
        booking.LineReserved,
        booking.LineRejected,
        booking.PaymentAuthorized,
        booking.PaymentDeclined,
        booking.PaymentCaptured,
        booking.CaptureFailed,
        booking.PaymentRefunded,
        booking.LineReleased,
        booking.PaymentVoided,
        booking.CancellationCounted,
        booking.RefundCut,
    ),
)
AVAILABILITY = Service(
    name="availability",
    key="resource",
    accepts=(
        availability.DeclareResource,
        night_rules.SetCalendar,
        night_rules.SetBlock,
        night_rules.RemoveBlock,
        night_rules.BlockDue,
        availability.Hold,
        availability.ConfirmHold,
        availability.Release,
        rate_plans.DeclareRatePlan,
        rate_plans.WithdrawRatePlan,
        waitlist.JoinWaitlist,
        waitlist.LeaveWaitlist,
        waitlist.EntryDue,
        waitlist.OfferNights,
        availability.Shorten,
    ),
)
PAYMENT = Service(
    name="payment",
    key="payment_id",
    accepts=(
        payment.Authorize,
        payment.Capture,
        payment.Void,
        payment.Refund,
        payment.Settle,
        payment.ProviderAnswered,
        payment.AuthorizationExpired,
        payment.CallParked,
        payment.CallDue,
    ),
    effects=(payment.ProviderCall,),
)
USER = Service(
    name="user",
    key="user_id",
    accepts=(users.RegisterUser, users.ChangeUser, users.EraseUser, users.UserForgotten),
    effects=(users.ForgetUser,),
)
RECORD = Service(name="record", key="record_id", accepts=(records.OpenRecord, records.ChangeRecord))
NOTIFICATION = Service(
    name="notification",
    key="user_id",
    accepts=(
        notices.Notify,
        notices.MailHandedOver,
        notices.SmsHandedOver,
        notices.NoticeParked,
        notices.NoticeDue,
        notices.MarkRead,
        notices.MarkAllRead,
        notices.SetPreferences,
        notices.PlanReminder,
        notices.ReminderDue,
    ),
    effects=(notices.SendMail, notices.SendSms),
)
RECEIPT = Service(
    name="receipt",
    key="payment_id",
    accepts=(receipts.RequestReceipt, receipts.ReceiptWritten),
    effects=(receipts.WriteReceipt,),
)
RATE = Service(
    name="rate",
    key="resource",
    accepts=(rate.RecordRate, rate.ReviewRate, rate.KeepRates, rate.ReviewPlan),
)
ANALYTICS = Service(
    name="analytics",
    key="entity_id",
    accepts=(
        analytics.Observe,
        analytics.SetAlert,
        analytics.RemoveAlert,
        analytics.WatchFigures,
        analytics.FiguresMoved,
    ),
)
WEBHOOK = Service(
    name="webhook",
    key="endpoint_id",
    accepts=(
        hooks.AddEndpoint,
        hooks.ChangeEndpoint,
        hooks.RotateSecret,
        hooks.RemoveEndpoint,
        hooks.Deliver,
        hooks.Redeliver,
        hooks.DeliveryDue,
        hooks.ForgetDeliveries,
        hooks.DeliveryAnswered,
    ),
    effects=(hooks.SendWebhook,),
    effects_key="endpoint_id/delivery_id",
)

SERVICES = {
    service.name: service
    for service in (BOOKING, AVAILABILITY, PAYMENT, USER, RECORD, NOTIFICATION, RECEIPT, RATE, ANALYTICS, WEBHOOK)
}
#: Services that run under every layout, named by its document or not.
CORE = ("booking", "availability", "payment", "user", "record", "gate")
#: Consumers without rows: they read and pass on, or write files (`agents.gate`, `agents.mail`, `agents.sinks`).
STATELESS = ("gate", "mail", "integration", "logging", "archive")
#: Groups nobody waits for: they let records gather, because what comes one by one costs a hundred times as much.
PATIENT = frozenset({"gate", "notification", "receipt", "rate", "analytics", "webhook", *STATELESS})


def service_topics(service: Service, partitions: int) -> tuple[Topic, ...]:
    """The topics a stateful service needs, all with the same number of partitions."""
    topics = [
        Topic(service.inbox, partitions, service.accepts, service.key, log_append_time=True),
        Topic(service.rows, partitions, compacted=True, max_message_bytes=LARGE),
    ]
    if service.effects:
        key = service.effects_key or service.key
        topics.append(Topic(service.effects_topic, partitions, service.effects, key, 7 * DAY_MS))
    return tuple(topics)
