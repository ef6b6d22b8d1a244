"""What a user reads: a subject and a text, as plain text and as a page, made from a template and the facts of an event.

A template says what is to be said; `layout.txt` and `layout.html` say how it looks. What fills it may come from other
programs: each value is shown on one line, without control characters, cut to a length a letter can bear, and escaped in
the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, PackageLoader, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from adapters import wording

#: Takes the place of a template that is not there.
GENERIC = "notice"
_LONGEST = 500
_MOST_ITEMS = 100
_GAP = re.compile(r"\n{3,}")
_BLANK = re.compile(r"\n\s*\n")
_PARAGRAPH = (
    '<p class="ink" style="margin:0 0 12px;font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;'
    'font-size:15px;line-height:22px;color:#1d2622;">\n'
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject of one line, a text, and the same as a page; "" where there is none."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a letter is written: a locale for amounts, and links of their own."""

    first_name: str = ""
    locale: str = wording.LANGUAGE
    #: Where they end our mail.
    unsubscribe: str = ""
    #: Where they see what a letter is about, a receipt for instance.
    link: str = ""


def has_template(name: str) -> bool:
    """Whether there is a text of that name."""
    return f"{name}.txt" in _PLAIN.list_templates()


def render(template: str, facts: Mapping[str, Any], locale: str = wording.LANGUAGE) -> Letter:
    """What the app shows: no salutation, no page. A general text if there is no template of that name."""
    return _plain(template, _known(facts, locale))


def written_to(reader: Reader, template: str, facts: Mapping[str, Any]) -> Letter:
    """The letter as it is mailed to somebody. What is missing leaves its line out."""
    cleaned = _clean({"first_name": reader.first_name})
    links = {"unsubscribe": reader.unsubscribe, "link": reader.link}
    known = _known(facts, reader.locale) | cleaned | links | {"mailed": True}
    plain = _plain(template, known)
    page = _template(_PAGES, template).render(known, layout="layout.html")
    return Letter(plain.subject, plain.text, page)


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


def _known(facts: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """What a template can say: the facts, and the same in words."""
    cleaned: dict[str, Any] = _clean(facts)
    price = wording.money(str(cleaned.get("amount", "")), str(cleaned.get("currency", "")), locale)
    words = {"when": wording.when(cleaned), "what": wording.what(cleaned, locale), "price": price, "also": []}
    return cleaned | words | {"locale": locale, "mailed": False, "first_name": "", "link": "", "unsubscribe": ""}


def _plain(template: str, known: Mapping[str, Any]) -> Letter:
    said = _template(_PLAIN, template).render(known, layout="layout.txt")
    subject, _, text = said.lstrip().partition("\n")
    return Letter(" ".join(subject.split()), _GAP.sub("\n\n", text).strip())


def _template(environment: Environment, name: str) -> Template:
    try:
        return environment.get_template(f"{name}.txt")
    except TemplateNotFound:
        return environment.get_template(f"{GENERIC}.txt")


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


@pass_context
def _money(context: Context, amount: object) -> str:
    """The amount in the letter's currency, as its reader's locale writes it."""
    return wording.money(str(amount), str(context.get("currency", "")), str(context.get("locale", wording.LANGUAGE)))


def _paragraphs(said: str) -> Markup:
    """What was said, escaped by then, as paragraphs of a page."""
    each = (text.strip() for text in _BLANK.split(said.strip()))
    return Markup("\n".join(f"{_PARAGRAPH}{text}</p>" for text in each if text))


def _environment(*, escapes: bool) -> Environment:
    # A page is escaped; plain text has nothing to escape: values are cleaned instead.
    made = Environment(
        loader=PackageLoader("adapters"), trim_blocks=True, lstrip_blocks=True, autoescape=escapes, auto_reload=False
    )
    made.filters |= {"money": _money, "day": wording.day, "moment": wording.moment, "paragraphs": _paragraphs}
    return made


_PLAIN, _PAGES = _environment(escapes=False), _environment(escapes=True)
