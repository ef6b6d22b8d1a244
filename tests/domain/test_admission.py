"""Requests of other programs: cut, priced and bounded anew (design 3, C5, C18)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.admission import ChangeTerms, Inadmissible, Terms, booking_of, change_of, check_size
from domain.appointments import appointment_period, local_time
from domain.calendar import Unbookable
from domain.hearsay import record_of, user_of
from streams.events.about import About, Kind, Line
from streams.events.availability import ResourceDeclared, Slots
from streams.events.booking_news import BookingCreated, BookingUpdated
from streams.events.records import (
    ChangeRecord,
    HealthRecordCreated,
    HealthRecordUpdated,
    OpenRecord,
    PharmacyOrderCreated,
    PharmacyOrderShipped,
    PharmacyOrderUpdated,
    PrescriptionCancelled,
    PrescriptionUpdated,
    RecordNews,
)
from streams.events.stay import StayRules
from streams.events.users import ChangeUser, RegisterUser, UserCreated, UserUpdated
from tests.domain.messages import DEADLINE, NOW, night

AMSTERDAM = "Europe/Amsterdam"


def resource(
    product: str = "pitch",
    provider: str = "camp",
    slots: Slots = "nights",
    zone: str = AMSTERDAM,
    price: str = "50.00",
    currency: str = "EUR",
) -> ResourceDeclared:
    return ResourceDeclared(
        provider_id=provider,
        product_id=product,
        capacity=3,
        overbooking_limit=0,
        slots=slots,
        time_zone=zone,
        price_amount=Decimal(price),
        price_currency=currency,
        min_stay=1,
    )


def line(product: str = "pitch", provider: str = "camp", quantity: int = 1, price: str = "0", number: int = 1) -> Line:
    return Line(
        line=number,
        provider_id=provider,
        product_id=product,
        start=night(0),
        end=night(2),
        quantity=quantity,
        price_amount=Decimal(price),
    )


def about(*lines: Line, kind: Kind = "stay", zone: str = "UTC", details: dict[str, Any] | None = None) -> About:
    return About(
        kind=kind,
        lines=lines,
        price_amount=Decimal(0),
        price_currency="EUR",
        time_zone=zone,
        guest="sealed guest",
        details=details or {},
    )


def created(
    told: About | None = None,
    price: str = "100.00",
    quantity: int = 1,
    currency: str = "EUR",
    product: str = "pitch",
    **more: Any,
) -> BookingCreated:
    return BookingCreated(
        booking_id="b1",
        user_id="u1",
        product_id=product,
        provider_id="camp",
        start_time=night(0),
        end_time=night(2),
        quantity=quantity,
        price_amount=Decimal(price),
        price_currency=currency,
        about=told,
        **more,
    )


def updated(told: About | None, price: str = "100.00", currency: str = "EUR") -> BookingUpdated:
    return BookingUpdated(
        booking_id="b1",
        user_id="u1",
        product_id="pitch",
        start_time=night(0),
        end_time=night(2),
        quantity=1,
        price_amount=Decimal(price),
        price_currency=currency,
        status="CONFIRMED",
        revision=1,
        updated_at=NOW,
        about=told,
    )


def terms(*resources: ResourceDeclared, token: str | None = "sealed token") -> Terms:
    return Terms(
        resources={(each.provider_id, each.product_id): each for each in resources},
        confirm_on="payment.authorized",
        confirmation_number="RSV-2026-000007",
        deadline=DEADLINE,
        payment_token=token,
        fingerprint="f" * 64,
        now=NOW,
    )


def changing(*resources: ResourceDeclared) -> ChangeTerms:
    known = {(each.provider_id, each.product_id): each for each in resources}
    return ChangeTerms(resources=known, deadline=DEADLINE, now=NOW, message_id="m1")


def appointment(day: str = "2026-12-24", hour: str = "09:15") -> About:
    asked = line(product="dr-1", provider="clinic")
    return about(asked, kind="appointment", details={"date": day, "time": hour, "visit_type": "virtual"})


DOCTOR = resource(product="dr-1", provider="clinic", slots=15, price="0")


# --- bookings ---


@pytest.mark.proves("CAMP-12")
def test_dates_are_the_nights_of_the_place_they_are_spent_at() -> None:
    asked = booking_of(created(about(line())), terms(resource()))
    assert asked.refusal is None
    assert asked.lines[0].start == datetime(2026, 12, 23, 23, tzinfo=UTC)
    assert asked.lines[0].end == datetime(2026, 12, 25, 23, tzinfo=UTC)
    assert (asked.price_amount, asked.price_currency, asked.time_zone) == (Decimal("100.00"), "EUR", AMSTERDAM)
    assert (asked.kind, asked.guest, asked.announced, asked.prepaid) == ("stay", "sealed guest", True, True)
    assert (asked.confirmation_number, asked.deadline) == ("RSV-2026-000007", DEADLINE)
    assert (asked.payment_token, asked.free_until) == ("sealed token", asked.lines[0].start)


@given(
    st.sampled_from(["UTC", AMSTERDAM, "Pacific/Kiritimati", "America/St_Johns", "Africa/Casablanca"]),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]),
    st.dates(date(2026, 12, 5), date(2031, 1, 1)),
    st.integers(1, 20),
)
def test_every_stay_keeps_the_dates_its_document_shows(place: str, told: str, first: date, nights: int) -> None:
    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(told)).replace(hour=0).astimezone(UTC)

    last = first + timedelta(days=nights)
    asked = msgspec.structs.replace(line(), start=midnight(first), end=midnight(last))
    found = booking_of(created(about(asked, zone=told), price=str(50 * nights)), terms(resource(zone=place)))
    assert found.refusal is None
    shown = [each.astimezone(ZoneInfo(place)).date() for each in (found.lines[0].start, found.lines[0].end)]
    assert shown == [first, last]


@pytest.mark.proves("CAT-16")
def test_a_document_without_lines_is_booked_by_its_main_fields() -> None:
    asked = booking_of(created(quantity=2, price="200.00"), terms(resource(zone="UTC")))
    assert (asked.refusal, asked.kind, asked.guest) == (None, "booking", None)
    assert asked.lines == (
        Line(
            line=1,
            provider_id="camp",
            product_id="pitch",
            start=night(0),
            end=night(2),
            quantity=2,
            price_amount=Decimal("200.00"),
        ),
    )


def test_a_stay_in_what_is_not_cut_by_the_night_is_taken_as_it_came() -> None:
    asked = booking_of(created(about(line()), price="4800.00"), terms(resource(slots=60, price="100.00")))
    assert (asked.refusal, asked.lines[0].start, asked.price_amount) == (None, night(0), Decimal("4800.00"))


@pytest.mark.proves("CAMP-12", "C18")
@pytest.mark.parametrize(
    ("price", "currency", "refusal"),
    [
        ("100.00", "EUR", None),
        ("100.00000000000001", "EUR", None),
        ("99.99", "EUR", "price_changed"),
        ("100.01", "EUR", "price_changed"),
        ("100.00", "USD", "price_changed"),
        ("0", "EUR", "price_changed"),
    ],
)
def test_another_price_than_ours_is_refused(price: str, currency: str, refusal: str | None) -> None:
    asked = booking_of(created(about(line()), price=price, currency=currency), terms(resource()))
    assert (asked.refusal, asked.price_amount, asked.price_currency) == (refusal, Decimal("100.00"), "EUR")


def test_without_a_payment_method_only_what_costs_nothing_is_booked() -> None:
    asked = booking_of(created(about(line())), terms(resource(), token=None))
    assert (asked.refusal, asked.payment_token) == ("payment_method_missing", "")
    free = booking_of(created(about(line()), price="0"), terms(resource(price="0"), token=None))
    assert (free.refusal, free.payment_token, free.price_amount) == (None, "", Decimal(0))


def test_an_unknown_resource_is_refused_before_anything_is_asked_or_taken() -> None:
    asked = booking_of(created(about(line(), line("tent"))), terms(resource(), token=None))
    assert (asked.refusal, len(asked.lines)) == ("unknown_resource", 2)
    assert asked.lines[0].start == night(0)


def test_all_lines_are_priced_and_numbered_by_us() -> None:
    lines = line("a", quantity=2, price="1", number=7), line("b", price="2", number=7)
    told = about(*lines, kind="order")
    known = resource("a", slots="none", price="10.00"), resource("b", slots="none", price="0.50")
    asked = booking_of(created(told, price="20.50"), terms(*known))
    assert (asked.refusal, asked.kind, asked.price_amount) == (None, "order", Decimal("20.50"))
    assert [(each.line, each.price_amount) for each in asked.lines] == [(1, Decimal("20.00")), (2, Decimal("0.50"))]
    mixed = booking_of(created(told), terms(known[0], resource("b", slots="none", currency="USD")))
    assert mixed.refusal == "mixed_currencies"


@pytest.mark.parametrize(
    ("told", "known", "refusal"),
    [
        (about(line(quantity=1001)), resource(), "quantity_too_large"),
        (about(line(), zone="Mars/Olympus"), resource(), "unknown_time_zone"),
        (about(msgspec.structs.replace(line(), end=night(400))), resource(), "too_many_slots"),
        (about(msgspec.structs.replace(line(), end=night(0)), kind="booking"), resource(), "invalid_period"),
    ],
)
def test_a_booking_that_cannot_be_cut_is_opened_and_refused(told: About, known: ResourceDeclared, refusal: str) -> None:
    asked = booking_of(created(told), terms(known))
    assert (asked.refusal, asked.price_amount, len(asked.lines)) == (refusal, Decimal("100.00"), 1)


@pytest.mark.parametrize(
    ("booking", "why"),
    [
        (created(quantity=0), "quantity of 0"),
        (created(quantity=-1), "quantity of -1"),
        (created(quantity=10**30), "quantity of 1"),
        (created(about(line(quantity=0))), "quantity of 0"),
        (created(about(*[line()] * 21)), "21 lines"),
        (created(price="-1"), "-1 is no price"),
        (created(price="1e300"), "is no price"),
        (created(about(line(price="-0.01"))), "-0.01 is no price"),
    ],
)
def test_what_no_booking_can_have_is_not_even_opened(booking: BookingCreated, why: str) -> None:
    with pytest.raises(Inadmissible, match=why):
        booking_of(booking, terms(resource()))


def test_a_request_is_bounded_in_size() -> None:
    check_size(created(metadata={"note": "x" * 60_000}))
    with pytest.raises(Inadmissible, match="bytes"):
        check_size(created(metadata={"note": "x" * 66_000}))


# --- appointments ---


@pytest.mark.proves("CLN-05", "C18")
def test_an_appointment_is_one_slot_of_the_practitioner_and_not_paid_here() -> None:
    asked = booking_of(created(appointment(), price="0"), terms(DOCTOR, token=None))
    start = datetime(2026, 12, 24, 8, 15, tzinfo=UTC)
    assert asked.refusal is None
    assert (asked.lines[0].start, asked.lines[0].end) == (start, start + timedelta(minutes=15))
    assert (asked.prepaid, asked.price_amount, asked.details["visit_type"]) == (False, Decimal(0), "virtual")
    priced = booking_of(created(appointment(), price="0"), terms(resource("dr-1", "clinic", 15, price="80.00")))
    assert (priced.refusal, priced.prepaid, priced.price_amount) == (None, False, Decimal("80.00"))


@pytest.mark.parametrize(
    ("day", "hour", "refusal"),
    [
        ("2026-12-24", "09:16", "off_the_grid"),
        ("2026-12-24", "24:00", "invalid_period"),
        ("2026-12-24", "9:15", "invalid_period"),
        ("2026-02-30", "09:15", "invalid_period"),
        ("20261224", "09:15", "invalid_period"),
        ("0001-01-01", "00:00", "invalid_period"),
        ("2026-03-29", "02:30", "invalid_period"),  # the clocks skip it
    ],
)
def test_an_appointment_at_no_slot_is_refused(day: str, hour: str, refusal: str) -> None:
    assert booking_of(created(appointment(day, hour), price="0"), terms(DOCTOR)).refusal == refusal


@pytest.mark.proves("CLN-05")
def test_nothing_else_becomes_free_by_calling_itself_an_appointment() -> None:
    court = resource("court", "club", 60, price="50.00")
    told = about(line("court", "club"), kind="appointment", details={"date": "2026-12-24", "time": "09:00"})
    asked = booking_of(created(told, price="0"), terms(court))
    assert (asked.prepaid, asked.refusal) == (True, "price_changed")
    with pytest.raises(Inadmissible, match=r"costs 50\.00 EUR"):
        change_of(updated(told, price="0"), changing(court))


def test_an_order_may_be_given_back_for_two_weeks() -> None:
    asked = booking_of(
        created(about(line("a"), kind="order"), price="1"), terms(resource("a", slots="none", price="1"))
    )
    assert asked.free_until == NOW + timedelta(days=14)


def test_an_appointment_needs_a_resource_of_minutes_and_a_time_zone() -> None:
    nights = terms(resource("dr-1", "clinic", "nights"))
    assert booking_of(created(appointment(), price="0"), nights).refusal == "unsupported_slots"
    for slots in (0, 1441):
        with pytest.raises(Unbookable, match="unsupported_slots"):
            appointment_period(slots, "UTC", "2026-12-24", "09:15")
    with pytest.raises(Unbookable, match="unknown_time_zone"):
        appointment_period(15, "Mars/Olympus", "2026-12-24", "09:15")


@given(st.sampled_from([AMSTERDAM, "UTC", "Asia/Kathmandu"]), st.integers(0, 4 * 24 * 365), st.sampled_from([5, 15]))
def test_every_slot_is_found_by_the_hour_its_clocks_show(zone: str, quarter: int, minutes: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    found = appointment_period(minutes, zone, *local_time(start, zone))
    # The hour that clocks show twice names its first slot.
    assert found[0] in (start, start - timedelta(hours=1))
    assert local_time(found[0], zone) == local_time(start, zone)
    assert found[1] - found[0] == timedelta(minutes=minutes)


# --- changes ---


def test_a_change_is_cut_and_priced_as_a_booking_is() -> None:
    known = resource()
    change = change_of(updated(about(line(), details={"note": "late"})), changing(known))
    assert (change.revision, change.price_amount, change.deadline) == (0, Decimal("100.00"), DEADLINE)
    assert (change.guest, change.user_id, change.details) == ("sealed guest", "u1", {"note": "late"})
    assert change.lines is not None
    assert change.lines[0].start == change.free_until == datetime(2026, 12, 23, 23, tzinfo=UTC)
    assert change_of(updated(about(line())), changing(known)).details is None


def test_another_programs_stay_has_the_hours_of_its_unit_type() -> None:
    """Asked for and moved: nobody checks in before the day, whoever sold the night."""
    known = msgspec.structs.replace(resource(), stay=StayRules(no_show="auto"))
    asked, moved = booking_of(created(about(line())), terms(known)), change_of(updated(about(line())), changing(known))
    assert asked.times == moved.times
    assert asked.times is not None
    assert asked.times.arrival == asked.lines[0].start == datetime(2026, 12, 23, 23, tzinfo=UTC)
    assert (asked.times.departed, asked.times.no_show) == (datetime(2026, 12, 26, 23, tzinfo=UTC), "auto")
    visit = booking_of(created(appointment(hour="10:00"), price="0"), terms(DOCTOR))
    assert visit.times is None


def test_a_changed_appointment_has_our_price() -> None:
    change = change_of(updated(appointment(hour="10:00"), price="7"), changing(DOCTOR))
    assert (change.price_amount, change.free_until) == (Decimal(0), datetime(2026, 12, 24, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("news", "why"),
    [
        (updated(None), "names none"),
        (updated(about()), "names none"),
        (updated(about(line("tent"))), "camp / tent"),
        (updated(about(line()), price="99.00"), "costs 100.00 EUR, not 99.00 EUR"),
        (updated(about(line()), currency="USD"), "not 100.00 USD"),
        (updated(about(line(), zone="Mars/Olympus")), "unknown_time_zone"),
        (updated(about(line(quantity=0))), "quantity of 0"),
    ],
)
def test_a_change_that_cannot_be_had_is_not_taken(news: BookingUpdated, why: str) -> None:
    with pytest.raises(Inadmissible, match=why):
        change_of(news, changing(resource()))


# --- users and records ---


@pytest.mark.proves("CAMP-13")
def test_a_user_is_taken_as_another_program_tells_of_it() -> None:
    registered = user_of(UserCreated(user_id="u1", personal="sealed", created_at=NOW), "m1")
    assert registered == RegisterUser(user_id="u1", personal="sealed", announced=True, told_at=NOW)
    changed = user_of(UserUpdated(user_id="u1", personal="sealed", updated_at=NOW), "m1")
    assert changed == ChangeUser(user_id="u1", personal="sealed", revision=0, announced=True, message_id="m1")
    with pytest.raises(Inadmissible, match="no e-mail"):
        user_of(UserUpdated(user_id="u1", personal="", updated_at=NOW), "m1")


def record(model: type[RecordNews], status: str = "", content: str = "sealed") -> RecordNews:
    return model(record_id="r1", user_id="p1", content=content, status=status, revision=1, changed_at=NOW)


@pytest.mark.proves("CLN-07", "CLN-08")
def test_a_record_begins_as_another_program_tells_of_it() -> None:
    opened = record_of(record(PharmacyOrderCreated, "pending"), "m1")
    assert opened == OpenRecord(
        record_id="r1", kind="order", user_id="p1", content="sealed", status="pending", announced=True
    )
    assert record_of(record(HealthRecordCreated, "whatever"), "m1").status == "created"
    with pytest.raises(Inadmissible, match="no order begins 'shipped', but pending"):
        record_of(record(PharmacyOrderCreated, "shipped"), "m1")
    with pytest.raises(Inadmissible, match="no content"):
        record_of(record(PharmacyOrderCreated, "pending", content=""), "m1")


@pytest.mark.proves("CLN-06", "CLN-07", "CLN-08")
@pytest.mark.parametrize(
    ("news", "status"),
    [
        (record(PrescriptionUpdated, "completed"), "completed"),
        (record(PrescriptionCancelled, "cancelled"), None),
        (record(PharmacyOrderUpdated, "processing"), "processing"),
        (record(PharmacyOrderShipped, "shipped"), None),
        (record(HealthRecordUpdated, "x"), None),
    ],
)
def test_a_record_changes_by_its_action(news: RecordNews, status: str | None) -> None:
    assert record_of(news, "m1") == ChangeRecord(
        record_id="r1",
        kind=news.kind,
        action=news.action,
        user_id="p1",
        content="sealed",
        status=status,
        announced=True,
        message_id="m1",
    )


# --- when ---


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [
        (night(-400), night(-397), "in_the_past"),
        (night(9 * 366), night(9 * 366 + 1), "too_far_ahead"),
        (night(0), night(1), None),
    ],
)
def test_a_stay_lies_ahead_and_within_sight(start: datetime, end: datetime, refusal: str | None) -> None:
    told = about(msgspec.structs.replace(line(), start=start, end=end))
    asked = booking_of(created(told, price="0"), terms(resource(price="0")))
    assert asked.refusal == refusal


def test_an_appointment_says_which_clock_it_means() -> None:
    """10:30 in New York is not 10:30 in Berlin."""
    doctor = resource("dr-1", "clinic", 15, price="0", zone="Europe/Berlin")
    start = datetime(2026, 12, 24, 15, 30, tzinfo=UTC)
    told = msgspec.structs.replace(appointment(hour="10:30"), time_zone="America/New_York")
    asked_line = msgspec.structs.replace(told.lines[0], start=start, end=start + timedelta(minutes=15))
    asked = booking_of(created(msgspec.structs.replace(told, lines=(asked_line,)), price="0"), terms(doctor))
    assert (asked.refusal, asked.lines[0].start) == (None, start)
