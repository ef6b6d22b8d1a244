"""Letters as messages: what mail programs read of them, their calendar file, and nothing forged in a header."""

from __future__ import annotations

import email
import email.policy
import uuid
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar

from adapters.calendar_file import CalendarFile, calendar_of
from adapters.letters import Letter, Reader, written_to
from adapters.messages import Envelope, compose, message_id_of, notice_of

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOTICE = str(uuid.UUID(int=7))
LINK = "https://rooms.example/unsubscribe/" + "x" * 200
STAY: dict[str, Any] = {
    "kind": "stay",
    "confirmation_number": "RSV-2026-000123",
    "product": "double",
    "provider": "PROP-001",
    "quantity": 1,
    "check_in": "2026-12-24",
    "check_out": "2026-12-26",
    "amount": "240.00",
    "currency": "EUR",
}
VISIT: dict[str, Any] = {
    "kind": "appointment",
    "product": "Dr. Mayer",
    "start": "2026-07-24 10:00",
    "end": "2026-07-24 10:15",
    "time_zone": "Europe/Berlin",
}


def envelope(**more: Any) -> Envelope:
    given: dict[str, Any] = {"notice_id": NOTICE, "sender": "Rooms <rooms@example.com>", "to": "ada@example.com"}
    return Envelope(**given | {"at": NOW, "unsubscribe": LINK} | more)


def read(message: EmailMessage) -> EmailMessage:
    """The message as whoever gets it reads it."""
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)


def confirmation(**more: Any) -> EmailMessage:
    letter = written_to(Reader("Ada", unsubscribe=LINK), "booking_confirmed", STAY)
    return compose(letter, envelope(**more), calendar_of("booking_confirmed", STAY, "b1", NOW))


@pytest.mark.proves("CAMP-16", "CAT-11")
def test_a_mail_says_who_what_and_how_to_end_it() -> None:
    found = read(confirmation())
    assert (found["From"], found["To"]) == ("Rooms <rooms@example.com>", "ada@example.com")
    assert found["Subject"] == "Your booking RSV-2026-000123 is confirmed"
    assert found["Message-ID"] == message_id_of(NOTICE) == f"<{NOTICE}@vacancy>"
    assert found["Date"].datetime == NOW
    assert found["List-Unsubscribe"] == f"<{LINK}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["Auto-Submitted"] == "auto-generated"
    assert not found.defects


def test_a_mail_is_a_text_and_a_page_and_a_file_for_the_calendar() -> None:
    found = read(confirmation())
    text, page = found.get_body(("plain",)), found.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "Check-in: Thursday, 24 December 2026" in text.get_content()
    assert "Thursday, 24 December 2026" in page.get_content()
    (attached,) = found.iter_attachments()
    assert (attached.get_content_type(), attached.get_param("method")) == ("text/calendar", "PUBLISH")
    assert attached.get_filename() == "booking.ics"


def test_made_twice_it_is_the_same_to_the_byte() -> None:
    assert confirmation().as_bytes() == confirmation().as_bytes()


