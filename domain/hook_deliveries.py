"""What becomes of deliveries: one for each event an endpoint wants, attempted until it is taken or given up.

The row makes the plan: an effect is one attempt, its answer says what came of it, and the row says when the next is
due. So nothing is lost with a process, and one that fails waits by itself.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from domain.hook_load import MOST_HELD, MOST_WAITING, MOST_WAITING_TAKEN, DeliveryStatus, Load
from domain.hooks import Endpoint, failed, missed, paused, taken
from streams.events import Event
from streams.events.hooks import Deliver, DeliveryAnswered, DeliveryDue, SendWebhook

#: From a failed attempt to the next, in seconds; after the last of them a delivery is given up: a day and a bit.
LADDER = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
#: A pause is made longer by up to this part of it, so that what failed together does not come again together.
JITTER = 0.2
#: The longest pause a receiver may ask for.
LONGEST = timedelta(days=1)
#: Until an attempt that found too many others under way, in seconds.
POSTPONED = 30
#: How long deliveries are kept once they ended. Others are not forgotten.
KEPT_FOR = timedelta(days=7)
#: Attempts remembered of a delivery, the last ones.
_REMEMBERED = 20
_GONE = 410


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One attempt: the status that was answered, or why none was."""

    at: datetime
    status: int | None = None
    error: str | None = None
    duration_ms: int = 0
    response: str = ""


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One event for one endpoint."""

    delivery_id: str
    endpoint_id: str
    event_id: str
    news: str
    at: datetime
    body: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    #: The number of the last attempt that was ordered, and whether its answer is awaited.
    ordered: int = 0
    awaited: bool = False
    #: Attempts that failed since it began (anew).
    tries: int = 0
    #: When the next attempt is due; None where none is planned.
    due: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    created_at: datetime
    ended_at: datetime | None = None
    #: Its number among the endpoint's ended ones (`Load`); 0 while it has none.
    number: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What one message makes of a delivery and its endpoint, and what is said. No delivery: the event was missed."""

    endpoint: Endpoint
    delivery: Delivery | None
    events: tuple[Event, ...] = ()


def delivery_id_of(at: datetime, event_id: str) -> str:
    """The delivery of an event, within its endpoint: they sort as their events were told."""
    return f"{int(at.astimezone(UTC).timestamp() * 1000):015}.{event_id}"


def deliver(endpoint: Endpoint, asked: Deliver, load: Load, now: datetime) -> Outcome | None:
    """A new delivery. None where the endpoint does not want what was told before it was there, or nothing at all.

    An endpoint with too many that wait is paused by it.
    """
    if not (endpoint.listens and (asked.test or asked.at >= endpoint.created_at)):
        return None
    said: tuple[Event, ...] = ()
    most = MOST_WAITING if endpoint.failures else MOST_WAITING_TAKEN
    if endpoint.reception == "ENABLED" and load.pending >= most:
        decision = paused(endpoint, "too_much_waiting", now)
        endpoint, said = decision.state, decision.events
    if endpoint.reception == "PAUSED" and load.held >= MOST_HELD:
        return Outcome(missed(endpoint, now), None, said)
    delivery = Delivery(
        delivery_id=delivery_id_of(asked.at, asked.event_id),
        endpoint_id=endpoint.endpoint_id,
        event_id=asked.event_id,
        news=asked.news,
        at=asked.at,
        body=asked.body,
        created_at=now,
    )
    outcome = attempt(endpoint, delivery, load.room_at_once, now)
    return Outcome(endpoint, outcome.delivery, (*said, *outcome.events))


def attempt(endpoint: Endpoint, delivery: Delivery, room: int, now: datetime) -> Outcome:
    """Orders the next attempt, or plans it where too many are under way, or holds the delivery where its endpoint takes
    none.
    """
    if endpoint.reception != "ENABLED":
        return Outcome(endpoint, _ended(delivery, DeliveryStatus.HELD, now))
    if not room:
        return Outcome(endpoint, msgspec.structs.replace(delivery, due=delivery.due or now))
    ordered = msgspec.structs.replace(delivery, ordered=delivery.ordered + 1, awaited=True, due=None)
    send = SendWebhook(
        endpoint_id=endpoint.endpoint_id,
        delivery_id=delivery.delivery_id,
        attempt=ordered.ordered,
        url=endpoint.url,
        format=endpoint.format,
        secrets=endpoint.secrets(now),
        event_id=delivery.event_id,
        body=delivery.body,
    )
    return Outcome(endpoint, ordered, (send,))


