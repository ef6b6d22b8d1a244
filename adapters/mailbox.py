"""The local mailbox: every mail is one RFC 5322 file, in the place of a mail server while there is none."""

from __future__ import annotations

import email
import email.policy
import heapq
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from adapters.files import write_whole
from adapters.letters import Letter

SENDER = "Vacancy <no-reply@vacancy.invalid>"
#: Of a mail, without its end (RFC 5322).
_LONGEST_LINE = 998
#: How many of the newest mails a search for an address looks through.
MOST_READ = 10_000


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it lies in the box."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime


def message_id_of(notice_id: str) -> str:
    """The Message-ID of the mail of a notice: it follows from it, so that a repetition is known as one."""
    return f"<{uuid.UUID(notice_id)}@vacancy>"


class Mailbox:
    """The mails in a directory, which is made when the first one comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, notice_id: str, to: str, letter: Letter, at: datetime) -> str:
        """Hands a mail over and returns its Message-ID; handed over twice with the same values it is one file.

        Raises:
            ValueError: the id is no UUID, or the address or the subject cannot stand in a header.
            OSError: it could not be written.
        """
        message_id = message_id_of(notice_id)
        written = _plain if _is_plain(to, letter) else _any
        write_whole(self._directory / f"{uuid.UUID(notice_id)}.eml", written(to, letter, at, message_id))
        return message_id

    def newest(self, limit: int, to: str | None = None) -> list[Mail]:
        """At most `limit` mails, the newest first; with `to`, those to that address. Raises OSError."""
        found: list[Mail] = []
        for path in self._paths(limit if to is None else MOST_READ):
            mail = _read(path, to)
            if mail is not None:
                found.append(mail)
            if len(found) >= limit:
                break
        return found

    def _paths(self, most: int) -> list[Path]:
        return [Path(path) for _, path in heapq.nlargest(most, self._dated())]

    def _dated(self) -> Iterator[tuple[int, str]]:
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    if entry.name.endswith(".eml"):
                        yield entry.stat().st_mtime_ns, entry.path
        except FileNotFoundError:
            return  # no mail yet


def _is_plain(to: str, letter: Letter) -> bool:
    """Whether its headers and lines stand in a message as they are."""
    headers = all(
        text.isascii() and text.isprintable() and len(text) < _LONGEST_LINE / 2 for text in (to, letter.subject)
    )
    return headers and all(len(line) < _LONGEST_LINE / 4 for line in letter.text.splitlines())


def _plain(to: str, letter: Letter, at: datetime, message_id: str) -> bytes:
    """What `_any` makes of a mail that needs no encoding, which is nearly every one, at a hundredth of its cost."""
    ascii_only = letter.text.isascii()
    lines = (
        f"From: {SENDER}",
        f"To: {to}",
        f"Subject: {letter.subject}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: {message_id}",
        f'Content-Type: text/plain; charset="{"us-ascii" if ascii_only else "utf-8"}"',
        f"Content-Transfer-Encoding: {'7bit' if ascii_only else '8bit'}",
        "MIME-Version: 1.0",
        "",
        *letter.text.splitlines(),
        "",
    )
    return "\r\n".join(lines).encode()


def _any(to: str, letter: Letter, at: datetime, message_id: str) -> bytes:
    policy = (email.policy.SMTP if to.isascii() else email.policy.SMTPUTF8).clone(max_line_length=_LONGEST_LINE)
    message = EmailMessage(policy=policy)
    message["From"], message["To"], message["Subject"] = SENDER, to, letter.subject
    message["Date"], message["Message-ID"] = at, message_id
    message.set_content(letter.text)
    return bytes(message)


def _read(path: Path, to: str | None) -> Mail | None:
    """The mail of a file, None if it goes to somebody else."""
    raw = path.read_bytes()
    # Most are to somebody else, and reading a message as such is slow.
    if to is not None and to.lower().encode() not in raw.lower():
        return None
    message = email.message_from_bytes(raw, policy=email.policy.default)
    receiver = str(message["To"])
    if to is not None and receiver.lower() != to.lower():
        return None
    return Mail(
        to=receiver,
        subject=str(message["Subject"]),
        text=message.get_content().replace("\r\n", "\n").rstrip("\n"),
        message_id=str(message["Message-ID"]),
        at=message["Date"].datetime,
    )
