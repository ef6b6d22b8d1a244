"""What a guest prints: one page that says the facts, whatever texts are in them."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.receipt_page import Printer, shows
from adapters.receipt_words import Facts, Line, locale_of, shown

PRINTER = Printer()
NIGHTS = Line(what="double", quantity=1, amount=Decimal("240.00"), start=date(2026, 12, 24), end=date(2026, 12, 26))
FACTS = Facts(
    number="RCP-2026-000123",
    receipt_id="20a1f27e-751b-5730-8b65-99c33490395d",
    payment_id="9a0f31f0-93b6-5c1e-8d0b-3f4f5b6c7d8e",
    booking_id="40a1f27e-751b-5730-8b65-99c33490395d",
    paid_at=datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
    amount=Decimal("240.00"),
    currency="EUR",
    price=Decimal("240.0"),
    provider="PROP-001",
    confirmation_number="RSV-2026-000123",
    guest="Ada Lovelace",
    brand="visa",
    last4="4242",
    lines=(NIGHTS,),
    link="https://rooms.example/receipts/a-token",
)


def facts(**more: Any) -> Facts:
    return msgspec.structs.replace(FACTS, **more)


def texts(page: bytes) -> str:
    """What stands on the pages, in one line; the invisible breaks in long words left out."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not there to read the page with: install poppler-utils")
    found = subprocess.run([reader, "-raw", "-", "-"], input=page, capture_output=True, check=True)
    return " ".join(found.stdout.decode().replace("\u200b", "").split())


def test_a_page_says_what_was_paid_and_for_what() -> None:
    said = texts(PRINTER.render(FACTS))
    for text in ("Receipt", "RCP-2026-000123", "December 1, 2026", "RSV-2026-000123", "Ada Lovelace", "Visa •••• 4242"):
        assert text in said
    for text in ("PROP-001", "double", "Dec 24 \u2013 26, 2026 · 2 nights", "Paid €240.00", FACTS.receipt_id):
        assert text in said
    assert "Booking total" not in said


def test_the_same_facts_are_the_same_bytes() -> None:
    page = PRINTER.render(FACTS)
    assert page == Printer().render(facts())
    assert page.startswith(b"%PDF-")


@pytest.mark.parametrize("change", [{"guest": None}, {"link": "https://rooms.example/receipts/b"}, {"locale": "de"}])
def test_a_page_is_known_by_its_facts_and_its_bytes(change: dict[str, Any]) -> None:
    page = PRINTER.render(FACTS)
    assert shows(page, FACTS)
    assert not shows(page, facts(**change))
    damaged = [page[:-1], page[:900], b"", b"not a page", page.replace(b"%PDF-1.7", b"%PDF-1.6"), page + b"\n"]
    assert not any(shows(each, FACTS) for each in damaged)


def test_nothing_of_the_machine_is_in_a_page() -> None:
    page = PRINTER.render(FACTS)
    assert re.search(rb"/Title\(Receipt RCP-2026-000123\)", page)
    assert set(re.findall(rb"/(?:Creation|Mod)Date\(D:(\d+)", page)) == {b"20261201000000"}
    assert b"/Author" not in page
    assert b"/home" not in page


