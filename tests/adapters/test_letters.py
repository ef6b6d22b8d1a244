"""What users read: every template fills, and nothing that fills it can break out of its line."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.letters import GENERIC, Letter, address_of, addressed, has_template, render
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
CATALOGUE = [
    "booking_received",
    "booking_confirmed",
    "booking_changed",
    "booking_cancelled",
    "payment_received",
    "payment_failed",
    "refund",
    "receipt",
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
    GENERIC,
]


@pytest.mark.proves("CAMP-09", "CAMP-10", "ORD-05")
@pytest.mark.parametrize("layout", layouts())
def test_every_template_a_layout_names_is_there(layout: str) -> None:
    named = {template for templates in read_layout(layout).notices.values() for template in templates.values()}
    assert [template for template in sorted(named) if not has_template(template)] == []


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
        "Check-in: 2026-12-24\n"
        "Check-out: 2026-12-26\n"
        "2 x double at PROP-001\n"
        "Price: 240.00 EUR",
    )


@pytest.mark.proves("ORD-05")
def test_an_order_that_is_out_of_stock_says_so() -> None:
    lines = [{"product": "tent", "quantity": 1, "amount": "200.00"}, {"product": "lamp", "quantity": 2, "amount": "40"}]
    facts = {"kind": "order", "lines": lines, "currency": "EUR", "status": "out_of_stock"}
    letter = render("order_result", facts)
    assert letter.subject == "Your order cannot be fulfilled"
    assert "1 x tent: 200.00 EUR\n2 x lamp: 40 EUR" in letter.text
    assert "complete" in render("order_result", facts | {"status": "reserved"}).subject


def test_an_unknown_template_is_a_general_text() -> None:
    assert render("no_such_text", FACTS) == render(GENERIC, FACTS)
    assert render("../letters", FACTS) == render(GENERIC, FACTS)


def test_a_letter_greets_by_name_or_without_one() -> None:
    letter = Letter("s", "Your booking is confirmed.")
    named = addressed(letter, {"first_name": "Ada"})
    assert named == Letter("s", "Hello Ada,\n\nYour booking is confirmed.\n\nVacancy")
    assert addressed(letter, {}).text.startswith("Hello,\n")


@pytest.mark.parametrize("wicked", ["a\r\nBcc: x@example.com", "a\u2028b", "a\x00b\ud800", "{{ 7 * 7 }}", "x" * 10_000])
def test_what_comes_from_outside_stays_on_its_line(wicked: str) -> None:
    plain = render("booking_cancelled", {**FACTS, "reason": "plain", "confirmation_number": "plain"})
    letter = render("booking_cancelled", {**FACTS, "reason": wicked, "confirmation_number": wicked})
    greeted = addressed(letter, {"first_name": wicked})
    assert len(letter.subject.splitlines()) == 1
    assert len(letter.text.splitlines()) == len(plain.text.splitlines())
    assert len(greeted.text.splitlines()) == len(letter.text.splitlines()) + 4
    assert "49" not in letter.text
    assert len(letter.subject) < 600
    assert letter.text.encode()


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
