"""What a text message says: one line of a template and the facts of an event, short enough for one message.

Only characters of the GSM 03.38 alphabet are sent, of which one message has room for 160: any other would halve it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, TemplateNotFound

from adapters.letters import GENERIC

#: How many characters one message has room for.
LONGEST = 160
_GSM = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LONGEST_FACT = 40
_TEMPLATES = Environment(
    loader=PackageLoader("adapters", "templates/sms"),
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
    auto_reload=False,
)


def has_text(name: str) -> bool:
    """Whether there is a text of that name."""
    return f"{name}.txt" in _TEMPLATES.list_templates()


def text_of(template: str, facts: Mapping[str, Any]) -> str:
    """The text message of a template, on one line; a general one if there is none of that name."""
    try:
        found = _TEMPLATES.get_template(f"{template}.txt")
    except TemplateNotFound:
        found = _TEMPLATES.get_template(f"{GENERIC}.txt")
    said = found.render({name: _short(value) for name, value in facts.items()})
    line = " ".join(_spelled(said).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3].rstrip()}..."


def _short(value: Any) -> Any:
    return value[:_LONGEST_FACT] if isinstance(value, str) else value


def _spelled(text: str) -> str:
    """The text in the alphabet: a letter with an accent it has not loses it, anything else becomes a question mark."""
    return "".join(character if character in _GSM else _nearest(character) for character in text)


def _nearest(character: str) -> str:
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if plain in _GSM else "?"
