"""Finds a person in bytes, however the words are written there: as they are, escaped, quoted or in base64."""

from __future__ import annotations

import base64
import email
import email.policy
import html
import json
import mmap
import quopri
import re
from collections.abc import Collection, Iterator
from urllib.parse import quote

from cli.erasure_person import Person

#: What is searched: bytes, or a file mapped into memory.
Bytes = bytes | mmap.mmap

#: First and last name stand so near to each other, in bytes, where they name one person.
_NEAR = 100
#: Where one of them is as short as a common word.
_VERY_NEAR = 24
_SHORTEST_NAME = 4
#: Around a name: whose record it is.
_AROUND = 600
#: In base64 fewer characters than these are found by chance.
_SHORTEST_CODED = 8
_ADDRESS = re.compile(rb"[A-Za-z0-9._%+-]+(?:@|%40|=40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
#: Whole words: not within a longer one, but after an escape like \n.
_BEFORE = rb"(?:(?<![A-Za-z0-9._%+-])|(?<=\\[nrt]))"
_AFTER = rb"(?![A-Za-z0-9])"


class Search:
    """Looks for one person.

    An e-mail address, a phone number or a whole text is the person's wherever it stands. A name is, where the first
    and the last name stand side by side, unless what stands around them has another address and not this user's id:
    that is a namesake.
    """

    def __init__(self, person: Person) -> None:
        self._user_id = person.user_id.encode()
        self._own = _alternatives(person.emails)
        words = [*person.emails, *person.phones, *person.texts]
        self._sure = _pattern(words)
        self._names = _compiled([_side_by_side(one, other) for one, other in _pairs(person)])

    def finds(self, content: Bytes) -> bool:
        """Whether there is anything of the person in there."""
        return self._surely(content) or any(not self._is_namesake(content, found) for found in self._named(content))

    def finds_in_mail(self, content: bytes) -> bool:
        """The same of a mail, whose parts may be encoded."""
        return self.finds(content) or self.finds("\n".join(_readable(content)).encode())

    def _surely(self, content: Bytes) -> bool:
        return self._sure is not None and self._sure.search(content) is not None

    def _named(self, content: Bytes) -> Iterator[re.Match[bytes]]:
        return iter(()) if self._names is None else self._names.finditer(content)

    def _is_namesake(self, content: Bytes, found: re.Match[bytes]) -> bool:
        around = content[max(found.start() - _AROUND, 0) : found.end() + _AROUND]
        if self._user_id in around:
            return False
        return any(address.lower() not in self._own for address in _ADDRESS.findall(around))


def _pattern(words: Collection[str]) -> re.Pattern[bytes] | None:
    plain = [_BEFORE + re.escape(form) + _AFTER for word in words for form in _forms(word)]
    return _compiled([*plain, *(re.escape(form) for word in words for form in _coded(word))])


def _compiled(alternatives: Collection[bytes]) -> re.Pattern[bytes] | None:
    return re.compile(b"|".join(dict.fromkeys(alternatives)), re.IGNORECASE | re.DOTALL) if alternatives else None


def _side_by_side(one: bytes, other: bytes) -> bytes:
    near = _NEAR if min(len(one), len(other)) >= _SHORTEST_NAME else _VERY_NEAR
    words = [_BEFORE + re.escape(each) + _AFTER for each in (one, other)]
    return b"%b.{0,%d}?%b" % (words[0], near, words[1])


def _pairs(person: Person) -> Iterator[tuple[bytes, bytes]]:
    for first, last in person.names:
        for one in _forms(first):
            for other in _forms(last):
                yield one, other
                yield other, one


def _alternatives(words: Collection[str]) -> frozenset[bytes]:
    return frozenset(form.lower() for word in words for form in _forms(word))


def _forms(word: str) -> list[bytes]:
    """A text as JSON, URLs, mails and pages write it. Letters beyond ASCII are not the same in capitals to `re`."""
    cases = dict.fromkeys((word, word.lower(), word.upper()))
    forms: list[bytes] = []
    for each in cases:
        utf8 = each.encode("utf-8", "surrogatepass")
        forms += [utf8, json.dumps(each)[1:-1].encode(), quote(each, safe="").encode(), html.escape(each).encode()]
        forms.append(quopri.encodestring(utf8).replace(b"=\n", b""))
    return list(dict.fromkeys(forms))


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
    message = email.message_from_bytes(content, policy=email.policy.default)
    for part in message.walk():
        yield from (f"{name}: {value}" for name, value in part.items())
        if part.get_content_maintype() == "text":
            try:
                yield str(part.get_content())
            except (LookupError, UnicodeError):  # of a charset nobody knows: its bytes were searched
                continue
