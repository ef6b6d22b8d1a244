"""The webhook service's agents: one decides deliveries, one reads the news to deliver, one makes the attempts; a clock
says which are due, and which deliveries are old.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from adapters.hook_sender import HookSender, Sent
from agents.effects import perform
from agents.hook_intake import HookIntake
from agents.lazy import lazy_app
from agents.ticking import tick
from agents.tools import Tools
from domain.hook_deliveries import KEPT_FOR, Delivery
from domain.hook_load import DeliveryStatus, Load
from domain.hooks import Endpoint, may_be_dropped
from streams.app import ServiceApp
from streams.effects import NotAsked
from streams.envelope import resulting
from streams.events import Envelope, Event
from streams.events.hooks import (
    DeliveryAnswered,
    DeliveryDue,
    ForgetDeliveries,
    Redeliver,
    SendWebhook,
)
from streams.group import batches, fetches
from streams.identity import webhook_owner
from streams.keyring import Keyring
from streams.keys import partition_of
from streams.rows import RowStore
from tables import hooks

#: Deliveries of one endpoint that one tick begins anew, holds or forgets; the rest follows in the next.
_MOST_TOGETHER = 200

#: How often what waits is looked at, in seconds. Of a backlog each look begins as much as may be under way: 256 a
#: second, where the endpoint answers at once.
_DUE_S = 0.25

#: `faust -A agents.hooks worker` finds its App as `app`.
__getattr__ = lazy_app("webhook")


def attach(webhook: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the webhook service's App."""

    @webhook.app.agent(webhook.topic(webhook.service.inbox), name="decide-webhooks")
    async def decide_webhooks(stream: Any) -> None:
        """Decides endpoints and their deliveries, in the order of the inbox."""
        async for batch in batches(stream):
            await webhook.decide(batch)

    perform(
        webhook,
        webhook.service,
        tools,
        name="send-webhook",
        call=lambda effect: send_webhook(tools.hooks, tools.keyring, effect),
        already_answered=lambda partition, effect: already_answered(webhook.store, effect),
    )
    _follow(webhook, tools)
    tick(webhook, tools.runtime, "webhooks-due", due, every=_DUE_S)


def _follow(webhook: ServiceApp, tools: Tools) -> None:
    runtime = tools.runtime
    topics = runtime.layout.subscriptions(webhook.name)
    if not topics:
        return
    intake = HookIntake(webhook, runtime.layout, runtime.voice, tools.listener, tools.endpoints)

    @webhook.app.agent(webhook.topics(topics), name=f"follow-{webhook.name}")
    async def follow_topics(stream: Any) -> None:
        """Makes deliveries of the news that endpoints want."""
        await webhook.guarded(tools.endpoints.start())  # nobody else in this process needs it
        async for fetched in fetches(stream):
            await webhook.guarded(intake.apply(fetched))


def already_answered(store: RowStore, effect: Envelope) -> bool:
    """Whether the row has taken the answer to an attempt. The effect may be read before the row that ordered it is
    durable: only one that has gone on says so.
    """
    asked = effect.data
    assert isinstance(asked, SendWebhook)
    # Not the effect's own partition: its key is another.
    if not store.owns(partition_of(asked.endpoint_id, store.partitions)):
        return False
    row = hooks.read(store, asked.endpoint_id, asked.delivery_id)
    return row is not None and (row.ordered > asked.attempt or (row.ordered == asked.attempt and not row.awaited))


async def send_webhook(sender: HookSender, keyring: Keyring, effect: Envelope) -> Envelope:
    """What came of one attempt, as a message for the service's inbox. Raises NotAsked."""
    asked = effect.data
    assert isinstance(asked, SendWebhook)
    owner = webhook_owner(asked.endpoint_id)
    try:
        opened = [await keyring.unseal(owner, sealed) for sealed in asked.secrets]
    except TimeoutError as error:
        raise NotAsked("the endpoint's key cannot be read now") from error
    secrets = [secret for secret in opened if secret is not None]
    if secrets:
        sent = await sender.send(
            asked.endpoint_id, asked.url, asked.event_id, asked.body, form=asked.format, secrets=secrets
        )
    else:
        sent = Sent(error="the endpoint's secret was erased")
    answered = DeliveryAnswered(
        endpoint_id=asked.endpoint_id,
        delivery_id=asked.delivery_id,
        effect_id=effect.event_id,
        attempt=asked.attempt,
        status=sent.status,
        error=sent.error,
        duration_ms=sent.duration_ms,
        response=sent.response,
        retry_after=sent.retry_after,
        postponed=sent.postponed,
    )
    return resulting(effect, answered, now=datetime.now(UTC), source="webhook-service")


def due(store: RowStore, partition: int, now: datetime) -> list[Event]:
    """Attempts that are due, deliveries to begin anew, and those that are too old."""
    found: list[Event] = []
    for endpoint in hooks.endpoints(store, partition):
        if endpoint.reception == "REMOVED":
            found += _left(store, partition, endpoint, now)
            continue
        load = hooks.load(store, partition, endpoint.endpoint_id)
        found += _due(store, partition, endpoint, load, now)
        found += _anew(store, partition, endpoint, load)
        found += _old(store, partition, endpoint, now)
    return found


def _due(store: RowStore, partition: int, endpoint: Endpoint, load: Load, now: datetime) -> Iterator[Event]:
    """No more than may be under way; of an endpoint that takes none all that is planned, to be held."""
    enabled = endpoint.reception == "ENABLED"
    most = load.room if enabled else _MOST_TOGETHER
    for each in hooks.planned(store, partition, endpoint.endpoint_id, most):
        if enabled and each.due > now:
            return
        yield DeliveryDue(endpoint_id=each.endpoint_id, delivery_id=each.delivery_id, due=each.due)


def _anew(store: RowStore, partition: int, endpoint: Endpoint, load: Load) -> Iterator[Event]:
    most = min(load.room_anew, _MOST_TOGETHER)
    if endpoint.reception != "ENABLED" or endpoint.redeliver_since is None or not most:
        return
    missed = (each for each in hooks.deliveries(store, partition, endpoint.endpoint_id) if _missed(each, endpoint))
    ids = tuple(each.delivery_id for each in islice(missed, most))
    yield Redeliver(endpoint_id=endpoint.endpoint_id, deliveries=ids, last=len(ids) < most)


def _missed(delivery: Delivery, endpoint: Endpoint) -> bool:
    """Whether it is one of those an endpoint asked to have again."""
    ended = delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.HELD)
    return ended and endpoint.redeliver_since is not None and delivery.at >= endpoint.redeliver_since


def _old(store: RowStore, partition: int, endpoint: Endpoint, now: datetime) -> Iterator[Event]:
    first = islice(hooks.ended(store, partition, endpoint.endpoint_id), _MOST_TOGETHER)
    ids = tuple(each.delivery_id for each in takewhile(lambda each: now - each.at > KEPT_FOR, first))
    if ids:
        yield ForgetDeliveries(endpoint_id=endpoint.endpoint_id, deliveries=ids)


def _left(store: RowStore, partition: int, endpoint: Endpoint, now: datetime) -> Iterator[Event]:
    """What is left of a removed endpoint, and at last the memory of it."""
    first = islice(hooks.deliveries(store, partition, endpoint.endpoint_id), _MOST_TOGETHER)
    ids = tuple(each.delivery_id for each in first)
    if ids or may_be_dropped(endpoint, now):
        yield ForgetDeliveries(endpoint_id=endpoint.endpoint_id, deliveries=ids)
