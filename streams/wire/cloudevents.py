"""News as CloudEvents 1.0 (JSON format, structured mode), for programs of other companies."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from urllib.parse import quote

from streams.events import Envelope
from streams.wire.shown import shown

MEDIA_TYPE = "application/cloudevents+json"


def cloud_event(news: Envelope) -> dict[str, Any]:
    """A CloudEvents 1.0 event. What it belongs to and what caused it are extension attributes."""
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": news.event_id,
        "source": f"/vacancy/{quote(news.source)}",
        "type": news.event_type,
        "subject": getattr(news.data, "entity_id", None) or news.correlation_id,
        "time": news.timestamp.astimezone(UTC).isoformat(),
        "datacontenttype": "application/json",
        "correlationid": news.correlation_id,
        "data": shown(news.data),
    }
    return said if news.causation_id is None else {**said, "causationid": news.causation_id}
