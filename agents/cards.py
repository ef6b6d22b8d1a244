"""Card numbers in what other programs write: none of them comes into an inbox, a row or a message of ours.

Their own topics are theirs, and what is buried stands on its dead-letter topic as it came. What is let in goes on with
a note in the place of the number; a token that was one pays nothing.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from domain.card_numbers import without_card_numbers
from streams.events import Envelope

V = TypeVar("V")


def without_cards(news: Envelope) -> Envelope:
    """The message with a note in the place of each card number; the same one where there is none."""
    said = {name: getattr(news, name) for name in ("data", "personal", "metadata", "correlation_id")}
    changed = {name: clean for name, value in said.items() if (clean := _clean(value)) is not value}
    return msgspec.structs.replace(news, **changed) if changed else news


def _clean(value: V) -> V:
    """The value without card numbers; itself where it has none. Phone numbers may have any digits."""
    found: Any = value
    match value:
        case str():
            found = without_card_numbers(value)
        case dict():
            found = {_clean(name): each if name == "phone" else _clean(each) for name, each in value.items()}
        case list() | tuple():
            found = type(value)(_clean(each) for each in value)
        case msgspec.Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: new for name, old in fields.items() if (new := _clean(old)) != old}
            found = msgspec.structs.replace(value, **changed) if changed else value
    return value if found == value else found
