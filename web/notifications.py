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
from streams.events.notices import MOST_MARKED, MarkAllRead, MarkRead
from streams.services import NOTIFICATION
from tables.notifications import list_prefix, place_of, row_key
from web.answers import Answer
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation, Parameter
from web.paging import limit_of, limited
from web.problems import invalid, not_found
from web.requests import id_in_path, name_in_path
from web.shapes import as_json

_USUAL, _MOST = 50, 100
#: How many of the newest are looked at to count those that were not read.
_LOOKED_AT = 1000
#: What is shown of news that several channels tell of.
_CHANNELS = ("app", "mail", "sms")
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
    #: How many of the newest 1,000 were not read.
    unread: int
    notifications: list[NotificationOut]
    next: str | None = None


class AllRead(Answer):
    """How many notices were marked as read."""

    user_id: str
    marked: int


async def get_notifications(request: web.Request) -> web.Response:
    context, user_id = context_of(request), name_in_path(request, "user_id")
    limit, before, only_unread = limit_of(request, _USUAL, _MOST), _before(request, user_id), _only_unread(request)
    newest = await _listed(context, user_id)
    found = newest if before is None else await _listed(context, user_id, before)
    wanted = [notice for notice in _without_twins(found) if not (only_unread and notice.status == "read")]
    shown = wanted[-limit:]
    older = shown[0] if len(wanted) > limit else found[0] if len(found) == _LOOKED_AT else None
    body = NotificationsOut(
        user_id=user_id,
        unread=sum(notice.status != "read" for notice in _without_twins(newest)),
        notifications=[notification_out(notice) for notice in reversed(shown)],
        next=place_of(older).replace("|", ".") if older is not None else None,
    )
    return as_json(body)


async def read_all(request: web.Request) -> web.Response:
    """Marks all that stand there when it is asked, and answers once their rows say so."""
    context, user_id = context_of(request), name_in_path(request, "user_id")
    marked, before, offset = 0, None, None
    while found := await _listed(context, user_id, before):
        unread = [notice.notice_id for notice in found if notice.status != "read"]
        for first in range(0, len(unread), MOST_MARKED):
            event = MarkAllRead(user_id=user_id, notice_ids=tuple(unread[first : first + MOST_MARKED]))
            offset = (await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))).offset
        marked += len(unread)
        before = list_prefix(user_id) + place_of(found[0])
    if offset is not None:
        await _listed(context, user_id, limit=1, after=offset)
    body = AllRead(user_id=user_id, marked=marked)
    return as_json(body)


async def read_notification(request: web.Request) -> web.Response:
    """Marks it, and answers once its row says so. Asked again, it answers the same."""
    context, user_id = context_of(request), name_in_path(request, "user_id")
    notice_id = id_in_path(request, "notice_id", "notification")
    notice = await _shown(context, user_id, notice_id)
    if notice.status != "read":
        event = MarkRead(user_id=user_id, notice_id=notice_id)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        notice = await _shown(context, user_id, notice_id, after=appended.offset)
    return as_json(notification_out(notice))


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


async def _listed(
    context: Context, user_id: str, before: str | None = None, *, limit: int = _LOOKED_AT, after: int | None = None
) -> list[Notice]:
    """What the app shows a user, the newest last."""
    if NOTIFICATION.name not in context.layout.running:
        return []
    prefix = list_prefix(user_id)
    rows = await context.rows.list(NOTIFICATION.name, user_id, prefix, limit, before=before, after=after)
    return [_notice.decode(row) for row in rows]


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
    """Each piece of news once: as the app tells it, else the mail or the text message that it stands for."""
    first: dict[str, Notice] = {}
    for notice in sorted(notices, key=lambda notice: _CHANNELS.index(notice.channel)):
        first.setdefault(notice.cause_id, notice)
    return [notice for notice in notices if first[notice.cause_id] is notice]


def _only_unread(request: web.Request) -> bool:
    given = request.query.get("unread", "false")
    if given not in ("true", "false"):
        raise invalid("unread", "should be true or false")
    return given == "true"


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
            Parameter("unread", "Only those that were not read.", {"type": "boolean", "default": False}),
        ),
        problems=(422, 503),
    ),
    Operation(
        "POST",
        "/api/users/{user_id}/notifications/read",
        read_all,
        "Mark all of a user's notifications as read",
        "notifications",
        {200: AllRead},
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
