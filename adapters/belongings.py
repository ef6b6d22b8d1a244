"""What of a person lies on this machine in clear, outside the log: mails and text messages that were handed over here.

A file belongs to whom it is addressed to, whoever else is named in it.
"""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable, Collection, Iterator
from email.utils import getaddresses
from pathlib import Path

#: Whether an address is the person's.
IsAddress = Callable[[str], bool]


def remove_belongings(data: Path, is_address: IsAddress, phones: Collection[str]) -> list[Path]:
    """Removes the mails in DIR/mail to one of the person's addresses and the messages in DIR/sms to one of the phones;
    returns their paths. Blocks while it reads them all. Raises OSError.
    """
    removed = list(belongings(data, is_address, phones))
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def belongings(data: Path, is_address: IsAddress, phones: Collection[str]) -> Iterator[Path]:
    """The same files, left where they are. Raises OSError."""
    numbers = {_digits(phone) for phone in phones} - {""}
    for path in _files(data / "mail"):
        if any(is_address(address) for address in _receivers(path)):
            yield path
    for path in _files(data / "sms"):
        if _digits(_number(path)) in numbers:
            yield path


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else []


def _receivers(path: Path) -> list[str]:
    try:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    except FileNotFoundError:  # somebody else removed it
        return []
    headers = [str(value) for name in ("To", "Cc", "X-RcptTo") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(headers) if address]


def _number(path: Path) -> str:
    """Whom a text message goes to; empty for anything else."""
    try:
        said = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return ""
    return str(said.get("to", "")) if isinstance(said, dict) else ""


def _digits(phone: str) -> str:
    """A phone number however it was spaced."""
    return "".join(character for character in phone if character.isdigit())