HOSTILE = [
    '#panic("no") #sys.inputs #{1+1} $x^2$ *bold* _it_ `raw` <label> @ref // no /* no */ \\ ~ -- ... "quoted"',
    '#read("/etc/passwd") #include "receipt.typ" #link("x")[y]',
    "İstanbul Ærøskøbing Žluťoučký 山田花子 Ελλάδα",
    "שלום עולם والسلام عليكم",
    "🏨🛏️👩‍👩‍👧‍👦",
    "A" * 5_000,
    "two\nlines\tand\x00 a \x1b[31mcontrol \u202ecode",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_a_text_and_never_markup(text: str) -> None:
    line = msgspec.structs.replace(NIGHTS, what=text)
    page = PRINTER.render(facts(guest=text, provider=text, confirmation_number=text, brand=text, lines=(line,)))
    assert shows(page, facts(guest=text, provider=text, confirmation_number=text, brand=text, lines=(line,)))
    if "bold" in text:
        assert "#panic(" in texts(page)
        assert "*bold* _it_ `raw` <label> @ref // no" in texts(page)


def test_a_text_of_any_length_stays_on_its_page() -> None:
    """It is cut to what can be read, and can be broken anywhere."""
    said = shown(facts(guest="W" * 5_000))["guest"]
    assert len(said.replace("\u200b", "")) == 301
    assert "\u200b" in said
    assert shown(facts(link="https://rooms.example/" + "x" * 500))["link"].endswith("x" * 500)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        ("1240.5", "EUR", "de", "1.240,50 €"),
        ("1240.5", "EUR", "de-CH", "EUR 1\u2019240.50"),
        ("1240.5", "EUR", "fr", "1\u202f240,50 €"),
        ("24000", "JPY", "en", "¥24,000"),
        ("24000", "JPY", "ja", "¥24,000"),
        ("12.345", "KWD", "en", "KWD 12.345"),
        ("12.345", "KWD", "ar", "KWD 12.345"),
        ("12.345", "KWD", "it", "12,345 KWD"),
    ],
)
def test_amounts_are_written_as_the_guest_writes_them(amount: str, currency: str, locale: str, written: str) -> None:
    said = shown(facts(amount=Decimal(amount), currency=currency, locale=locale))["amount"]
    assert said.replace("\u00a0", " ") == written


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("de-AT", "de"), ("fr_CA", "fr"), ("nl", "nl"), ("es-419", "es"), ("it", "it"), ("en-GB", "en")]
    + [(other, "en") for other in ("ja", "ar-EG", "zh-Hant-TW", "xx", "not a tag", "", "../..", None)],
)
def test_a_language_without_words_is_english(tag: str | None, language: str) -> None:
    assert locale_of(tag).language == language
    assert shown(facts(locale=tag))["language"] == language


def test_hours_days_and_things_without_a_time_are_told_apart() -> None:
    day, next_day = datetime(2026, 12, 24, 10), datetime(2026, 12, 25, 11, 30)
    times = [
        (day, day.replace(hour=11)),
        (day, next_day),
        (date(2026, 12, 24), date(2026, 12, 25)),
        (None, None),
    ]
    lines = tuple(msgspec.structs.replace(NIGHTS, start=start, end=end) for start, end in times)
    said = [line["when"].replace("\u2009", " ") for line in shown(facts(lines=lines))["lines"]]
    assert said == [
        "Dec 24, 2026, 10:00 \u2013 11:00",
        "Dec 24, 2026, 10:00 \u2013 Dec 25, 2026, 11:30",
        "Dec 24 \u2013 25, 2026 · 1 night",
        "",
    ]


def test_many_lines_go_on_over_several_pages() -> None:
    lines = tuple(msgspec.structs.replace(NIGHTS, what=f"room-{number}") for number in range(60))
    said = texts(PRINTER.render(facts(lines=lines, price=Decimal(14_400))))
    assert all(f"room-{number} " in said for number in range(60))
    assert "Booking total €14,400.00 Paid €240.00" in said
    assert re.search(r"1 / ([34]) .* \1 / \1", said)


def test_a_receipt_of_a_payment_alone_can_be_printed() -> None:
    bare = facts(lines=(), price=None, provider="", confirmation_number="", guest=None, brand=None, last4=None)
    said = texts(PRINTER.render(bare))
    assert "Payment method Card" in said
    assert "Received from" not in said


def test_the_code_is_drawn_on_the_page_and_the_page_links_where_it_leads() -> None:
    assert b"/URI(https://rooms.example/receipts/a-token)" in PRINTER.render(FACTS)
