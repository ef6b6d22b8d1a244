"""Card numbers in what other programs write: none of them comes into an inbox, a row or a message of ours.

Their own topics are theirs, and what is buried stands on its dead-letter topic as it came. What is let in goes on with
a note in the place of the number; a token that was one pays nothing. Ids stay as they are: with a note in their place
two bookings, or two people, would become one.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from domain.card_numbers import has_card_number, without_card_numbers
from streams.events import Envelope

V = TypeVar("V")


def without_cards(news: Envelope) -> Envelope:
    """The message with a note in the place of each card number; the same one where there is none."""
    said = {name: getattr(news, name) for name in ("data", "personal", "metadata")}
    changed = {name: clean for name, value in said.items() if (clean := _clean(value)) is not value}
    return msgspec.structs.replace(news, **changed) if changed else news


def _clean(value: V) -> V:
    """The value without card numbers; itself where it has none. Phone numbers may have any digits."""
    found: Any = value
    match value:
        case str():
            found = without_card_numbers(value)
        case dict():
            found = {_clean(name): each if name == "phone" else _clean(_text(each)) for name, each in value.items()}
        case list() | tuple():
            found = type(value)(_clean(_text(each)) for each in value)
        case msgspec.Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__ if not name.endswith("_id")}
            changed = {name: new for name, old in fields.items() if (new := _clean(old)) != old}
            found = msgspec.structs.replace(value, **changed) if changed else value
    return value if found == value else found


def _text(value: Any) -> Any:
    """A number that is one of a card as text, which can carry a note."""
    return str(value) if type(value) is int and has_card_number(str(value)) else value
