"""Rows of the analytics and the notification service, as tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import unquote

import msgspec

from domain.figures import Figures
from domain.notices import Notice
from projections.kinds import Cells, Kind, code
from projections.schema import DAILY, DAILY_AMOUNTS, EVENT_COUNTS, NOTIFICATIONS
from tables.analytics import News

_figures = msgspec.json.Decoder(Figures)
_news = msgspec.json.Decoder(News)
_notice = msgspec.json.Decoder(Notice)
_COUNTS = (
    "bookings",
    "confirmed",
    "cancelled",
    "withdrawn",
    "rejected",
    "expired",
    "no_shows",
    "leads",
    "lead_days",
    "booked_nights",
)
_AMOUNTS = ("rooms", "other", "booked", "captured", "refunded")


def figures(key: str, value: bytes) -> Cells:
    """`{property}|{day}`: one partition's share of the figures."""
    property_id, _, day = key.partition("|")
    row = _figures.decode(value)
    of = {"property_id": unquote(property_id), "day": date.fromisoformat(day)}
    yield DAILY, {**of, **{name: getattr(row, name) for name in _COUNTS}}
    currencies = {currency for name in ("nights", *_AMOUNTS) for currency in getattr(row, name)}
    for currency in sorted(currencies):
        amounts = {name: getattr(row, name).get(currency, Decimal(0)) for name in _AMOUNTS}
        yield DAILY_AMOUNTS, {**of, "currency": currency, "nights": row.nights.get(currency, 0), **amounts}


def news(key: str, value: bytes) -> Cells:
    """`{day}`: one partition's share of the counts of events."""
    for event_type, count in _news.decode(value).counts.items():
        yield EVENT_COUNTS, {"event_type": event_type, "count": count, "day": date.fromisoformat(key)}


def notice(key: str, value: bytes) -> Cells:
    row = _notice.decode(value)
    yield (
        NOTIFICATIONS,
        {
            "notice_id": row.notice_id,
            "user_id": row.user_id,
            "channel": str(row.channel),
            "template": row.template,
            "booking_id": row.booking_id,
            "news": row.news,
            "cause_id": row.cause_id,
            "status": str(row.status),
            "error": code(row.error),
            "created_at": row.created_at,
            "sent_at": row.sent_at,
        },
    )


ANALYTICS_KINDS = {"k": Kind(figures, DAILY, (DAILY_AMOUNTS,)), "n": Kind(news, EVENT_COUNTS)}
NOTIFICATION_KINDS = {"n": Kind(notice, NOTIFICATIONS)}
