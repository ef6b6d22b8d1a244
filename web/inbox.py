"""The local inbox, to be looked into while mail and text messages go nowhere else."""

from __future__ import annotations

import asyncio
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Literal

from aiohttp import web
from pydantic import RootModel

from adapters import textbox
from adapters.mailbox import Mail, Mailbox
from streams.phones import usable_phone
from web.answers import Answer
from web.context import context_of
from web.operations import Operation, Parameter
from web.paging import limit_of, limited
from web.problems import Problem, not_found
from web.shapes import as_json

_USUAL, _MOST = 50, 500
#: Nothing in a mail runs, and nothing in it is fetched: it shows what it brings along.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class MessageOut(Answer):
    """A mail or a text message that was handed over here; a text message has no subject."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime
    channel: Literal["mail", "sms"]
    #: Whether `/dev/inbox/{message_id}` shows it as a page.
    html: bool


class InboxOut(RootModel[list[MessageOut]]):
    """What was handed over, the newest first."""


async def get_inbox(request: web.Request) -> web.Response:
    """The newest of both; with `?to=`, those to that address or number, mails among the newest of all."""
    data, channels = _kept(request)
    limit, to = limit_of(request, _USUAL, _MOST), request.query.get("to")
    body = InboxOut(await asyncio.to_thread(_newest, data, channels, limit, to))
    return as_json(body)


async def get_mail(request: web.Request) -> web.Response:
    """One mail as a page, as a mail program would show it. Its Message-ID may stand without its angle brackets."""
    data, channels = _kept(request)
    message_id = f"<{request.match_info['message_id'].strip('<>')}>"
    mail = await asyncio.to_thread(Mailbox(data / "mail").find, message_id) if "mail" in channels else None
    if mail is None:
        raise not_found("mail")
    return web.Response(text=_page(mail), content_type="text/html", headers=_PAGE_HEADERS)


def _kept(request: web.Request) -> tuple[Path, frozenset[str]]:
    """The instance's directory, and the channels whose messages are kept in it. Problem where none is."""
    context = context_of(request)
    if not context.kept_here:
        detail = "Mail and text messages go to servers (smtp_url, sms_url) and are not kept here."
        raise Problem(404, "not-local", "There is no local inbox", detail)
    return context.data, context.kept_here


def _newest(data: Path, channels: frozenset[str], limit: int, to: str | None) -> list[MessageOut]:
    found: list[MessageOut] = []
    if "mail" in channels and (to is None or "@" in to):
        found += [_mail(each) for each in Mailbox(data / "mail").newest(limit, to)]
    if "sms" in channels and (to is None or "@" not in to):
        # In a query a plus is a space, unless it was written as %2B.
        number = None if to is None else usable_phone(f"+{to.strip().lstrip('+')}") or to
        found += [_text(each) for each in textbox.newest(data / textbox.FOLDER, limit, number)]
    return sorted(found, key=lambda each: each.at, reverse=True)[:limit]


def _mail(mail: Mail) -> MessageOut:
    return MessageOut(
        to=mail.to,
        subject=mail.subject,
        text=mail.text,
        message_id=mail.message_id,
        at=mail.at,
        channel="mail",
        html=mail.html,
    )


def _text(text: textbox.Text) -> MessageOut:
    return MessageOut(
        to=text.to, subject="", text=text.text, message_id=text.message_id, at=text.at, channel="sms", html=False
    )


def _page(mail: Mail) -> str:
    return mail.page or f"<!DOCTYPE html><title>{escape(mail.subject)}</title><pre>{escape(mail.text)}</pre>"


OPERATIONS = (
    Operation(
        "GET",
        "/dev/inbox",
        get_inbox,
        "Mail and text messages that were sent locally, the newest first",
        "notifications",
        {200: InboxOut},
        parameters=(
            Parameter("to", "Only what went to this address or number.", {"type": "string"}),
            limited(_USUAL, _MOST),
        ),
        problems=(404, 422),
    ),
    Operation(
        "GET",
        "/dev/inbox/{message_id}",
        get_mail,
        "A mail that was sent locally, as a page",
        "notifications",
        {200: "text/html"},
        problems=(404,),
    ),
)
