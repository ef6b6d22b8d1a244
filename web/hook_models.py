"""What a webhook endpoint's requests may say, and how endpoints and deliveries are shown."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, StringConstraints
from pydantic import Field as Limits

from domain.hook_deliveries import Delivery
from domain.hooks import Endpoint
from streams.events import EVENT_TYPES
from streams.events.hooks import Format, Reception
from web.answers import Answer
from web.shapes import Request
from web.texts import IdIn, InstantIn, Text

_MOST_TYPES = 50
_PATTERN = re.compile(r"\*|[a-z_]+(\.[a-z_]+){0,2}(\.\*)?", re.ASCII)


def _is_pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise ValueError('should be a type like "booking.booking.confirmed", a prefix like "payment.*", or "*"')
    if value.startswith("webhook."):
        raise ValueError("tells of webhooks themselves, which is never sent to one")
    if not value.endswith("*") and value not in EVENT_TYPES:
        raise ValueError("is no type of event; /asyncapi.json lists them")
    return value


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_is_pattern)]
Patterns = Annotated[list[Pattern], Limits(min_length=1, max_length=_MOST_TYPES)]
#: Where it leads is looked at beside (`adapters.addresses`).
Url = Annotated[str, StringConstraints(min_length=8, max_length=2_000)]


class EndpointRequest(Request):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://example.com/hooks", "types": ["booking.booking.confirmed", "payment.*"]}]
        }
    )

    url: Url
    types: Patterns
    format: Format = "standard"
    description: Text | None = None
    #: Only news of this property.
    property_id: IdIn | None = None


class EndpointChange(Request):
    """What is named is changed. `enabled` also ends a pause."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"enabled": True, "redeliver_since": "2026-12-24T00:00:00Z"}]}
    )

    url: Url | None = None
    types: Patterns | None = None
    description: Text | None = None
    enabled: bool | None = None
    #: What was not delivered since then is sent anew; with `enabled`, or of one that is.
    redeliver_since: InstantIn | None = None


class EndpointOut(Answer):
    """An endpoint. Its secret is shown when it is made, and by a rotation, and never again."""

    id: str
    url: str
    types: list[str]
    format: Format
    description: str
    property_id: str | None = None
    status: Reception
    #: Why it is not ENABLED: failing, too_much_waiting, gone (it answered 410) or by_request.
    reason: str | None = None
    #: Failed attempts since the last that was taken, and the first of them.
    failures: int
    failing_since: datetime | None = None
    #: Events that no delivery was made of because too many were held, and when the first of them came.
    missed: int
    missed_since: datetime | None = None
    #: Until when the secret before the last rotation signs, too.
    old_secret_until: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Endpoint) -> dict[str, object]:
        """The fields of an endpoint's answer."""
        return {
            "id": row.endpoint_id,
            "url": row.url,
            "types": list(row.types),
            "format": row.format,
            "description": row.description,
            "property_id": row.property_id,
            "status": row.reception,
            "reason": row.reason,
            "failures": row.failures,
            "failing_since": row.failing_since,
            "missed": row.missed,
            "missed_since": row.missed_since,
            "old_secret_until": row.old_secrets[0].until if row.old_secrets else None,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }


class NewEndpointOut(EndpointOut):
    #: "whsec_" and base64, as the libraries of Standard Webhooks take it.
    secret: str


class EndpointsOut(Answer):
    endpoints: list[EndpointOut]


class AttemptOut(Answer):
    at: datetime
    status: int | None = None
    error: str | None = None
    duration_ms: int
    response: str


class DeliveryOut(Answer):
    """One event on its way to an endpoint: PENDING, DELIVERED, FAILED (given up) or HELD (not sent)."""

    id: str
    event_id: str
    type: str
    event_at: datetime
    status: str
    attempts: int
    next_attempt_at: datetime | None = None
    #: What the last attempt brought: an HTTP status, or why there was none.
    last_status: int | None = None
    last_error: str | None = None
    created_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def of(cls, row: Delivery) -> dict[str, object]:
        """The fields of a delivery's answer."""
        last = row.attempts[-1] if row.attempts else None
        return {
            "id": row.delivery_id,
            "event_id": row.event_id,
            "type": row.news,
            "event_at": row.at,
            "status": row.status.value,
            "attempts": len(row.attempts),
            "next_attempt_at": row.due,
            "last_status": last.status if last is not None else None,
            "last_error": last.error if last is not None else None,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }


class DeliveryDetailOut(DeliveryOut):
    """The same with what was sent, and what came of each attempt (the last twenty)."""

    body: str
    log: list[AttemptOut]


class DeliveriesOut(Answer):
    """The newest first; `next` as `before` gets the older ones."""

    deliveries: list[DeliveryOut]
    next: str | None = None


class DeliveryLinks(Answer):
    self: str


class TestOut(Answer):
    """A test was ordered; its link shows what came of it."""

    id: str
    links: DeliveryLinks
