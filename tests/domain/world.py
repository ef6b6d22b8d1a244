"""The three services, a provider and a bus in memory: every message is delivered some time, perhaps twice, in any order
that the inboxes allow — or, if `unordered`, in any order at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import NAMESPACE_OID, uuid5

import msgspec

from domain import booking, payment
from domain.booking import Booking
from domain.payment import Payment
from streams.events import Event
from streams.events.availability import ConfirmHold, Hold, Release, Shorten
from streams.events.booking import (
    CancelBooking,
    CancellationCounted,
    CaptureFailed,
    ChangeBooking,
    CheckIn,
    CheckOut,
    DeadlinePassed,
    LineRejected,
    LineReleased,
    LineReserved,
    MarkNoShow,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    RefundCut,
    RequestBooking,
)
from streams.events.booking_news import BookingCancelled, BookingConfirmed, BookingNoShow, BookingUpdated
from streams.events.payment import Authorize, Capture, ProviderAnswered, ProviderCall, Refund, Void
from tests.domain.messages import DEADLINE, NOW
from tests.domain.provider import Card, Provider
from tests.domain.services import RowOf, Shelf

ToBooking = (
    RequestBooking
    | ChangeBooking
    | CheckIn
    | CheckOut
    | MarkNoShow
    | CancelBooking
    | DeadlinePassed
    | LineReserved
    | LineRejected
    | PaymentAuthorized
    | PaymentDeclined
    | PaymentCaptured
    | CaptureFailed
    | PaymentRefunded
    | LineReleased
    | PaymentVoided
    | CancellationCounted
    | RefundCut
)
ToPayment = Authorize | Capture | Void | Refund | ProviderAnswered
ToAvailability = Hold | ConfirmHold | Release | Shorten


@dataclass(frozen=True)
class Message:
    id: str
    event: Event


def inbox_of(event: Event) -> tuple[str, str] | None:
    """The inbox and key a message goes to; None for what only the world hears."""
    if isinstance(event, ToBooking):
        return "booking", event.booking_id
    if isinstance(event, ToAvailability):
        return "availability", f"{event.provider_id}/{event.product_id}"
    if isinstance(event, ToPayment):
        return "payment", event.payment_id
    return ("effects", event.payment_id) if isinstance(event, ProviderCall) else None


@dataclass
class World:
    """`say` puts a message on the bus, `run` delivers until nothing is under way."""

    random: Random
    cards: dict[str, Card]
    #: Deliver what is under way in any order, not in the order of each inbox.
    unordered: bool = False
    #: The provider's first answer may be misreported as a refusal, and the right one come later.
    contrary: bool = False
    #: The deadline may pass while answers are still under way.
    slow: bool = False
    now: datetime = NOW
    shelf: Shelf = field(default_factory=Shelf)
    provider: Provider = field(default_factory=Provider)
    bookings: dict[str, RowOf[Booking]] = field(default_factory=dict)
    payments: dict[str, RowOf[Payment]] = field(default_factory=dict)
    #: Everything that was ever said, in order.
    log: list[Event] = field(default_factory=list)
    #: What the log held when a payment was captured at the provider.
    captured_at: dict[str, int] = field(default_factory=dict)
    #: What was paid when a booking was cancelled, or its guest did not come, less what was to go back for that.
    left: dict[str, Decimal] = field(default_factory=dict)
    #: The lowest price a change made of a booking.
    cheapest: dict[str, Decimal] = field(default_factory=dict)
    under_way: dict[tuple[str, str], list[Message]] = field(default_factory=dict)

    def say(self, *events: Event, cause: str = "outside") -> None:
        messages = [
            Message(str(uuid5(NAMESPACE_OID, f"{cause}/{event.event_type}/{index}/{event}")), event)
            for index, event in enumerate(events)
        ]
        for message in messages:
            self.log.append(message.event)
            self._note(message.event)
            self._send(message)
        for message in messages:
            if isinstance(message.event, BookingCancelled):  # what analytics does about it
                self.say(CancellationCounted(booking_id=message.event.booking_id), cause=message.id)

    def run(self, later: Iterable[Event] = ()) -> None:
        """Delivers everything; what is said `later` comes in between, in its order but at random moments."""
        waiting, pace = list(later), self.random.choice([0.03, 0.1, 0.5])
        while waiting or any(self.under_way.values()):
            if waiting and self.random.random() < pace:
                self.say(waiting.pop(0))
            if self.slow and self.random.random() < 0.01:
                self.now = max(self.now, DEADLINE)
            if queues := [name for name, queue in self.under_way.items() if queue]:
                self._deliver(self.random.choice(queues))

    def expire(self) -> None:
        """The deadline of every booking passes, and every clock says so."""
        self.now = max(self.now, DEADLINE)
        self.say(*(DeadlinePassed(booking_id=booking_id) for booking_id in self.bookings))
        self.run()

    def _note(self, event: Event) -> None:
        if isinstance(event, BookingCancelled | BookingNoShow) and event.booking_id not in self.left:
            ended = self.bookings[event.booking_id].state
            back = event.refund_amount or Decimal(0)
            # Before a guest is in the house a deposit is all that was asked for, since a cheaper change less.
            asked = ended.price_amount - ended.balance if ended.deposit is None else ended.deposit
            self.left[event.booking_id] = min(asked, self.cheapest.get(event.booking_id, asked)) - back
        if isinstance(event, BookingUpdated):
            known = self.cheapest.get(event.booking_id, event.price_amount)
            self.cheapest[event.booking_id] = min(known, event.price_amount)

    def _send(self, message: Message) -> None:
        if inbox := inbox_of(message.event):
            self.under_way.setdefault(inbox, []).append(message)

    def _deliver(self, inbox: tuple[str, str]) -> None:
        queue = self.under_way[inbox]
        message = queue.pop(self.random.randrange(len(queue)) if self.unordered else 0)
        if self.random.random() < 0.2:  # under a new offset, behind whatever came in between
            self._send(message)
        self.now += timedelta(seconds=self.random.randrange(5))
        self.say(*self._take(inbox, message), cause=message.id)

    def _take(self, inbox: tuple[str, str], message: Message) -> tuple[Event, ...]:
        service, key = inbox
        match service:
            case "booking":
                return self.bookings.setdefault(key, RowOf(Booking, booking.decide)).take(message.event, self.now)
            case "payment":
                return self.payments.setdefault(key, RowOf(Payment, payment.decide)).take(message.event, self.now)
            case "availability":
                return self.shelf.take(message.event, self.now)
            case _:
                assert isinstance(message.event, ProviderCall)
                return self._call(message.id, message.event)

    def _call(self, effect_id: str, call: ProviderCall) -> tuple[Event, ...]:
        if call.operation == "capture":
            self.captured_at.setdefault(call.payment_id, len(self.log))
        answer = self.provider.ask(effect_id, call, self.cards[call.payment_id])
        if self.contrary and call.operation != "refund" and self.random.random() < 0.3:
            return msgspec.structs.replace(answer, approved=False, provider_reference=None, error_code="lost"), answer
        return (answer,)

    def confirmed_at(self, booking_id: str) -> int:
        """The place on the log where a booking was confirmed; beyond its end if it never was."""
        places = (
            place
            for place, event in enumerate(self.log)
            if isinstance(event, BookingConfirmed) and event.booking_id == booking_id
        )
        return next(places, len(self.log))

    def payments_of(self, booking_id: str) -> list[Payment]:
        found = (row.found for row in self.payments.values())
        return [payment for payment in found if payment is not None and payment.booking_id == booking_id]

    def given_by_operators(self, booking_id: str) -> Decimal:
        records = [record for payment in self.payments_of(booking_id) for record in payment.refunds.values()]
        given = (record.amount for record in records if record.ordered_by == "operator" and record.status == "refunded")
        return sum(given, Decimal(0))
