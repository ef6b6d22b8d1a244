"""A synthetic instance, step by step: each step says what the platform's parts would say.

It decides nothing: a test says what happens, and may leave a step out or say it wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cli.audit import names
from cli.audit.dialect import Dialect
from cli.audit.dialects import CATALOGUE
from tests.cli.audit.writer import Writer, iso

DEADLINE = timedelta(minutes=10)
UNIT = "PROP-001/standard"
PRICE = Decimal("199.90")


@dataclass
class Ids:
    """The event ids of one booking's steps, by their type."""

    number: int
    price: Decimal
    payment_id: str
    last: dict[str, str] = field(default_factory=dict)


class Story(Writer):
    """The steps of resources, bookings and payments."""

    def __init__(self, dialect: Dialect = CATALOGUE, namespace: str = "") -> None:
        super().__init__(dialect, namespace)
        self.bookings: dict[str, Ids] = {}

    def declare(self, capacity: int, unit: str = UNIT, **more: Any) -> None:
        data = {**_resource(unit), "capacity": capacity, "price_amount": 99.95, "price_currency": "EUR", **more}
        self.say(names.AVAILABILITY_INBOX, "availability.resource.declare", data, key=unit)

    def calendar(self, first: str, after: str, unit: str = UNIT, **rules: Any) -> None:
        data = {**_resource(unit), "from_date": first, "to_date": after, **rules}
        self.say(names.AVAILABILITY_INBOX, "availability.calendar.set", data, key=unit)

    def block(self, units: int, first: str, after: str, unit: str = UNIT, release_at: str | None = None) -> None:
        data = {**_resource(unit), "block_id": "boiler", "from_date": first, "to_date": after, "units": units}
        more = {"reason": "group" if release_at else "maintenance", "release_at": release_at}
        self.say(names.AVAILABILITY_INBOX, "availability.block.set", {**data, **more}, key=unit)

    def request(self, name: str, price: Decimal = PRICE, *, cause: str | None = None, **terms: Any) -> None:
        """A booking is asked for, and the world is told unless it was before. `terms` are further fields of it."""
        ids = Ids(len(self.bookings), price, f"pay-{name}")
        self.bookings[name] = ids
        money = {"price_amount": float(price), "price_currency": "EUR"}
        data = {"booking_id": name, "deadline": iso(self.now + DEADLINE), **money, **terms}
        ids.last["request"] = self.say(names.BOOKING_INBOX, "booking.booking.request", data, key=name, cause=cause)
        if not terms.get("announced"):
            self.world(name, names.CREATED, cause="request", **money)

    def hold(
        self,
        name: str,
        start: str,
        nights: int,
        quantity: int = 1,
        *,
        line: int = 1,
        unit: str = UNIT,
        revision: int = 1,
        cause: str = "request",
    ) -> None:
        begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
        data = {
            **_resource(unit),
            **{"booking_id": name, "revision": revision, "line": line, "quantity": quantity},
            **{"start": iso(begin), "end": iso(begin + (timedelta(days=nights) or timedelta(minutes=15)))},
        }
        ids = self.bookings[name].last
        ids["hold"] = self.say(names.AVAILABILITY_INBOX, "availability.line.hold", data, key=unit, cause=ids[cause])

    def sell(self, name: str, cause: str, *, line: int = 1, unit: str = UNIT, revision: int = 1) -> None:
        """The hold is confirmed."""
        self._end_hold("confirm", name, cause, line, unit, revision)

    def release(self, name: str, cause: str, *, line: int = 1, unit: str = UNIT, revision: int = 1) -> None:
        self._end_hold("release", name, cause, line, unit, revision)

    def _end_hold(self, what: str, name: str, cause: str, line: int, unit: str, revision: int) -> None:
        data = {**_resource(unit), "booking_id": name, "revision": revision, "line": line}
        why = self.bookings[name].last[cause]
        self.say(names.AVAILABILITY_INBOX, f"availability.line.{what}", data, key=unit, cause=why)

    def answer(self, name: str, what: str, *, cause: str, **data: Any) -> None:
        """Something is told to the booking: "line.reserved", "payment.captured"..."""
        ids = self.bookings[name]
        if what.startswith("payment"):
            data = {"payment_id": ids.payment_id, **data}
        kind, about = f"booking.{what}", {"booking_id": name, "revision": 1}
        ids.last[what] = self.say(names.BOOKING_INBOX, kind, about | data, key=name, cause=ids.last[cause])

    def reserved(self, name: str, *, line: int = 1, revision: int = 1) -> None:
        self.answer(name, "line.reserved", cause="hold", line=line, revision=revision)

    def pay(self, name: str, what: str, *, cause: str | None, **data: Any) -> None:
        """Something is asked of the payment: "authorize", "capture", "void", "refund"."""
        ids = self.bookings[name]
        kind, about = f"payment.payment.{what}", {"payment_id": ids.payment_id, "booking_id": name, "revision": 1}
        why = ids.last[cause] if cause else None
        ids.last[what] = self.say(names.PAYMENT_INBOX, kind, about | data, key=ids.payment_id, cause=why)

    def ordered(self, name: str, what: str, *, attempt: int = 0, refund_id: str = "") -> str:
        """A call is ordered, perhaps once more; its id, by which the provider knows it."""
        ids = self.bookings[name]
        order = {"payment_id": ids.payment_id, "operation": what, "refund_id": refund_id or None, "attempt": attempt}
        if attempt:
            order["call_id"] = ids.last[f"call to {what}"]
        effect = self.say(names.PAYMENT_EFFECTS, "payment.effect.call", order, key=ids.payment_id, cause=ids.last[what])
        ids.last[f"effect to {what}"] = effect
        return ids.last.setdefault(f"call to {what}", effect) if attempt else effect

    def parked(self, name: str, what: str, *, attempt: int = 0) -> None:
        """A call is ordered, and gets no answer."""
        ids = self.bookings[name]
        call = ids.last[f"call to {what}"] = self.ordered(name, what, attempt=attempt)
        told = {"payment_id": ids.payment_id, "call_id": call, "attempt": attempt, "call": {"operation": what}}
        cause = ids.last[f"effect to {what}"]
        self.say(names.PAYMENT_INBOX, "payment.effect.parked", told, key=ids.payment_id, cause=cause)

    def provider_again(self, name: str, what: str, entry: str) -> None:
        """A parked call is due, ordered again and answered."""
        ids = self.bookings[name]
        ids.last[what] = self.say(
            names.PAYMENT_INBOX, "payment.call.due", {"payment_id": ids.payment_id}, key=ids.payment_id
        )
        call = self.ordered(name, what, attempt=1)
        self.enter(entry, ids.payment_id, ids.price, key=call)
        said = {"payment_id": ids.payment_id, "operation": what, "effect_id": call, "approved": True}
        effect = ids.last[f"effect to {what}"]
        ids.last[f"answer to {what}"] = self.say(
            names.PAYMENT_INBOX, "payment.effect.answered", said, key=ids.payment_id, cause=effect
        )

    def provider(self, name: str, what: str, entry: str, *, amount: Decimal | None = None, refund_id: str = "") -> None:
        """One call to the provider: the order, the ledger's line, the answer."""
        ids = self.bookings[name]
        order = {"payment_id": ids.payment_id, "operation": what, "refund_id": refund_id or None}
        effects, inbox = names.PAYMENT_EFFECTS, names.PAYMENT_INBOX
        call = self.say(effects, "payment.effect.call", order, key=ids.payment_id, cause=ids.last[what])
        sum_ = ids.price if amount is None else amount
        self.enter(entry, ids.payment_id, sum_, key=call, refund_id=refund_id or None)
        data = {**order, "effect_id": call, "approved": entry not in ("declined", "capture_failed")}
        kind = f"answer to {what}"
        ids.last[kind] = self.say(inbox, "payment.effect.answered", data, key=ids.payment_id, cause=call)

    def world(self, name: str, kind: str, *, cause: str, **data: Any) -> None:
        """The world hears of a booking."""
        ids = self.bookings[name].last
        ids[kind] = self.tell(kind, {"booking_id": name, **data}, key=name, cause=ids[cause])

    def ask(self, name: str, what: str, **data: Any) -> None:
        """Somebody asks something of a booking: "cancel", "change", "check_in"..."""
        ids, kind = self.bookings[name].last, f"booking.booking.{what}"
        ids[what] = self.say(names.BOOKING_INBOX, kind, {"booking_id": name, **data}, key=name)

    def authorized(self, name: str, entry: str = "authorized") -> None:
        ids = self.bookings[name]
        self.pay(name, "authorize", cause="request", amount=float(ids.price))
        about = {"payment_id": ids.payment_id, "booking_id": name}
        self.tell(names.PAYMENT_CREATED, about, key=ids.payment_id, cause=ids.last["authorize"])
        self.provider(name, "authorize", entry)
        self.answer(name, f"payment.{entry}", cause="answer to authorize")

    def captured(self, name: str, entry: str = "captured") -> None:
        self.pay(name, "capture", cause="payment.authorized")
        self.provider(name, "capture", entry)
        self.answer(name, f"payment.{entry}", cause="answer to capture", amount=float(self.bookings[name].price))

    def refunded(
        self, name: str, amount: Decimal, *, by: str = "policy", cause: str | None = "cancel", why: str = "refund"
    ) -> None:
        refund_id = f"{why}-{name}-{by}"
        self.pay(name, "refund", cause=cause, refund_id=refund_id, amount=float(amount), ordered_by=by)
        self.provider(name, "refund", "refunded", amount=amount, refund_id=refund_id)
        self.answer(name, "payment.refunded", cause="answer to refund", refund_id=refund_id, amount=float(amount))

    def cancel(self, name: str, refund: Decimal, *, unit: str = UNIT) -> None:
        """A guest cancels: the message, what the world hears, the release."""
        self.ask(name, "cancel", reason="ill", cancelled_by="guest")
        self.world(name, names.CANCELLED, cause="cancel", refund_amount=float(refund), cancellation_reason="ill")
        self.release(name, "cancel", unit=unit)


def _resource(unit: str) -> dict[str, str]:
    provider, product = unit.split("/")
    return {"provider_id": provider, "product_id": product}
