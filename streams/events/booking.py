"""Bookings: what is asked of one, and what answers it. What the world hears stands in `booking_news`."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from streams.events.about import ConfirmOn, Kind, Line, Location
from streams.events.base import Amount, Count, Currency, Event, Id, Instant, Sealed, Whole
from streams.events.policy import CancellationPolicy
from streams.events.stay import StayTimes

#: What new requests are decided by. 2: a cancellation is followed until all is done, and who leaves early gives nights
#: back.
RULES = 2

# --- asked of the booking service (its inbox, keyed by booking_id) ---


class RequestBooking(Event, type="booking.booking.request"):
    """The originating event of a booking, as the gateway accepted it."""

    booking_id: Id
    kind: Kind
    #: SHA-256 of the request's body: a retry with the same key must ask for the same thing.
    fingerprint: str
    confirmation_number: str
    user_id: Id
    #: The guest's name, e-mail and phone as JSON, encrypted under the user's key.
    guest: Sealed | None = None
    lines: Annotated[tuple[Line, ...], Meta(min_length=1)]
    price_amount: Amount
    price_currency: Currency
    #: The provider's token of the payment method, encrypted under the user's key.
    payment_token: Sealed
    #: When a booking that is still PENDING expires.
    deadline: Instant
    #: Cancelling before this instant costs nothing; from then on nothing is given back. With a policy it is the
    #: beginning that its tiers are counted back from.
    free_until: Instant
    location: Location | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    confirm_on: ConfirmOn = "payment.authorized"
    #: Whether it is paid here; otherwise at the desk, and nothing is taken.
    prepaid: bool = True
    time_zone: str = "UTC"
    details: dict[str, Any] = field(default_factory=dict)
    #: What cancelling costs, as it was declared when this was asked for.
    policy: CancellationPolicy | None = None
    #: The version of the rules it is decided by: what stands on the log already is decided as before.
    rules: Count = 1
    #: Another program told the world of it already, by the event that asks for it.
    announced: bool = False
    #: Why it cannot be booked as it came, found at entry: it is opened and REJECTED at once.
    refusal: str | None = None
    #: When it may begin and end; None where no calendar says.
    times: StayTimes | None = None
    #: What of the price is taken now; the rest at check-in. None: the whole price.
    deposit_amount: Amount | None = None
    #: Whether `guest` has a telephone number that a text message can be sent to.
    phone: bool = False


class ChangeBooking(Event, type="booking.booking.change"):
    """Other lines at another price, or other personal data and details; what is None stays."""

    booking_id: Id
    #: The revision this makes: one that is taken already was made by another change.
    revision: Whole
    #: The message of another program that asks for it: each is taken once.
    message_id: str | None = None
    lines: tuple[Line, ...] | None = None
    price_amount: Amount | None = None
    #: When a change that inventory did not answer is given up.
    deadline: Instant
    free_until: Instant | None = None
    guest: Sealed | None = None
    #: Whether `guest`, where there is one, has a telephone number that a text message can be sent to.
    phone: bool = False
    #: Under whose key `guest` is sealed; None stands for the booking's user.
    user_id: Id | None = None
    details: dict[str, Any] | None = None
    #: Of the other lines, where there are any.
    times: StayTimes | None = None
    #: What a higher price is paid with, encrypted under the user's key; without it, a change may not cost more.
    payment_token: Sealed | None = None


class CheckIn(Event, type="booking.booking.check_in"):
    booking_id: Id


class CheckOut(Event, type="booking.booking.check_out"):
    booking_id: Id


class MarkNoShow(Event, type="booking.booking.mark_no_show"):
    booking_id: Id


class CancelBooking(Event, type="booking.booking.cancel"):
    booking_id: Id
    reason: str
    cancelled_by: str
    #: The fee the caller was quoted: at another one it is not cancelled.
    expected_fee: Amount | None = None


class DeadlinePassed(Event, type="booking.deadline.passed"):
    """A tick: some clock believes the deadline is over. The row and the record's time decide whether it is."""

    booking_id: Id


class StayDue(Event, type="booking.stay.due"):
    """A tick: some clock believes that a stay's next step is due, no-show or check-out. The row and the record's time
    decide whether it is.
    """

    booking_id: Id
    #: When it was due, by the index that the clock looked at.
    due: Instant


class LineReserved(Event, type="booking.line.reserved"):
    booking_id: Id
    revision: Whole
    line: Whole


class LineRejected(Event, type="booking.line.rejected"):
    booking_id: Id
    revision: Whole
    line: Whole
    reason: str


class LineReleased(Event, type="booking.line.released"):
    """Nothing is held any more under this revision of a line."""

    booking_id: Id
    revision: Whole
    line: Whole


class PaymentAuthorized(Event, type="booking.payment.authorized"):
    booking_id: Id
    revision: Whole
    payment_id: Id


class PaymentDeclined(Event, type="booking.payment.declined"):
    booking_id: Id
    revision: Whole
    payment_id: Id
    reason: str


class PaymentCaptured(Event, type="booking.payment.captured"):
    booking_id: Id
    revision: Whole
    payment_id: Id
    amount: Amount


class CaptureFailed(Event, type="booking.payment.capture_failed"):
    booking_id: Id
    revision: Whole
    payment_id: Id
    reason: str


class PaymentRefunded(Event, type="booking.payment.refunded"):
    booking_id: Id
    payment_id: Id
    refund_id: Id
    amount: Amount


class PaymentVoided(Event, type="booking.payment.voided"):
    """The authorization is ended: no money is blocked for it any more."""

    booking_id: Id
    payment_id: Id


class CancellationCounted(Event, type="booking.cancellation.counted"):
    """Analytics has the cancellation in its figures."""

    booking_id: Id


class RefundCut(Event, type="booking.payment.refund_cut"):
    """Less was left of a payment than policy ordered back: `missing` has to come from another one."""

    booking_id: Id
    payment_id: Id
    refund_id: Id
    missing: Amount
    #: Nothing of it is given.
    refused: bool = False
