"""What a user reads: a subject and a text made from a template and the facts of an event.

The first line of a template is the subject. What fills it may come from other programs: each value is shown on one
line, without control characters, and cut to a length a letter can bear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, PackageLoader, Template, TemplateNotFound

#: Takes the place of a template that is not there.
GENERIC = "notice"
_LONGEST = 500
_MOST_ITEMS = 100
_GAP = re.compile(r"\n{3,}")
# Plain text: nothing to escape; values are cleaned instead.
_TEMPLATES = Environment(
    loader=PackageLoader("adapters"), trim_blocks=True, lstrip_blocks=True, autoescape=False, auto_reload=False
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject of one line, and a text."""

    subject: str
    text: str


def has_template(name: str) -> bool:
    """Whether there is a text of that name."""
    return f"{name}.txt" in _TEMPLATES.list_templates()


def render(template: str, facts: Mapping[str, Any]) -> Letter:
    """The letter of a template; a general one if there is none of that name. What is missing leaves its line out."""
    said = _template(template).render(_clean(facts))
    subject, _, text = said.partition("\n")
    return Letter(" ".join(subject.split()), _GAP.sub("\n\n", text).strip())


def addressed(letter: Letter, guest: Mapping[str, Any]) -> Letter:
    """The letter with a salutation for whom it goes to."""
    text = _TEMPLATES.get_template("letter.txt").render(_clean(guest), text=letter.text)
    return replace(letter, text=text.strip())


def address_of(*guests: Mapping[str, Any]) -> str | None:
    """The first e-mail address among what is known of a guest that can be used; None if there is none."""
    return next((found for guest in guests if (found := _usable(str(guest.get("email")))) is not None), None)


@lru_cache(maxsize=10_000)
def _usable(address: str) -> str | None:
    """An e-mail address as it is written to, None if it is none. Guests come back, and looking costs."""
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


def _template(name: str) -> Template:
    try:
        return _TEMPLATES.get_template(f"{name}.txt")
    except TemplateNotFound:
        return _TEMPLATES.get_template(f"{GENERIC}.txt")


def _clean(value: Any) -> Any:
    match value:
        case str():
            printable = "".join(character if character.isprintable() else " " for character in value)
            return " ".join(printable.split())[:_LONGEST]
        case Mapping():
            return {str(name): _clean(each) for name, each in value.items()}
        case list() | tuple():
            return [_clean(each) for each in value[:_MOST_ITEMS]]
        case _:
            return value
