"""What a user is told in the app."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from adapters.letters import render
from domain.notices import Notice
from streams.events.notices import MarkRead
from streams.services import NOTIFICATION
from tables.notifications import list_prefix, place_of, row_key
from web.answers import Answer
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation, Parameter
from web.paging import limit_of, limited
from web.problems import invalid, not_found
from web.requests import id_in_path, name_in_path

_USUAL, _MOST = 50, 100
_CURSOR = re.compile(r"(\d{15})\.([0-9a-f-]{36})", re.ASCII)
_notice = msgspec.json.Decoder(Notice)


class NotificationOut(Answer):
    """One notice, and what it tells of."""

    id: str
    template: str
    subject: str
    text: str
    facts: dict[str, Any]
    booking_id: str | None = None
    #: The canonical type of the event it tells of.
    news: str
    at: datetime
    read: bool


class NotificationsOut(Answer):
    """A user's notices, the newest first; `next` as `before` gets the older ones."""

    user_id: str
    notifications: list[NotificationOut]
    next: str | None = None


async def get_notifications(request: web.Request) -> web.Response:
    context, user_id = context_of(request), name_in_path(request, "user_id")
    limit, before = limit_of(request, _USUAL, _MOST), _before(request, user_id)
    found: list[Notice] = []
    if NOTIFICATION.name in context.layout.running:
        rows = await context.rows.list(NOTIFICATION.name, user_id, list_prefix(user_id), limit, before=before)
        found = [_notice.decode(row) for row in rows]
    body = NotificationsOut(
        user_id=user_id,
        notifications=[notification_out(notice) for notice in reversed(_without_twins(found))],
        next=place_of(found[0]).replace("|", ".") if len(found) == limit else None,
    )
    return web.Response(text=body.model_dump_json(), content_type="application/json")


async def read_notification(request: web.Request) -> web.Response:
    """Marks it, and answers once its row says so. Asked again, it answers the same."""
    context, user_id = context_of(request), name_in_path(request, "user_id")
    notice_id = id_in_path(request, "notice_id", "notification")
    notice = await _shown(context, user_id, notice_id)
    if notice.status != "read":
        event = MarkRead(user_id=user_id, notice_id=notice_id)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        notice = await _shown(context, user_id, notice_id, after=appended.offset)
    return web.Response(text=notification_out(notice).model_dump_json(), content_type="application/json")


def notification_out(notice: Notice) -> NotificationOut:
    letter = render(notice.template, notice.facts)
    return NotificationOut(
        id=notice.notice_id,
        template=notice.template,
        subject=letter.subject,
        text=letter.text,
        facts=notice.facts,
        booking_id=notice.booking_id,
        news=notice.news,
        at=notice.created_at,
        read=notice.status == "read",
    )


async def _shown(context: Context, user_id: str, notice_id: str, after: int | None = None) -> Notice:
    """The notice, if the app shows it; 404 otherwise."""
    raw = None
    if NOTIFICATION.name in context.layout.running:
        raw = await context.rows.row(NOTIFICATION.name, user_id, row_key(user_id, notice_id), after=after)
    notice = _notice.decode(raw) if raw is not None else None
    if notice is None or not notice.listed:
        raise not_found("notification")
    return notice


def _without_twins(notices: Sequence[Notice]) -> list[Notice]:
    """Less the mails that had nowhere to go and whose news the app tells of anyway."""
    told = {notice.cause_id for notice in notices if notice.channel == "app"}
    return [notice for notice in notices if notice.channel == "app" or notice.cause_id not in told]


def _before(request: web.Request, user_id: str) -> str | None:
    given = request.query.get("before")
    if given is None:
        return None
    if not _CURSOR.fullmatch(given):
        raise invalid("before", "should be the `next` of an earlier answer")
    return list_prefix(user_id) + given.replace(".", "|")


OPERATIONS = (
    Operation(
        "GET",
        "/api/users/{user_id}/notifications",
        get_notifications,
        "What a user was told in the app, the newest first",
        "notifications",
        {200: NotificationsOut},
        parameters=(
            limited(_USUAL, _MOST),
            Parameter("before", "Only older ones: the `next` of an earlier answer.", {"type": "string"}),
        ),
        problems=(422, 503),
    ),
    Operation(
        "POST",
        "/api/users/{user_id}/notifications/{notice_id}/read",
        read_notification,
        "Mark a notification as read",
        "notifications",
        {200: NotificationOut},
        problems=(404, 422, 503),
    ),
)
