"""What each of the synchronous services does when it is asked; how they are served is in `bench.sync_services`.

The reservation service answers when all the others have: it takes the hold, has the money authorized and captured at
the provider, records the rate, hands over the mail, and counts. Every service commits before it answers. What is left
out, and would cost more: nothing is compensated when a later call fails, nothing is retried, a repeated request books
again, nobody's data is encrypted, no receipt is written, and there is no history.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientSession

from adapters.letters import Reader, written_to
from adapters.mailbox import Mailbox
from adapters.messages import Envelope, compose, message_id_of
from adapters.provider import ProviderClient
from bench.sync_store import Store
from domain.booking_state import payment_id_of
from web.models import ReservationRequest

CAPACITY, PRICE, CURRENCY = 10_000, Decimal("95.00"), "EUR"
_PROVIDER_TIMEOUT_S = 15.0
_SENDER = "Vacancy <no-reply@vacancy.invalid>"
#: What every service is asked by: POST a JSON object, get one.
Body = dict[str, Any]
Handler = Callable[[Body], Awaitable[Body]]


class Refused(Exception):
    """A service will not do what it was asked; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a service works with."""

    store: Store
    #: One for all its calls, with aiohttp's own limit of 100 connections.
    session: ClientSession
    data: Path
    provider: str
    peers: dict[str, str]

    async def call(self, service: str, body: Body) -> Body:
        """Asks another service and waits for its answer. Raises Refused."""
        async with self.session.post(self.peers[service], data=orjson.dumps(body)) as answer:
            found: Body = orjson.loads(await answer.read())
        if answer.status != 200:
            raise Refused(str(found.get("reason")))
        return found


def reservation(means: Means) -> Handler:
    async def book(body: Body) -> Body:
        asked = ReservationRequest.model_validate(body)
        booking_id, nights = str(uuid.uuid4()), (asked.check_out - asked.check_in).days
        price = PRICE * nights * asked.quantity
        facts = {
            "booking_id": booking_id,
            "resource": f"{asked.property_id}/{asked.unit_type}",
            "property_id": asked.property_id,
            "check_in": asked.check_in.isoformat(),
            "check_out": asked.check_out.isoformat(),
            "quantity": asked.quantity,
            "amount": str(price),
            "currency": CURRENCY,
        }
        with means.store.committed() as db:
            db.execute(
                "insert into reservation values (?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', null)",
                (
                    booking_id,
                    asked.guest.model_dump_json(),
                    asked.property_id,
                    asked.unit_type,
                    facts["check_in"],
                    facts["check_out"],
                    asked.quantity,
                    facts["amount"],
                ),
            )
        status, reason = "CONFIRMED", None
        try:
            await means.call("availability", facts)
            await means.call("payment", facts | {"token": asked.payment_method.token})
            await means.call("rate", facts)
            await means.call("notification", facts | {"guest": asked.guest.model_dump(exclude_none=True)})
            await means.call("analytics", facts)
        except Refused as refusal:
            status, reason = "REJECTED", str(refusal)
        with means.store.committed() as db:
            db.execute(
                "update reservation set status = ?, reason = ? where booking_id = ?", (status, reason, booking_id)
            )
        return {"booking_id": booking_id, "status": status, "reason": reason}

    return book


def availability(means: Means) -> Handler:
    async def hold(body: Body) -> Body:
        resource, quantity = body["resource"], body["quantity"]
        first, last = (date.fromisoformat(body[name]) for name in ("check_in", "check_out"))
        with means.store.committed() as db:
            for night in ((first + timedelta(days=n)).isoformat() for n in range((last - first).days)):
                [held] = db.execute(
                    "insert into night values (?, ?, ?)"
                    " on conflict do update set held = held + excluded.held returning held",
                    (resource, night, quantity),
                ).fetchone()
                if held > CAPACITY:
                    raise Refused("no_availability")
            values = (body["booking_id"], resource, body["check_in"], body["check_out"], quantity)
            db.execute("insert into hold values (?, ?, ?, ?, ?)", values)
        return {}

    return hold


def payment(means: Means) -> Handler:
    client = ProviderClient(means.session, means.provider, _PROVIDER_TIMEOUT_S)

    async def pay(body: Body) -> Body:
        payment_id, amount = payment_id_of(body["booking_id"], 1), Decimal(body["amount"])
        money = {"payment_id": payment_id, "amount": amount, "currency": body["currency"]}
        with means.store.committed() as db:
            values = (payment_id, body["amount"], body["currency"])
            db.execute("insert into payment values (?, ?, ?, 'NEW', null, null)", values)
        authorized = await client.call(
            "authorize", **money, token=body["token"], idempotency_key=f"{payment_id}-authorize"
        )
        _noted(payment_id, "AUTHORIZED" if authorized.approved else "DECLINED", authorized.provider_reference)
        if not authorized.approved:
            raise Refused("payment_declined")
        captured = await client.call(
            "capture",
            **money,
            provider_payment_id=authorized.provider_reference,
            idempotency_key=f"{payment_id}-capture",
        )
        _noted(payment_id, "CAPTURED" if captured.approved else "FAILED", authorized.provider_reference)
        if not captured.approved:
            raise Refused("capture_failed")
        return {}

    def _noted(payment_id: str, status: str, provider_payment_id: str | None) -> None:
        with means.store.committed() as db:
            values = (status, provider_payment_id, payment_id)
            db.execute("update payment set status = ?, provider_payment_id = ? where payment_id = ?", values)

    return pay


def rate(means: Means) -> Handler:
    async def apply(body: Body) -> Body:
        with means.store.committed() as db:
            db.execute("insert into applied values (?, ?, ?)", (body["booking_id"], body["resource"], body["amount"]))
            added = "insert into usage values (?, 1) on conflict do update set bookings = bookings + 1"
            db.execute(added, (body["resource"],))
        return {}

    return apply


def notification(means: Means) -> Handler:
    mailbox = Mailbox(means.data / "mail")

    async def tell(body: Body) -> Body:
        notice_id, guest = str(uuid.uuid4()), body["guest"]
        letter = written_to(Reader(guest.get("first_name", "")), "booking_confirmed", body)
        envelope = Envelope(notice_id=notice_id, sender=_SENDER, to=guest["email"], at=datetime.now(UTC))
        mailbox.keep(compose(letter, envelope).as_bytes())
        with means.store.committed() as db:
            db.execute("insert into notice values (?, ?, ?)", (notice_id, body["booking_id"], message_id_of(notice_id)))
        return {}

    return tell


def analytics(means: Means) -> Handler:
    async def count(body: Body) -> Body:
        with means.store.committed() as db:
            db.execute("insert into observed values (?)", (body["booking_id"],))
            db.execute(
                "insert into day values (?, ?, 1, ?)"
                " on conflict do update set bookings = bookings + 1,"
                " revenue_cents = revenue_cents + excluded.revenue_cents",
                (body["property_id"], body["check_in"], int(Decimal(body["amount"]) * 100)),
            )
        return {}

    return count


SERVICES: dict[str, Callable[[Means], Handler]] = {
    "availability": availability,
    "payment": payment,
    "rate": rate,
    "notification": notification,
    "analytics": analytics,
    "reservation": reservation,
}
