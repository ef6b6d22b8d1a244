"""A receipt as a PDF page: typeset by typst from `templates/receipt.typ`, with a QR code of its link.

The facts go to the template as JSON, so no text of theirs can be read as markup; nothing is fetched. The fonts are
those in the typst package; of a script that they do not have, the machine's.
"""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path

import msgspec
import segno
import typst

from adapters.receipt_words import Facts, shown

_TEMPLATE = Path(__file__).with_name("templates") / "receipt.typ"
#: Beyond the end of the PDF, where readers skip it: what the page was made of, and what its bytes were.
_SEAL = b"\n%%vacancy facts=%s page=%s\n"
_SEAL_LENGTH = len(_SEAL % (bytes(64), bytes(64)))
#: Part of what a page is made of: with another template or words an older page is none of ours any more.
_EDITION = b"1"


class Printer:
    """Makes pages, one at a time: whoever shares a printer between threads has them wait for each other."""

    def render(self, facts: Facts) -> bytes:
        """The PDF of a receipt. About ten milliseconds of a core; the first one also reads the fonts."""
        page = {**shown(facts), "qr": _code(facts.link), "date": _ymd(facts)}
        data, time = msgspec.json.encode(page).decode(), int(facts.paid_at.timestamp())
        found = self._compiler.compile(format="pdf", sys_inputs={"data": data}, timestamp=time)
        assert isinstance(found, bytes)
        return found + _SEAL % (digest(facts).encode(), hashlib.sha256(found).hexdigest().encode())

    @cached_property
    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent)


def shows(page: bytes, facts: Facts) -> bool:
    """Whether these bytes are the whole page of these facts: not of older ones, and not damaged."""
    content, seal = page[:-_SEAL_LENGTH], page[-_SEAL_LENGTH:]
    return seal == _SEAL % (digest(facts).encode(), hashlib.sha256(content).hexdigest().encode())


def digest(facts: Facts) -> str:
    """A fingerprint of what a page says, 64 hexadecimal digits."""
    return hashlib.sha256(_EDITION + msgspec.json.encode(facts)).hexdigest()


def _code(link: str) -> str:
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()


def _ymd(facts: Facts) -> list[int]:
    return [facts.paid_at.year, facts.paid_at.month, facts.paid_at.day]
