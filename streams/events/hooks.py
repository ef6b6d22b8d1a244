"""Webhooks: where other companies' programs want news sent, what is sent there, and what came of each attempt."""

from __future__ import annotations

from typing import Literal

from streams.events.base import Count, Event, Id, Instant, NonNegative, Sealed

#: How a body is written: as Standard Webhooks recommend, or as a CloudEvent in structured mode.
Format = Literal["standard", "cloudevents"]
#: Whether an endpoint is sent anything; PAUSED: it failed for too long or too much waits, what comes is held.
Reception = Literal["ENABLED", "PAUSED", "DISABLED", "REMOVED"]

PauseReason = Literal["failing", "too_much_waiting"]

# --- asked of the webhook service (its inbox, keyed by endpoint_id) ---


class AddEndpoint(Event, type="webhook.endpoint.add"):
    endpoint_id: Id
    url: str
    #: Canonical types, or what they begin with: "payment.payment.succeeded", "booking.*", "*".
    types: tuple[str, ...]
    format: Format
    #: What deliveries are signed with, sealed under the endpoint's own key.
    secret: Sealed
    description: str = ""
    #: Only news of this property; None for all.
    property_id: Id | None = None
    #: Of the request: a retry with the same key must ask for the same thing.
    fingerprint: str = ""


class ChangeEndpoint(Event, type="webhook.endpoint.change"):
    """What is named is changed. `enabled` also ends a pause; then what was not delivered since a time may follow."""

    endpoint_id: Id
    url: str | None = None
    types: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None
    redeliver_since: Instant | None = None


class RotateSecret(Event, type="webhook.endpoint.rotate"):
    endpoint_id: Id
    #: The same request again changes nothing.
    request_id: Id
    secret: Sealed


class RemoveEndpoint(Event, type="webhook.endpoint.remove"):
    endpoint_id: Id


class Deliver(Event, type="webhook.delivery.deliver"):
    """Send one event to an endpoint: `body` is what every attempt sends, to the byte."""

    endpoint_id: Id
    event_id: Id
    news: str
    #: When the event was told.
    at: Instant
    body: str
    #: Asked for by hand, whatever the endpoint listens to.
    test: bool = False


class Redeliver(Event, type="webhook.delivery.redeliver"):
    """Begin with some deliveries anew that were given up or held. `last`: with them a `redeliver_since` is done."""

    endpoint_id: Id
    deliveries: tuple[Id, ...]
    last: bool = False
    #: Whatever came of them: a person asks for it.
    anyway: bool = False


class DeliveryDue(Event, type="webhook.delivery.due"):
    """A clock's belief that the next attempt is due."""

    endpoint_id: Id
    delivery_id: Id
    due: Instant


class ForgetDeliveries(Event, type="webhook.delivery.forget"):
    """A clock's belief that these are older than what is kept, or that of a removed endpoint nothing is left."""

    endpoint_id: Id
    deliveries: tuple[Id, ...]


class DeliveryAnswered(Event, type="webhook.effect.answered"):
    """What came of one attempt, appended by the agent that made it."""

    endpoint_id: Id
    delivery_id: Id
    effect_id: Id
    attempt: Count
    #: The HTTP status; None where no answer came, and `error` says why.
    status: int | None = None
    error: str | None = None
    duration_ms: NonNegative = 0
    #: The first of what the receiver answered.
    response: str = ""
    #: In seconds: what a 429 or 503 asked for.
    retry_after: NonNegative | None = None
    #: No attempt was made: too many of the endpoint's are under way.
    postponed: bool = False


# --- the webhook service's effects (keyed by endpoint and delivery: none waits for another) ---


class SendWebhook(Event, type="webhook.effect.send"):
    """Make one attempt. `secrets` are sealed, the newest first: each of them signs."""

    endpoint_id: Id
    delivery_id: Id
    attempt: Count
    url: str
    format: Format
    secrets: tuple[Sealed, ...]
    event_id: Id
    body: str


# --- told to the world ---


class EndpointPaused(Event, type="webhook.endpoint.paused"):
    """It gets nothing until it is enabled again: "failing" for too long, or "too_much_waiting" for it."""

    endpoint_id: Id
    #: Failed attempts since the last one that was taken, and the first of them.
    failures: NonNegative
    failing_since: Instant | None = None
    paused_at: Instant
    reason: PauseReason = "failing"


# --- what the intakes know (`vacancy.webhooks`, keyed by endpoint_id) ---


class EndpointKnown(Event, type="vacancy.webhook.known"):
    """What an endpoint wants, for those who read the news."""

    endpoint_id: Id
    types: tuple[str, ...]
    format: Format
    property_id: Id | None = None
    reception: Reception = "ENABLED"

    @property
    def ends_its_key(self) -> bool:
        return self.reception == "REMOVED"
