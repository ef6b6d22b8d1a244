"""What users read: every template fills, and nothing that fills it can break out of its line."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.letters import GENERIC, Letter, Reader, address_of, has_template, render, written_to
from adapters.texts import has_text
from config.settings import layouts
from streams.layout_file import read_layout

FACTS: dict[str, Any] = {
    "kind": "stay",
    "confirmation_number": "RSV-2026-000123",
    "product": "double",
    "provider": "PROP-001",
    "quantity": 2,
    "check_in": "2026-12-24",
    "check_out": "2026-12-26",
    "amount": "240.00",
    "currency": "EUR",
}
TIMES = "\N{MULTIPLICATION SIGN}"
CATALOGUE = [
    "booking_received",
    "booking_confirmed",
    "booking_changed",
    "booking_cancelled",
    "payment_received",
    "payment_failed",
    "refund",
    "receipt",
    "reminder",
    "welcome",
    "order_result",
    "order_expired",
    "order_rejected",
    "appointment_confirmed",
    "appointment_cancelled",
    "appointment_rejected",
    "prescription_created",
    "order_shipped",
    "order_delivered",
    "waitlist_offered",
    "reminder",
    GENERIC,
]


@pytest.mark.proves("CAMP-09", "CAMP-10", "ORD-05")
@pytest.mark.parametrize("layout", layouts())
def test_every_template_a_layout_names_is_there(layout: str) -> None:
    notices = read_layout(layout).notices
    named = {template for templates in notices.values() for template in templates.values()}
    assert [template for template in sorted(named) if not has_template(template)] == []
    assert [text for text in notices.get("sms", {}).values() if not has_text(text)] == []


@pytest.mark.parametrize("facts", [FACTS, {"amount": "1.00", "currency": "EUR"}], ids=["all", "few"])
@pytest.mark.parametrize("template", CATALOGUE)
def test_every_template_has_a_subject_and_a_text(template: str, facts: dict[str, Any]) -> None:
    assert has_template(template)
    letter = render(template, facts)
    assert letter.subject
    assert letter.text
    for said in (letter.subject, letter.text):
        assert not any(mark in said for mark in ("{", "}", "None", "\n\n\n", "  "))


def test_a_confirmation_says_what_was_booked() -> None:
    assert render("booking_confirmed", FACTS) == Letter(
        "Your booking RSV-2026-000123 is confirmed",
        "Your booking is confirmed.\n\n"
        "Confirmation number: RSV-2026-000123\n"
        "Check-in: Thursday, 24 December 2026\n"
        "Check-out: Saturday, 26 December 2026\n"
        f"Room: 2 {TIMES} double\n"
        "Nights: 2\n"
        "Property: PROP-001\n"
        "Price: €240.00",
    )


@pytest.mark.proves("ORD-05")
def test_an_order_that_is_out_of_stock_says_so() -> None:
    lines = [{"product": "tent", "quantity": 1, "amount": "200.00"}, {"product": "lamp", "quantity": 2, "amount": "40"}]
    facts = {"kind": "order", "lines": lines, "currency": "EUR", "status": "out_of_stock"}
    letter = render("order_result", facts)
    assert letter.subject == "Your order cannot be fulfilled"
    assert f"1 {TIMES} tent: €200.00\n2 {TIMES} lamp: €40.00" in letter.text
    assert "complete" in render("order_result", facts | {"status": "reserved"}).subject


def test_an_unknown_template_is_a_general_text() -> None:
    assert render("no_such_text", FACTS) == render(GENERIC, FACTS)
    assert render("../letters", FACTS) == render(GENERIC, FACTS)


def test_a_letter_greets_by_name_or_without_one() -> None:
    named = written_to(Reader("Ada", unsubscribe="https://rooms.example/u/t"), "booking_confirmed", FACTS)
    assert named.text.startswith("Hello Ada,\n\nYour booking is confirmed.\n\nWe look forward")
    assert named.text.endswith("Vacancy\n\nNo more mail like this: https://rooms.example/u/t")
    assert ("Hello Ada," in named.html, 'href="https://rooms.example/u/t"' in named.html) == (True, True)
    unnamed = written_to(Reader(), "booking_confirmed", FACTS)
    assert unnamed.text.startswith("Hello,\n")
    assert unnamed.text.endswith("\n\nVacancy")


@pytest.mark.parametrize("facts", [FACTS, {"amount": "1.00", "currency": "EUR"}], ids=["all", "few"])
@pytest.mark.parametrize("template", sorted(set(CATALOGUE) - {"receipt_document"}))
def test_every_letter_has_a_page_that_says_the_same(template: str, facts: dict[str, Any]) -> None:
    letter = written_to(Reader("Ada", link="https://rooms.example/receipts/t"), template, facts)
    title = letter.text.splitlines()[2]
    assert letter.html.count(f"{title}</h1>") == 1
    assert ("RSV-2026-000123" in letter.html) == ("RSV-2026-000123" in letter.text) == ("check_in" in facts)
    assert not any(mark in letter.html for mark in ("None", "{{", "{%", "Undefined"))
    assert max(len(line) for line in letter.html.splitlines()) < 990


@pytest.mark.proves("CAT-11")
def test_what_is_pending_is_never_called_confirmed() -> None:
    letter = written_to(Reader("Ada"), "booking_received", FACTS | {"status": "PENDING"})
    assert "not confirmed yet" in letter.text
    for said in (letter.subject, letter.text, letter.html):
        assert "is confirmed" not in said


@pytest.mark.parametrize(
    ("locale", "written"), [("en", "€1,234.50"), ("de_DE", "1.234,50\N{NO-BREAK SPACE}€"), ("fr", "1\u202f234,50\xa0€")]
)
def test_amounts_are_written_as_the_guest_writes_them(locale: str, written: str) -> None:
    letter = written_to(Reader(locale=locale), "booking_confirmed", FACTS | {"amount": "1234.50"})
    assert f"Price: {written}" in letter.text
    assert written in letter.html.replace("&#160;", "\xa0")


def test_a_page_shows_markup_as_text() -> None:
    wicked = "<script>alert(1)</script>\"'><img src=x>"
    named = {name: wicked for name in ("product", "provider", "confirmation_number", "reason", "record_id")}
    for template in CATALOGUE:
        page = written_to(Reader(wicked, link="https://x.example/"), template, FACTS | named).html
        assert "<script" not in page
        assert "<img" not in page
        assert "\"'>" not in page


@pytest.mark.parametrize("wicked", ["a\r\nBcc: x@example.com", "a\u2028b", "a\x00b\ud800", "{{ 7 * 7 }}", "x" * 10_000])
def test_what_comes_from_outside_stays_on_its_line(wicked: str) -> None:
    plain = render("booking_cancelled", {**FACTS, "reason": "plain", "confirmation_number": "plain"})
    letter = render("booking_cancelled", {**FACTS, "reason": wicked, "confirmation_number": wicked})
    greeted = written_to(Reader(wicked), "booking_cancelled", {**FACTS, "reason": wicked})
    assert len(letter.subject.splitlines()) == 1
    assert len(letter.text.splitlines()) == len(plain.text.splitlines())
    assert len(greeted.text.splitlines()[0]) < 600
    assert "49" not in letter.text
    assert len(letter.subject) < 600
    assert letter.text.encode()
    assert greeted.html.encode()


def test_long_lists_are_cut() -> None:
    lines = [{"product": f"p{number}", "quantity": 1, "amount": "1"} for number in range(5_000)]
    assert len(render("booking_confirmed", {**FACTS, "lines": lines}).text.splitlines()) < 120


@pytest.mark.parametrize(
    ("guests", "address"),
    [
        (({"email": "ada@example.com"}, {"email": "other@example.com"}), "ada@example.com"),
        (({"email": "ada@EXAMPLE.test"},), "ada@example.test"),
        (({}, {"email": "ada@example.com"}), "ada@example.com"),
        (({"email": "not an address"}, {"email": "ada@example.com"}), "ada@example.com"),
        (({"email": "ada@example.com\r\nBcc: x@example.com"},), None),
        (({"email": ["ada@example.com"]},), None),
        (({"email": None}, {}), None),
        ((), None),
    ],
)
def test_only_an_address_that_can_be_used_is_one(guests: tuple[dict[str, Any], ...], address: str | None) -> None:
    assert address_of(*guests) == address
