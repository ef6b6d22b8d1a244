"""What of a person lies on this machine in clear, outside the log: mails and text messages that were handed over here,
and receipts.

A mail belongs to whom it is addressed to, whoever else is named in it.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Collection, Iterator
from email.utils import getaddresses
from pathlib import Path

from adapters import textbox
from adapters.storage import receipts_folder

#: Whether an address is the person's.
IsAddress = Callable[[str], bool]


def remove_belongings(data: Path, user_id: str, is_address: IsAddress, phones: Collection[str]) -> list[str]:
    """Removes the mails in DIR/mail to one of the person's addresses, the messages in DIR/sms to one of the phones, and
    the user's pages in DIR/receipts; returns what they were, as paths below DIR. Blocks while it reads them all.

    Raises OSError, sqlite3.Error.
    """
    files = [*_mails(data, is_address), *_receipts(data, user_id)]
    for path in files:
        path.unlink(missing_ok=True)
    texts = textbox.forget(data / textbox.FOLDER, _is_one_of(phones))
    return _named(data, files, texts)


def belongings(data: Path, user_id: str, is_address: IsAddress, phones: Collection[str]) -> list[str]:
    """The same, left where they are. Raises OSError, sqlite3.Error."""
    files = [*_mails(data, is_address), *_receipts(data, user_id)]
    return _named(data, files, textbox.sent_to(data / textbox.FOLDER, _is_one_of(phones)))


def _named(data: Path, files: Collection[Path], texts: Collection[str]) -> list[str]:
    return [*(str(path.relative_to(data)) for path in files), *(f"{textbox.FOLDER}/{text}" for text in texts)]


def _mails(data: Path, is_address: IsAddress) -> Iterator[Path]:
    return (path for path in _files(data / "mail") if any(is_address(address) for address in _receivers(path)))


def _receipts(data: Path, user_id: str) -> list[Path]:
    return _files(data / "receipts" / receipts_folder(user_id))


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else []


def _receivers(path: Path) -> list[str]:
    try:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    except FileNotFoundError:  # somebody else removed it
        return []
    headers = [str(value) for name in ("To", "Cc", "X-RcptTo") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(headers) if address]


def _is_one_of(phones: Collection[str]) -> Callable[[str], bool]:
    numbers = {_digits(phone) for phone in phones} - {""}
    return lambda number: _digits(number) in numbers


def _digits(phone: str) -> str:
    """A phone number however it was spaced; 00 before it is the plus."""
    return "".join(character for character in phone if character.isdigit()).removeprefix("00")
