"""A letter as a message that mail servers carry: text, page and calendar file, and the headers mail programs go by.

Made twice of the same it is the same, boundaries included: whoever gets it twice, by its Message-ID, lost nothing.
"""

from __future__ import annotations

import email.policy
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from typing import Any

from adapters.calendar_file import FILE_NAME, CalendarFile
from adapters.letters import Letter


class _Link(UnstructuredHeader, BaseHeader):
    """A header that is a link: where the library folds one, no mail program finds it again."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Link)
_POLICY = email.policy.SMTP.clone(header_factory=_HEADERS)
_UTF8_POLICY = email.policy.SMTPUTF8.clone(header_factory=_HEADERS)
_OURS = re.compile(r"<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@vacancy>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom, to whom, and as what a letter goes."""

    notice_id: str
    sender: str
    to: str
    #: When the news was told, in UTC.
    at: datetime
    #: Where the receiver ends our mail; "" where that is not offered.
    unsubscribe: str = ""


def message_id_of(notice_id: str) -> str:
    """The Message-ID of the mail of a notice: it follows from it, so that a repetition is known as one."""
    return f"<{uuid.UUID(notice_id)}@vacancy>"


def notice_of(message_id: str) -> str | None:
    """The notice of a Message-ID; None of one that is not ours."""
    found = _OURS.fullmatch(message_id.strip())
    return found[1] if found else None


def compose(letter: Letter, envelope: Envelope, calendar: CalendarFile | None = None) -> EmailMessage:
    """The message to hand over.

    Raises:
        ValueError: the notice's id is no UUID, or something cannot stand in a header, such as a line break.
    """
    message = EmailMessage(policy=_POLICY if envelope.to.isascii() else _UTF8_POLICY)
    message["From"], message["To"], message["Subject"] = envelope.sender, envelope.to, letter.subject
    message["Date"], message["Message-ID"] = envelope.at, message_id_of(envelope.notice_id)
    message["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe:
        message["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        message.make_alternative(boundary=f"=_{envelope.notice_id}_said")
        message.add_alternative(letter.html, subtype="html")
    if calendar is not None:
        message.make_mixed(boundary=f"=_{envelope.notice_id}_all")
        message.add_attachment(
            calendar.text, subtype="calendar", filename=FILE_NAME, params={"method": calendar.method}
        )
    return message
