"""What the log knows of a person in clear: every sealed text of the user that can still be opened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from streams.keyring import Keyring
from streams.reader import Raw

#: Shorter texts (a title, a unit of measure) are found everywhere and say nothing of anybody.
SHORTEST_TEXT = 12
#: Fields that hold an address or a number, by how documents and we ourselves call them.
_EMAILS = frozenset({"email"})
_PHONES = frozenset({"phone"})
_FIRST, _LAST = "first_name", "last_name"
_UNDER_WAY = frozenset({"PENDING", "CONFIRMED", "CHECKED_IN"})


_Row = TypeVar("_Row")


class _BookingRow(msgspec.Struct):
    """What is read of a booking's row."""

    booking_id: str
    user_id: str
    confirmation_number: str
    status: str


@dataclass
class Person:
    """A user in clear. Lives only while the command runs, and is printed nowhere."""

    user_id: str
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    #: First and last name as they stood together.
    names: set[tuple[str, str]] = field(default_factory=set)
    #: Whatever else was sealed and is long enough to be somebody's: the reason of a visit, the content of a record.
    texts: set[str] = field(default_factory=set)
    #: Confirmation numbers of bookings that are not over, by booking id.
    bookings: dict[str, str] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether there is anything to search for."""
        return bool(self.emails or self.phones or self.names or self.texts)


class Collector:
    """Gathers a person from the records of the log, each looked at once."""

    def __init__(self, user_id: str, keyring: Keyring, *, bookings: str) -> None:
        """`bookings` is the name of the booking service's changelog."""
        self.person = Person(user_id)
        self.keys = keyring.keys_of(user_id)
        self._keyring = keyring
        self._bookings = bookings
        ids = "|".join(map(re.escape, self.keys))
        self._sealed = re.compile(rb"(?:%s)\.[A-Za-z0-9_-]{30,}={0,2}" % ids.encode()) if ids else None
        self._seen: set[bytes] = set()

    async def look_at(self, record: Raw) -> None:
        """Adds what a record says of the user."""
        value = record.value or b""
        if self._sealed is not None:
            for text in (value, *(header for _, header in record.headers)):
                for found in self._sealed.findall(text):
                    await self._open(found)
        if record.topic == self._bookings and record.key is not None and record.key.startswith(b"b|"):
            self._booking(value)

    def _booking(self, value: bytes) -> None:
        row = _read(value, _BookingRow)
        if row is None or row.user_id != self.person.user_id:
            return
        if row.status in _UNDER_WAY:
            self.person.bookings[row.booking_id] = row.confirmation_number
        else:
            self.person.bookings.pop(row.booking_id, None)

    async def _open(self, sealed: bytes) -> None:
        if sealed in self._seen:
            return
        self._seen.add(sealed)
        text = await self._keyring.unseal(self.person.user_id, sealed.decode())
        try:
            said = json.loads(text) if text else None
        except ValueError:
            return  # a payment token, which is not the person's alone
        if isinstance(said, dict):
            self._add(said)

    def _add(self, said: dict[str, Any]) -> None:
        first, last = said.get(_FIRST), said.get(_LAST)
        if isinstance(first, str) and isinstance(last, str) and first and last:
            self.person.names.add((first, last))
        for name, text in _texts(said):
            if name in _EMAILS:
                self.person.emails.add(text)
            elif name in _PHONES:
                self.person.phones.add(text)
            elif name not in (_FIRST, _LAST) and len(text) >= SHORTEST_TEXT:
                self.person.texts.add(text)


def _texts(said: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON value, with the name of its field."""
    if isinstance(said, str) and said:
        yield name, said
    elif isinstance(said, dict):
        for key, value in said.items():
            yield from _texts(value, str(key))
    elif isinstance(said, list):
        for value in said:
            yield from _texts(value, name)


def _read(value: bytes, model: type[_Row]) -> _Row | None:
    try:
        return msgspec.json.decode(value, type=model)
    except msgspec.DecodeError:
        return None
