"""What the receipt service decides: one receipt for each payment that succeeded, with a number nobody else has.

It is told with the request that asks for it, and a second request says nothing; its page is made when somebody reads
it. Under the rules 1 it was written outside first, and told with the first answer.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from domain.decision import Decision
from streams.events import Envelope, Event
from streams.events.about import About
from streams.events.ids import ids_under
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentSucceeded
from streams.events.receipts import ReceiptGenerated, ReceiptWritten, RequestReceipt, WriteReceipt

#: The rules that new requests are decided by.
RULES = 2

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("c6f1c3a9-91d4-5f3e-b0a6-5b1e8c9d7f42"))


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The receipt of one payment."""

    receipt_id: str
    number: str
    payment_id: str
    booking_id: str
    user_id: str
    amount: Decimal
    currency: str
    paid_at: datetime
    #: What was paid for.
    about: About | None = None
    requested_at: datetime
    #: What was paid with; None under the rules 1.
    method: PaymentMethod | None = None
    #: When it was told; None until then.
    generated_at: datetime | None = None


class Counter(msgspec.Struct, frozen=True):
    """How many numbers a partition has given."""

    given: int = 0

    def number(self, partition: int, partitions: int, year: int) -> str:
        """The next number: every partition counts in steps of `partitions` from its own place, so none is given twice.

        The count goes on from year to year.
        """
        return f"RCP-{year}-{self.given * partitions + partition + 1:06d}"


def receipt_request_of(news: Envelope) -> RequestReceipt | None:
    """A request for each payment that succeeded; other news the service is given asks for nothing."""
    paid = news.data
    if not isinstance(paid, PaymentSucceeded):
        return None
    return RequestReceipt(
        payment_id=paid.payment_id,
        booking_id=paid.booking_id,
        user_id=paid.user_id,
        amount=paid.amount,
        currency=paid.currency,
        paid_at=paid.succeeded_at,
        about=paid.about,
        method=paid.payment_method,
        rules=RULES,
    )


def receipt_id_of(payment_id: str) -> str:
    """The receipt of a payment."""
    return _id_of(payment_id)


def decide(receipt: Receipt | None, message: Event, number: str, now: datetime) -> Decision[Receipt | None]:
    """The receipt after `message` and what follows; a new one takes `number`. Total."""
    match message:
        case RequestReceipt() if receipt is None:
            return _open(message, number, now)
        case ReceiptWritten() if receipt is not None and receipt.generated_at is None:
            return _tell(receipt, now)
        case _:
            return Decision(receipt)


def _open(asked: RequestReceipt, number: str, now: datetime) -> Decision[Receipt | None]:
    receipt = Receipt(
        receipt_id=receipt_id_of(asked.payment_id),
        number=number,
        payment_id=asked.payment_id,
        booking_id=asked.booking_id,
        user_id=asked.user_id,
        amount=asked.amount,
        currency=asked.currency,
        paid_at=asked.paid_at,
        about=asked.about,
        method=asked.method,
        requested_at=now,
    )
    if asked.rules >= 2:
        return _tell(receipt, now)
    write = WriteReceipt(
        payment_id=asked.payment_id,
        receipt_id=receipt.receipt_id,
        receipt_number=number,
        booking_id=asked.booking_id,
        user_id=asked.user_id,
        amount=asked.amount,
        currency=asked.currency,
        paid_at=asked.paid_at,
        about=asked.about,
    )
    return Decision(receipt, (write,))


def _tell(receipt: Receipt, now: datetime) -> Decision[Receipt | None]:
    told = ReceiptGenerated(
        receipt_id=receipt.receipt_id,
        payment_id=receipt.payment_id,
        booking_id=receipt.booking_id,
        user_id=receipt.user_id,
        receipt_number=receipt.number,
        receipt_url=f"/api/receipts/{receipt.receipt_id}",
        amount=receipt.amount,
        currency=receipt.currency,
        generated_at=now,
        about=receipt.about,
    )
    return Decision(msgspec.structs.replace(receipt, generated_at=now), (told,))
