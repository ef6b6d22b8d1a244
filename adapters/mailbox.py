"""The local mailbox: every mail is one RFC 5322 file, as it came, in the place of the guests' mailboxes.

A mail lies in `{notice}.eml`, or in a file named after its Message-ID if it is not one of ours. The same Message-ID
once more is kept beside it as `{notice}.2.again` and so on: who looks sees one mail, who counts sees each delivery.
"""

from __future__ import annotations

import email
import email.policy
import heapq
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path

from adapters.files import write_whole
from adapters.mail_headers import header, headers_of
from adapters.messages import notice_of

#: How many of the newest mails a search for an address looks through.
MOST_READ = 10_000
#: Of one Message-ID so many deliveries are kept; what comes after them replaces the last one.
MOST_AGAIN = 100
# What a Message-ID that is not ours is named by.
_NAMES = uuid.UUID("6f1f8a52-1f0a-5d7e-9a53-0c1d3b7a9e21")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it lies in the box."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime
    #: The page; None where there is only the text.
    page: str | None = None

    @property
    def html(self) -> bool:
        """Whether there is a page to look at."""
        return self.page is not None


class Mailbox:
    """The mails in a directory, which is made when the first one comes. One process writes, any may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, raw: bytes) -> Path:
        """Puts a delivered mail there, as a whole, and returns its file. Raises OSError."""
        path = self._directory / f"{_name_of(raw)}.eml"
        number = 1
        while path.exists() and number < MOST_AGAIN:
            number += 1
            path = self._directory / f"{_name_of(raw)}.{number}.again"
        write_whole(path, raw)
        return path

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

    def find(self, message_id: str) -> Mail | None:
        """The mail with that Message-ID, None if there is none. Raises OSError."""
        try:
            return _read(self._directory / f"{_named(message_id)}.eml", None)
        except FileNotFoundError:
            return None

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


def _name_of(raw: bytes) -> str:
    """What a mail's file is called; one without a Message-ID is named by its content."""
    said = header(headers_of(raw), "Message-ID")
    return _named(said) if said else str(uuid.uuid5(_NAMES, raw.hex()))


def _named(message_id: str) -> str:
    return notice_of(message_id) or str(uuid.uuid5(_NAMES, message_id.strip()))


def _read(path: Path, to: str | None) -> Mail | None:
    """The mail of a file, None if it goes to somebody else."""
    raw = path.read_bytes()
    # Most are to somebody else, and reading a message as such is slow.
    if to is not None and to.lower().encode() not in raw.lower():
        return None
    headers = headers_of(raw)
    receiver = header(headers, "To") or ""
    if to is not None and receiver.lower() != to.lower():
        return None
    text, page = _contents(raw)
    return Mail(
        to=receiver,
        subject=header(headers, "Subject") or "",
        text=text or "",
        message_id=header(headers, "Message-ID") or "",
        at=_date(headers) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        page=page,
    )


def _date(headers: Message) -> datetime | None:
    """When a mail says it was written; None if it does not say so."""
    try:
        said = parsedate_to_datetime(header(headers, "Date") or "")
        return said.astimezone(UTC) if said.tzinfo is not None else said.replace(tzinfo=UTC)
    except Exception:  # a date that is none: the library raises whatever it stumbles over
        return None


def _contents(raw: bytes) -> tuple[str | None, str | None]:
    """Text and page of a mail, None where it has none."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        return _content(message, "plain"), _content(message, "html")
    except Exception:
        # Of what describes its parts anything may be malformed, and the library raises whatever it stumbles over.
        return "", None  # the file has it


def _content(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")
    except (LookupError, ValueError):
        return ""  # a character set nobody knows; the file has it
