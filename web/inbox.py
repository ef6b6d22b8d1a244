"""The local mailbox, to be looked into while mail goes nowhere else."""

from __future__ import annotations

import asyncio
from datetime import datetime

from aiohttp import web
from pydantic import RootModel

from adapters.mailbox import Mailbox
from web.answers import Answer
from web.context import context_of
from web.operations import Operation, Parameter
from web.paging import limit_of, limited

_USUAL, _MOST = 50, 500


class MailOut(Answer):
    """A mail that was handed over here."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime


class InboxOut(RootModel[list[MailOut]]):
    """Mails, the newest first."""


async def get_inbox(request: web.Request) -> web.Response:
    """The newest mails; with `?to=`, those to that address among the newest of all."""
    mailbox = Mailbox(context_of(request).data / "mail")
    mails = await asyncio.to_thread(mailbox.newest, limit_of(request, _USUAL, _MOST), request.query.get("to"))
    body = InboxOut([MailOut.model_validate(mail, from_attributes=True) for mail in mails])
    return web.Response(text=body.model_dump_json(), content_type="application/json")


OPERATIONS = (
    Operation(
        "GET",
        "/dev/inbox",
        get_inbox,
        "Mail that was sent locally, the newest first",
        "notifications",
        {200: InboxOut},
        parameters=(
            Parameter("to", "Only mail to this address.", {"type": "string", "format": "email"}),
            limited(_USUAL, _MOST),
        ),
        problems=(422,),
    ),
)
