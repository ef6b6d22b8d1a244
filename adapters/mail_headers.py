"""The headers of a mail however badly they are written: a mailbox takes every mail, and its readers must not fall over
one. The library's newer policies raise IndexError, TypeError and others over an address that is none.
"""

from __future__ import annotations

import email.policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses

_parser = HeaderParser(policy=email.policy.compat32)
_RECEIVERS = ("To", "Cc", "X-RcptTo")


def headers_of(raw: bytes) -> Message:
    """The headers of a mail, of which `raw` has at least these. They may be in UTF-8."""
    return _parser.parsestr(raw.decode("utf-8", "replace"))


def header(headers: Message, name: str) -> str | None:
    """What a header says, decoded and on one line; None if there is none."""
    said = headers.get(name)
    return None if said is None else readable(said)


def readable(said: str) -> str:
    """A header's value as a person reads it, on one line; as it came, if it is written in no known way."""
    line = " ".join(str(said).split())
    try:
        return str(make_header(decode_header(line))) if "=?" in line else line
    except (HeaderParseError, LookupError, ValueError):
        return line


def receivers_of(headers: Message) -> list[str]:
    """The addresses a mail goes to, in To, Cc and what our sandbox notes of the delivery."""
    said = [str(value) for name in _RECEIVERS for value in headers.get_all(name, [])]
    return [address for _, address in getaddresses(said) if address]
