"""The gate: requests of other programs on the documented topics become requests in our inboxes (design 3)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.cards import without_cards
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.admission import (
    ChangeTerms,
    Inadmissible,
    Resources,
    Terms,
    booking_of,
    change_of,
    check_size,
)
from domain.hearsay import record_of, user_of
from streams.events import ENCODER, Envelope, Event
from streams.events.about import About, Line
from streams.events.booking import CancelBooking
from streams.events.booking_news import BookingCancelled, BookingCreated, BookingUpdated
from streams.events.records import RecordNews
from streams.events.users import UserNews
from streams.foreign import Gate, Refused
from streams.group import GroupApp, fetches
from streams.keys import resource_key
from streams.numbers import confirmation_number
from streams.replays import replays_topic

#: How long the view of resources may lag behind the log before one that is not in it counts as unknown, in seconds.
_PATIENCE_S = 3.0
#: What is kept of the reason another program gives for a cancellation.
_REASON = 200


def attach(group: GroupApp, tools: Tools) -> None:
    """Attaches the agent to a group of its own, which reads every topic another program may write, and replays."""

    async def admit(news: Envelope) -> Sequence[Event]:
        return await admitted(news, tools)

    layout = tools.runtime.layout
    gate = Gate(group, tools.runtime, tools.listener, tools.keyring, without_cards, admit)

    @group.app.agent(group.topics((*layout.public, replays_topic(layout))), name="admit-foreign")
    async def admit_foreign(stream: Any) -> None:
        """Lets in what other programs may ask for; what they may not say is buried."""
        async for fetched in fetches(stream):
            await group.guarded(gate.apply(fetched))


async def admitted(news: Envelope, tools: Tools) -> Sequence[Event]:
    """What a request of another program means in our own words. Raises Refused."""
    try:
        check_size(news.data)
        return await _meant(news.data, news.event_id, tools)
    except Inadmissible as error:
        raise Refused(str(error)) from None


async def _meant(event: Event, message_id: str, tools: Tools) -> Sequence[Event]:
    match event:
        case BookingCreated():
            return (booking_of(event, await _terms(event, tools)),)
        case BookingUpdated():
            resources = await _resources(event.about.lines if event.about is not None else (), tools)
            now, deadline = datetime.now(UTC), _deadline(tools)
            terms = ChangeTerms(resources=resources, deadline=deadline, now=now, message_id=message_id)
            return (change_of(event, terms),)
        case BookingCancelled():
            reason = event.cancellation_reason[:_REASON] or "cancelled by another program"
            by = event.cancelled_by[:_REASON] or "unknown"
            return (CancelBooking(booking_id=event.booking_id, reason=reason, cancelled_by=by),)
        case UserNews():
            return (user_of(event, message_id),)
        case RecordNews():
            return (record_of(event, message_id),)
        case _:
            return ()


async def _terms(created: BookingCreated, tools: Tools) -> Terms:
    """What a foreign booking is taken on: our price, our number, our deadline, and a payment token if there is one."""
    token = tools.settings.foreign_payment_token
    about = created.about or About(price_amount=created.price_amount, price_currency=created.price_currency)
    said = ENCODER.encode(created)
    return Terms(
        resources=await _resources(about.lines or (created,), tools),
        confirm_on=tools.runtime.layout.confirm_on(about.kind),
        confirmation_number=confirmation_number(await tools.numbers.next(), datetime.now(UTC)),
        deadline=_deadline(tools),
        payment_token=await tools.keyring.seal(created.user_id, token) if token else None,
        fingerprint=hashlib.sha256(said).hexdigest(),
        max_quantity=tools.settings.max_quantity,
        now=datetime.now(UTC),
    )


async def _resources(wanted: Iterable[Line | BookingCreated], tools: Tools) -> Resources:
    """Those of the resources that are declared. One just declared may not be in the view yet: it is read to its end."""
    pairs = {(each.provider_id, each.product_id) for each in wanted}
    if any(tools.rates.get(resource_key(*pair)) is None for pair in pairs):
        await _caught_up(tools)
    found = {pair: tools.rates.get(resource_key(*pair)) for pair in pairs}
    return {pair: resource for pair, resource in found.items() if resource is not None}


async def _caught_up(tools: Tools) -> None:
    """However long it takes: a booking is not refused because the broker stumbles. Nothing is committed meanwhile."""
    while True:
        try:
            return await tools.rates.caught_up(_PATIENCE_S)
        except TimeoutError:
            await asyncio.sleep(_PATIENCE_S / 10)


def _deadline(tools: Tools) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=tools.settings.booking_deadline)


__getattr__ = lazy_app("gate")
