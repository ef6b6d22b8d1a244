"""Telephone numbers as a provider of text messages takes them."""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[ ().\-/]")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)


def usable_phone(said: object) -> str | None:
    """The number in the form of E.164 ("+31205550100"); None for what cannot be sent to, e.g. one without its country.

    A number may be written with spaces, dots, dashes, slashes and brackets, and with 00 for the plus.
    """
    if not isinstance(said, str):
        return None
    digits = _BETWEEN.sub("", said.replace("(0)", ""))  # not dialled behind the number of a country
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    return digits if _E164.fullmatch(digits) else None
