"""An entry of a waitlist as the API shows it, and why somebody cannot wait."""

from __future__ import annotations

from urllib.parse import quote

from domain.calendar import stay_of
from domain.waitlist import LAST_CALL, MOST_ENTRIES, Entry, EntryStatus
from web.answers import GuestOut
from web.problems import Problem, invalid
from web.waitlist_models import EntryLinks, EntryOut


def entry_out(entry: Entry, position: int | None, guest: GuestOut | None) -> EntryOut:
    check_in, check_out = stay_of(entry.start, entry.end, entry.time_zone)
    accepted = entry.status is EntryStatus.ACCEPTED
    itself, name = "/api/waitlist", quote(entry.entry_id, safe="")
    return EntryOut(
        entry_id=entry.entry_id,
        status=entry.status,
        position=position,
        property_id=entry.provider_id,
        unit_type=entry.product_id,
        check_in=check_in,
        check_out=check_out,
        quantity=entry.quantity,
        user_id=entry.user_id,
        guest=guest,
        joined_at=entry.joined_at,
        offer_until=entry.offer_until,
        last_call=entry.until,
        ended_at=entry.ended_at,
        booking_id=entry.entry_id if accepted else None,
        links=EntryLinks(
            self=f"{itself}/{name}",
            accept=f"{itself}/{name}/accept",
            withdraw=f"{itself}/{name}/withdraw",
            booking=f"/api/reservations/{name}" if accepted else None,
        ),
    )


def too_late() -> Problem:
    return invalid(
        "check_in", f"nobody waits after {LAST_CALL:%H:%M} on the day of arrival; book, if there is anything"
    )


def refusal_of(entry: Entry) -> Problem:
    """Why an entry could not join."""
    match entry.reason:
        case "nights_free":
            detail = "Nobody waits for nights that are free: book them with POST /api/reservations."
            return Problem(409, "nights-are-free", "The nights are free", detail)
        case "waitlist_full":
            detail = f"At most {MOST_ENTRIES} wait for a unit type. Try again later, with another Idempotency-Key."
            return Problem(409, "waitlist-full", "The waitlist is full", detail)
        case "more_than_there_is":
            return invalid("quantity", "is more than there ever is of this unit type")
        case "too_late":
            return too_late()
        case reason:
            detail = f"These nights cannot be booked, and not for being sold out: {reason}."
            return Problem(409, "not-waited-for", "Nobody can wait for this", detail, more={"reason": reason})