def come_due(endpoint: Endpoint, delivery: Delivery, tick: DeliveryDue, load: Load, now: datetime) -> Outcome | None:
    """The attempt a clock believes is due; None where the row knows better, or too many are under way: then it stays
    due. What is planned of an endpoint that takes none is held before its time.
    """
    early = endpoint.reception == "ENABLED" and (now < tick.due or not load.room)
    return None if early or delivery.due != tick.due else attempt(endpoint, delivery, load.room, now)


def redeliver(endpoint: Endpoint, delivery: Delivery, now: datetime, *, anyway: bool = False) -> Delivery | None:
    """The delivery, begun anew and due at once; None where an attempt is under way, or its endpoint takes none, or it
    was not given up or held. `anyway`: whatever came of it.
    """
    if delivery.awaited or endpoint.reception != "ENABLED":
        return None
    if not (anyway or delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.HELD)):
        return None
    return msgspec.structs.replace(delivery, status=DeliveryStatus.PENDING, tries=0, due=now, ended_at=None)


def answered(endpoint: Endpoint, delivery: Delivery, answer: DeliveryAnswered, now: datetime) -> Outcome | None:
    """What an attempt's answer makes of both; None for one that was taken before."""
    if not delivery.awaited or answer.attempt != delivery.ordered:
        return None
    if answer.postponed:
        return Outcome(endpoint, _again(endpoint, delivery, _jittered(delivery, POSTPONED), now))
    made = Attempt(
        at=now,
        status=answer.status,
        error=answer.error,
        duration_ms=answer.duration_ms,
        response=answer.response,
    )
    tried = msgspec.structs.replace(delivery, attempts=(*delivery.attempts, made)[-_REMEMBERED:])
    if answer.status is not None and 200 <= answer.status < 300:
        return Outcome(taken(endpoint), _ended(tried, DeliveryStatus.DELIVERED, now))
    decision = failed(endpoint, gone=answer.status == _GONE, now=now)
    return Outcome(decision.state, _failed(decision.state, tried, answer, now), decision.events)


def _failed(endpoint: Endpoint, delivery: Delivery, answer: DeliveryAnswered, now: datetime) -> Delivery:
    delivery = msgspec.structs.replace(delivery, tries=delivery.tries + 1)
    if answer.status == _GONE or delivery.tries > len(LADDER):
        return _ended(delivery, DeliveryStatus.FAILED, now)
    return _again(endpoint, delivery, pause_after(delivery, answer.retry_after), now)


def pause_after(delivery: Delivery, retry_after: int | None = None) -> timedelta:
    """From the failure of a delivery's attempt to its next: the ladder's, or longer where the receiver asked for it."""
    planned = _jittered(delivery, LADDER[delivery.tries - 1])
    return max(planned, min(timedelta(seconds=retry_after or 0), LONGEST))


def _jittered(delivery: Delivery, seconds: int) -> timedelta:
    # Of the ids, not of chance: decided again it is the same.
    said = f"{delivery.endpoint_id}/{delivery.delivery_id}/{delivery.ordered}"
    part = int.from_bytes(hashlib.sha256(said.encode()).digest()[:4]) / 2**32
    return timedelta(seconds=round(seconds * (1 + JITTER * part), 3))


def _again(endpoint: Endpoint, delivery: Delivery, pause: timedelta, now: datetime) -> Delivery:
    if endpoint.reception != "ENABLED":
        return _ended(delivery, DeliveryStatus.HELD, now)
    return msgspec.structs.replace(delivery, awaited=False, due=now + pause)


def _ended(delivery: Delivery, status: DeliveryStatus, now: datetime) -> Delivery:
    return msgspec.structs.replace(delivery, status=status, awaited=False, due=None, ended_at=now)


def may_be_forgotten(endpoint: Endpoint, delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery ended longer ago than what is kept, or its endpoint is gone."""
    if endpoint.reception == "REMOVED":
        return True
    return delivery.status.ended and delivery.ended_at is not None and now - delivery.ended_at > KEPT_FOR
