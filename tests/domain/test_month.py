"""A month of one property, worked out by hand: the figures expected below were computed from the table in
`tests.domain.month`, not by code.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.domain.month import Hotel, hotel_of_march, march


@pytest.fixture
def hotel() -> Hotel:
    return hotel_of_march()


@pytest.mark.proves("HTL-06", "HTL-23")
def test_the_month_is_what_was_computed_by_hand(hotel: Hotel) -> None:
    found = hotel.of(march(1), march(31))

    # Nights in March: no 1 three, 2 four, 3 two, 4 two, 7 two, 8 one, 9 three, 10 three, 13 two.
    assert found.nights_sold == 3 + 4 + 2 + 2 + 2 + 1 + 3 + 3 + 2 == 22
    # Four rooms over 31 nights; 22 / 124 = 0.17741...
    assert (found.nights_available, found.occupancy) == (124, Decimal("0.1774"))
    # Rooms in EUR: 300 + 480 + 250 (half of no 3) + 200 (half of no 4) + 120 + 300 + 330 + 210.01 = 2190.01, over 20
    # nights 109.5005; no 7 is 260 USD over two nights.
    assert found.adr == {"EUR": Decimal("109.50"), "USD": Decimal("130.00")}
    # 2190.01 / 124 = 17.6613..., 260 / 124 = 2.0967...
    assert found.revpar == {"EUR": Decimal("17.66"), "USD": Decimal("2.10")}
    # And the massage.
    assert found.revenue == {"EUR": Decimal("2235.01"), "USD": Decimal("260.00")}

    # Made in March: no 5 to 13, and 15. Confirmed: all but 6, 11 and 12.
    assert (found.bookings, found.confirmed, found.cancelled) == (10, 7, 2)
    assert (found.rejected, found.expired, found.no_shows) == (1, 1, 1)
    # Two of the seven confirmed and the one that was withdrawn before: 2 / 8. One of seven never came: 0.1428...
    assert (found.cancellation_rate, found.no_show_rate) == (Decimal("0.2500"), Decimal("0.1429"))
    # Days from booking to arrival: 7 + 8 + 8 + 12 + 6 + 13 (as it was made) + 6 + 9 + 6 + 0 = 75, over ten.
    assert found.average_lead_time == Decimal("7.5")
    # Arrivals in March: no 1, 2 (two rooms), 3, 7, 8, 9, 10, 13: nine rooms, for 3 + 4 + 4 + 2 + 1 + 3 + 3 + 2 = 22
    # nights, wherever these are: 2.444...
    assert found.average_length_of_stay == Decimal("2.44")

    # Taken: 220 + 120 + 400 + 200 + 130 + 210.01 + 45 EUR. Given back: 220 and 100.
    assert found.captured == {"EUR": Decimal("1325.01"), "USD": Decimal("260.00")}
    assert found.refunded == {"EUR": Decimal("320.00")}


def test_what_was_picked_up_each_day_is_what_still_stands_of_it(hotel: Hotel) -> None:
    picked = {each.day.day: each for each in hotel.of(march(1), march(31)).pickup}
    assert sorted(picked) == [3, 4, 6, 8, 10, 11, 12, 13, 14, 22]
    assert (picked[3].bookings, picked[3].nights, picked[3].value) == (1, 0, {})
    assert (picked[10].nights, picked[10].value) == (3, {"EUR": Decimal("300.00")})
    assert (picked[11].nights, picked[11].value) == (3, {"EUR": Decimal("330.00")})
    assert (picked[14].nights, picked[14].value) == (0, {"EUR": Decimal("45.00")})


def test_the_night_of_23_hours_is_a_night(hotel: Hotel) -> None:
    nights = [hotel.of(march(day), march(day)) for day in (28, 29)]
    assert [night.nights_sold for night in nights] == [1, 1]
    assert [night.revenue["EUR"] for night in nights] == [Decimal("105.00"), Decimal("105.01")]


def test_nights_beyond_the_month_are_in_the_months_they_are_for(hotel: Hotel) -> None:
    assert hotel.of(date(2026, 2, 1), date(2026, 2, 28)).nights_sold == 2
    april = hotel.of(date(2026, 4, 1), date(2026, 4, 30))
    # The rest of no 3, and no 14, which is a booking of April, too.
    assert (april.nights_sold, april.bookings, april.revenue) == (3, 1, {"EUR": Decimal("350.00")})
