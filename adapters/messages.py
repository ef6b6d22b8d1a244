"""A letter as a message that mail servers carry: text, page and calendar file, and the headers mail programs go by.

Made twice of the same it is the same, boundaries included: whoever gets it twice, by its Message-ID, lost nothing.
"""

from __future__ import annotations

import binascii
import email.policy
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from functools import lru_cache
from typing import Any

from adapters.calendar_file import FILE_NAME, CalendarFile
from adapters.letters import Letter


class _Link(UnstructuredHeader, BaseHeader):
    """A header that is a link: where the library folds one, no mail program finds it again."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Headers(HeaderRegistry):
    """Most headers are the same in every mail, those of its parts above all, and reading one as the library does is
    slow: they are made once.
    """

    @lru_cache(maxsize=256)  # noqa: B019  # there is one, for good
    def __call__(self, name: str, value: Any) -> BaseHeader:
        return super().__call__(name, value)


_HEADERS = _Headers()
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
    policy = _POLICY if envelope.to.isascii() else _UTF8_POLICY
    message = EmailMessage(policy=policy)
    message["From"], message["To"], message["Subject"] = envelope.sender, envelope.to, letter.subject
    message["Date"], message["Message-ID"] = envelope.at, message_id_of(envelope.notice_id)
    message["Auto-Submitted"], message["MIME-Version"] = "auto-generated", "1.0"
    if envelope.unsubscribe:
        message["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    said = _part(policy, 'text/plain; charset="utf-8"', letter.text)
    if letter.html:
        said = _parts(policy, "alternative", [said, _part(policy, 'text/html; charset="utf-8"', letter.html)])
    if calendar is not None:
        entry = _part(policy, f'text/calendar; charset="utf-8"; method="{calendar.method}"', calendar.text)
        entry["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
        said = _parts(policy, "mixed", [said, entry])
    for name, value in said.items():
        message[name] = value
    message.set_payload(said.get_payload())
    return message


def _part(policy: EmailPolicy[Any], media_type: str, text: str) -> EmailMessage:
    """A part of text. Always quoted-printable: so a line of it is never too long, nor one of our boundaries."""
    part = EmailMessage(policy=policy)
    part["Content-Type"], part["Content-Transfer-Encoding"] = media_type, "quoted-printable"
    lines = "\n".join(text.splitlines()) + "\n"
    part.set_payload(binascii.b2a_qp(lines.encode(), istext=True).decode("ascii"))
    return part


def _parts(policy: EmailPolicy[Any], kind: str, parts: list[Any]) -> EmailMessage:
    """Several as one. The boundary has what nothing quoted-printable has, an equals sign before an underscore."""
    whole = EmailMessage(policy=policy)
    whole["Content-Type"] = f'multipart/{kind}; boundary="=_{kind}"'
    whole.set_payload(parts)
    return whole