def test_a_letter_of_text_alone_is_text_alone() -> None:
    found = read(compose(Letter("Grüße ☃", "Schön\n" + "ß" * 2_000), envelope(unsubscribe="")))
    assert (found.get_content_type(), found["Subject"]) == ("text/plain", "Grüße ☃")
    assert found.get_content().splitlines() == ["Schön", "ß" * 2_000]
    assert found["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ({"notice_id": "../escape"}, "s"),
        ({"to": "ada@example.com\r\nBcc: x@example.com"}, "s"),
        ({"sender": "a@example.com\nBcc: x@example.com"}, "s"),
        ({"unsubscribe": "https://x\r\nBcc: x@example.com"}, "s"),
        ({}, "s\r\nBcc: x@example.com"),
        ({}, "s\nBcc: x@example.com"),
    ],
)
def test_nothing_is_made_that_could_forge_a_header(given: dict[str, Any], subject: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compose(Letter(subject, "text"), envelope(**given))


@pytest.mark.parametrize("said", ["<x@vacancy>", "<../../x@vacancy>", f"{NOTICE}@vacancy", f"<{NOTICE}@else>", ""])
def test_only_our_message_ids_name_a_notice(said: str) -> None:
    assert notice_of(said) is None
    assert notice_of(f" {message_id_of(NOTICE)} ") == NOTICE


# --- the calendar ---


def entry(found: CalendarFile | None) -> Any:
    """The one entry of a file, read back."""
    assert found is not None
    calendar = Calendar.from_ical(found.text)
    assert calendar["METHOD"] == found.method
    (event,) = calendar.walk("VEVENT")
    return event


def test_a_stay_is_whole_days() -> None:
    found = entry(calendar_of("booking_confirmed", STAY, "b1", NOW))
    assert (found["DTSTART"].dt, found["DTEND"].dt) == (date(2026, 12, 24), date(2026, 12, 26))
    assert (str(found["UID"]), str(found["STATUS"]), str(found["LOCATION"])) == ("b1@vacancy", "CONFIRMED", "PROP-001")
    assert "RSV-2026-000123" in found["DESCRIPTION"]


def test_an_appointment_is_exact_with_its_zone() -> None:
    file = calendar_of("appointment_confirmed", VISIT, "b1", NOW)
    found = entry(file)
    assert found["DTSTART"].dt == datetime(2026, 7, 24, 8, tzinfo=UTC)
    assert found["DTEND"].dt - found["DTSTART"].dt == timedelta(minutes=15)
    assert found["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert file is not None
    (zone,) = Calendar.from_ical(file.text).walk("VTIMEZONE")
    assert len(zone.subcomponents) > 1


def test_a_change_takes_the_place_of_what_was_and_a_cancellation_takes_it_out() -> None:
    later = NOW  # two changes may be told within one second
    first = entry(calendar_of("booking_confirmed", STAY, "b1", NOW))
    moved = entry(calendar_of("booking_changed", STAY | {"check_out": "2026-12-27", "revision": 2}, "b1", later))
    gone = calendar_of("booking_cancelled", STAY, "b1", later + timedelta(days=1))
    assert gone is not None
    assert gone.method == "CANCEL"
    ended = entry(gone)
    assert str(first["UID"]) == str(moved["UID"]) == str(ended["UID"])
    assert first["SEQUENCE"] < moved["SEQUENCE"] < ended["SEQUENCE"]
    assert str(ended["STATUS"]) == "CANCELLED"


@pytest.mark.parametrize(
    ("template", "facts", "booking_id"),
    [
        ("booking_received", STAY, "b1"),
        ("receipt", STAY, "b1"),
        ("booking_changed", STAY | {"status": "PENDING"}, "b1"),
        ("booking_confirmed", STAY, None),
        ("booking_confirmed", {"kind": "order"}, "b1"),
        ("booking_confirmed", STAY | {"check_out": "soon"}, "b1"),
        ("appointment_confirmed", VISIT | {"time_zone": "Mars/Olympus"}, "b1"),
        ("appointment_confirmed", VISIT | {"time_zone": "../../etc/passwd"}, "b1"),
        ("appointment_confirmed", VISIT | {"start": "0001-01-01 09:00", "end": "0001-01-01 10:00"}, "b1"),
        ("appointment_confirmed", VISIT | {"start": "9999-12-31 09:00", "end": "9999-12-31 10:00"}, "b1"),
    ],
)
def test_what_is_not_settled_or_has_no_time_is_in_no_calendar(
    template: str, facts: dict[str, Any], booking_id: str | None
) -> None:
    assert calendar_of(template, facts, booking_id, NOW) is None


def test_what_a_name_holds_stays_in_its_line_of_the_file() -> None:
    wicked = "x\r\nATTENDEE:mailto:eve@example.com\nEND:VEVENT"
    found = entry(calendar_of("appointment_confirmed", VISIT | {"product": wicked}, "b1", NOW))
    assert "ATTENDEE" not in found
