"""The headers of a mail however badly they are written: a mailbox takes every mail, and its readers must not fall over
one. The library raises whatever it stumbles over (IndexError, RecursionError, ...), its newer policies most of all.
"""

from __future__ import annotations

import email.policy
import re
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses

_parser = HeaderParser(policy=email.policy.compat32)
_ADDRESS = re.compile(r"[^\s<>,;:()\"]+@[^\s<>,;:()\"]+")
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
    except Exception:
        return line


def receivers_of(headers: Message) -> list[str]:
    """The addresses a mail goes to, in To, Cc and X-RcptTo: where these are malformed, whatever looks like one."""
    said = [str(value) for name in _RECEIVERS for value in headers.get_all(name, [])]
    try:
        return [address for _, address in getaddresses(said) if address]
    except Exception:
        return [address for value in said for address in _ADDRESS.findall(value)]
