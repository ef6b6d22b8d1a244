"""What of a person lies on this machine in clear, outside the log: mails and text messages that were handed over here,
and receipts.

A mail belongs to whom it is addressed to, whoever else is named in it. One of ours says so, whatever the address is:
its header List-Unsubscribe has a signed mark that follows from the user's id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters import textbox
from adapters.mail_headers import headers_of, receivers_of
from adapters.storage import receipts_folder

# Our headers end within so many bytes; of a mail whose headers do not, as much is read as a mail may have.
_USUAL = 4096
_MOST = 1024 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_MARK = re.compile(rb"^List-Unsubscribe:.*/unsubscribe/([^>\s]+)>", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """How what belongs to a person is recognised."""

    user_id: str
    #: Of the user's mails (`adapters.links.Links.mark`).
    mark: str
    #: Whether an address is the person's.
    is_address: Callable[[str], bool]
    phones: Collection[str] = ()


def remove_belongings(data: Path, owner: Owner) -> list[str]:
    """Removes the person's mails in DIR/mail, the messages in DIR/sms to one of the phones, and the user's pages in
    DIR/receipts; returns what they were, as paths below DIR. Blocks while it looks at them all.

    Raises OSError, sqlite3.Error: something could not be looked at or removed, and everything else is removed.
    """
    receipts = set(_receipts(data, owner))
    removed: list[Path] = []
    failed: OSError | None = None
    for path in (*receipts, *_files(data / "mail")):
        try:
            if path in receipts or _is_to(path, owner):
                path.unlink(missing_ok=True)
                removed.append(path)
        except OSError as error:
            failed = error
    texts = textbox.forget(data / textbox.FOLDER, _is_one_of(owner.phones))
    if failed is not None:
        raise failed
    return _named(data, removed, texts)


def belongings(data: Path, owner: Owner) -> list[str]:
    """The same, left where they are. Raises OSError, sqlite3.Error."""
    files = [*_mails(data, owner), *_receipts(data, owner)]
    return _named(data, files, textbox.sent_to(data / textbox.FOLDER, _is_one_of(owner.phones)))


def _named(data: Path, files: Collection[Path], texts: Collection[str]) -> list[str]:
    return [*(str(path.relative_to(data)) for path in files), *(f"{textbox.FOLDER}/{text}" for text in texts)]


def _mails(data: Path, owner: Owner) -> Iterator[Path]:
    return (path for path in _files(data / "mail") if _is_to(path, owner))


def _receipts(data: Path, owner: Owner) -> list[Path]:
    return _files(data / "receipts" / receipts_folder(owner.user_id))


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else []


def _is_to(path: Path, owner: Owner) -> bool:
    try:
        raw = _headers(path)
    except FileNotFoundError:  # somebody else removed it
        return False
    mark = _MARK.search(raw)
    if mark is not None and mark[1] == owner.mark.encode():
        return True
    return any(owner.is_address(address) for address in receivers_of(headers_of(raw)))


def _headers(path: Path) -> bytes:
    """The headers of a mail, as they came."""
    with path.open("rb") as file:
        raw = file.read(_USUAL)
        end = _END.search(raw)
        if end is None and len(raw) == _USUAL:
            raw += file.read(_MOST)
            end = _END.search(raw)
    return raw[: end.end()] if end is not None else raw


def _is_one_of(phones: Collection[str]) -> Callable[[str], bool]:
    numbers = {_digits(phone) for phone in phones} - {""}
    return lambda number: _digits(number) in numbers


def _digits(phone: str) -> str:
    """A phone number however it was spaced; 00 before it is the plus."""
    return "".join(character for character in phone if character.isdigit()).removeprefix("00")
