"""Finds a person in bytes, however the words are written there: as they are, escaped, quoted or in base64."""

from __future__ import annotations

import base64
import email
import email.policy
import html
import json
import quopri
import re
from collections.abc import Collection, Iterable, Iterator
from email.message import Message
from itertools import product
from urllib.parse import quote

from adapters.mail_headers import readable
from cli.erasure_person import Person
from streams.phones import usable_phone

#: First and last name stand so near to each other, in bytes, where they name one person.
_NEAR = rb".{0,100}?"
#: Where one of them is as short as a common word: with nothing between them, or the name of the other's field.
_VERY_NEAR = rb"[^a-z0-9]+(?:[a-z]+[_ -]?name[^a-z0-9]+)?"
_SHORTEST_NAME = 4
#: Around a name: whose record it is.
_AROUND = 600
#: In base64 fewer characters than these are found by chance.
_SHORTEST_CODED = 8
_ADDRESS = re.compile(rb"[a-z0-9._%+-]+(?:@|%40|=40)[a-z0-9-]+(?:\.[a-z0-9-]+)+")
#: Whole words: not within a longer one, but after an escape like \n.
_BEFORE = rb"(?:(?<![a-z0-9._%+-])|(?<=\\[nrt]))"
_AFTER = rb"(?![a-z0-9])"


class Search:
    """Looks for one person.

    An e-mail address, a phone number or a whole text is the person's wherever it stands. A name is, where the first
    and the last name stand side by side, unless what stands around them has another address and not this user's id:
    that is a namesake.
    """

    def __init__(self, person: Person) -> None:
        # As the person wrote it, and as a provider of text messages takes it.
        sent_to = {number for phone in person.phones if (number := usable_phone(phone)) is not None}
        words = sorted({*person.emails, *person.phones, *sent_to, *person.texts})
        self._numbers = [number.encode() for number in sent_to]
        self._user_id = person.user_id.encode().lower()
        self._own = _forms_of(person.emails)
        self._words = [(form, _word(form)) for form in _forms_of(words)]
        self._coded = [coded for word in words for coded in _coded(word)]
        self._names = [(_forms_of([first]), _forms_of([last])) for first, last in sorted(person.names)]

    def finds(self, content: bytes) -> bool:
        """Whether there is anything of the person in there."""
        # Plain look-ups first: they are a hundred times as fast, and nearly always enough.
        if any(coded in content for coded in self._coded):
            return True
        lower = content.lower()
        if any(form in lower and pattern.search(lower) for form, pattern in self._words):
            return True
        return any(not self._is_namesake(lower, found) for found in self._named(lower))

    def finds_in_mail(self, content: bytes) -> bool:
        """The same of a mail, whose parts may be encoded."""
        return self.finds(content) or self.finds("\n".join(_readable(content)).encode())

    def finds_in_database(self, content: bytes) -> bool:
        """The same of an SQLite file or its log, where nothing stands between a number and what is next to it."""
        return self.finds(content) or any(number in content for number in self._numbers)

    def _named(self, lower: bytes) -> Iterator[re.Match[bytes]]:
        for names in self._names:
            firsts, lasts = ([form for form in forms if form in lower] for forms in names)
            for pair in product(firsts, lasts):
                for one, other in (pair, pair[::-1]):
                    yield from _side_by_side(one, other).finditer(lower)

    def _is_namesake(self, lower: bytes, found: re.Match[bytes]) -> bool:
        around = lower[max(found.start() - _AROUND, 0) : found.end() + _AROUND]
        if self._user_id in around:
            return False
        return any(address not in self._own for address in _ADDRESS.findall(around))


def _word(form: bytes) -> re.Pattern[bytes]:
    return re.compile(_BEFORE + re.escape(form) + _AFTER)


def _side_by_side(one: bytes, other: bytes) -> re.Pattern[bytes]:
    near = _NEAR if min(len(one), len(other)) >= _SHORTEST_NAME else _VERY_NEAR
    return re.compile(_word(one).pattern + near + _word(other).pattern, re.DOTALL)


def _forms_of(words: Collection[str]) -> list[bytes]:
    """Texts as JSON, URLs, mails and pages write them, in small letters as far as they are ASCII."""
    return list(dict.fromkeys(form.lower() for word in words for form in _forms(word)))


def _forms(word: str) -> Iterable[bytes]:
    # Other letters are not the same in capitals once they are bytes.
    for each in (word, word.lower(), word.upper()):
        utf8 = each.encode("utf-8", "surrogatepass")
        yield from (utf8, json.dumps(each)[1:-1].encode(), quote(utf8, safe="").encode())
        yield html.escape(each).encode("utf-8", "surrogatepass")
        yield quopri.encodestring(utf8).replace(b"=\n", b"")


def _coded(word: str) -> Iterator[bytes]:
    """What base64 makes of it at each of the three places it can stand at, without what its neighbours share."""
    raw = word.encode("utf-8", "surrogatepass")
    for shift in range(3):
        first, last = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
        coded = base64.b64encode(b"\0" * shift + raw)[first:last]
        if len(coded) >= _SHORTEST_CODED:
            yield coded


def _readable(content: bytes) -> Iterator[str]:
    """The headers and texts of a mail as a person reads them."""
    # The older policy: the newer ones raise over headers that are malformed.
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    for part in message.walk():
        yield from (f"{name}: {readable(str(value))}" for name, value in part.items())
        if part.get_content_maintype() == "text":
            try:
                yield _text(part)
            except (LookupError, ValueError):  # of a charset nobody knows: its bytes were searched
                continue


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode(part.get_content_charset("utf-8"), "replace") if isinstance(content, bytes) else ""
