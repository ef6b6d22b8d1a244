"""The gate: requests of other programs on the documented topics become requests in our inboxes (design 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from domain.admission import Terms, booking_of, change_of, record_of, user_of

from agents.tools import Tools
from streams.events import Envelope, Event
from streams.events.booking import CancelBooking
from streams.events.booking_news import BookingCancelled, BookingCreated, BookingUpdated
from streams.events.records import RecordNews
from streams.events.users import UserNews
from streams.foreign import Gate, Refused
from streams.group import GroupApp, batches
from streams.keys import resource_key


def attach(booking: GroupApp, tools: Tools) -> None:
    """Attaches the agent to the booking service's App: it reads every topic another program may write."""

    async def admit(news: Envelope) -> Sequence[Event]:
        return await admitted(news, tools)

    gate = Gate(booking, tools.runtime, tools.signer, tools.keyring, admit)

    @booking.app.agent(booking.topics(tools.runtime.layout.public), name="admit-foreign")
    async def admit_foreign(stream: Any) -> None:
        """Lets in what other programs may ask for; what they may not say is buried."""
        async for batch in batches(stream):
            await booking.guarded(gate.apply(batch))


async def admitted(news: Envelope, tools: Tools) -> Sequence[Event]:
    """What a request of another program means in our own words."""
    match news.data:
        case BookingCreated():
            return (booking_of(news.data, await _terms(news.data, tools)),)
        case BookingUpdated():
            return _change(news.data, tools)
        case BookingCancelled():
            cancelled = news.data
            reason = cancelled.cancellation_reason or "cancelled by another program"
            return (CancelBooking(booking_id=cancelled.booking_id, reason=reason, cancelled_by=cancelled.cancelled_by),)
        case UserNews():
            return (user_of(news.data),)
        case RecordNews():
            return (record_of(news.data),)
        case _:
            return ()


def _change(updated: BookingUpdated, tools: Tools) -> Sequence[Event]:
    if updated.about is None or not updated.about.lines:
        raise Refused("a change names the whole of the booking's lines, and this one names none")
    line = updated.about.lines[0]
    resource = tools.rates.get(resource_key(line.provider_id, line.product_id))
    now = datetime.now(UTC)
    return (change_of(updated, resource, now + timedelta(seconds=tools.settings.booking_deadline)),)


async def _terms(created: BookingCreated, tools: Tools) -> Terms:
    """What a foreign booking is taken on: our price, our number, our deadline, and a payment token if there is one."""
    token, now = tools.settings.foreign_payment_token, datetime.now(UTC)
    kind = created.about.kind if created.about is not None else "booking"
    lines = created.about.lines if created.about is not None else ()
    wanted = {(line.provider_id, line.product_id) for line in lines} or {(created.provider_id, created.product_id)}
    found = {pair: tools.rates.get(resource_key(*pair)) for pair in wanted}
    return Terms(
        resources={pair: resource for pair, resource in found.items() if resource is not None},
        confirm_on=tools.runtime.layout.confirm_on(kind),
        confirmation_number=f"RSV-{now.year}-{await tools.numbers.next():06d}",
        deadline=now + timedelta(seconds=tools.settings.booking_deadline),
        payment_token=await tools.keyring.seal(created.user_id, token) if token else None,
        fingerprint=hashlib.sha256(msgspec.json.encode(created.model_dump(mode="json"))).hexdigest(),
    )
