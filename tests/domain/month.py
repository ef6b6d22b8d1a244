"""The bookings of one property in March 2026, as a table, and the news of each.

The property "hotel" in Amsterdam has four rooms. In March 2026 its clocks go forward on Sunday the 29th.

    no  booked   arrival  nights rooms  price        what became of it
     1  15 Jan    2 Mar      3     1    300.00 EUR   stayed
     2  20 Feb    2 Mar      2     2    480.00 EUR   stayed
     3  27 Feb   30 Mar      4     1    500.00 EUR   in the house; two of its nights are in April
     4   1 Feb   27 Feb      4     1    400.00 EUR   stayed; two of its nights were in February
     5   3 Mar   10 Mar      2     1    220.00 EUR   cancelled on 5 March, all given back
     6   4 Mar   12 Mar      1     1     90.00 EUR   cancelled before it was confirmed, nothing was taken
     7   6 Mar   14 Mar      2     1    260.00 USD   stayed
     8   8 Mar   20 Mar      1     1    120.00 EUR   never came; the night was kept for them
     9  10 Mar   16 Mar      4     1    400.00 EUR   left after three nights, 100.00 given back on the 19th
    10  11 Mar   24 Mar      2     1    200.00 EUR   changed to three nights from 25 March, for 330.00
    11  12 Mar   18 Mar      1     1    100.00 EUR   rejected: sold out
    12  13 Mar   22 Mar      1     1    100.00 EUR   expired
    13  22 Mar   28 Mar      2     1    210.01 EUR   stays while the clocks change; booked at 00:30 local time
    14   1 Apr   10 Apr      1     1    100.00 EUR   booked at 00:30 local time, which is 31 March in UTC
    15  14 Mar   14 Mar      -     1     45.00 EUR   an hour of massage that day
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain.analytics import observation_of
from domain.counting import Known, decide
from domain.figures import NOTHING, Figures, changes, summed
from domain.kpis import Kpis, kpis
from streams.events import Envelope, Event
from streams.events.about import About, Kind, Line
from streams.events.analytics import Observe
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingNoShow,
    BookingRejected,
    BookingUpdated,
)
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentRefundedEvent, PaymentSucceeded

ZONE = "Europe/Amsterdam"
ROOMS = 4


class Hotel:
    """The figures of the property, from the news of its bookings."""

    def __init__(self) -> None:
        self.days: dict[date, Figures] = {}
        self.observed: list[Observe] = []
        self._known: dict[str, Known] = {}

    def tell(self, event: Event, at: datetime) -> None:
        news = Envelope(
            event_id=f"{event.event_type}@{at.isoformat()}",
            event_type=event.event_type,
            event_version="1.0",
            timestamp=at,
            correlation_id="c",
            data=event,
            source="booking-service",
            causation_id="cause",
        )
        for observed in observation_of(news):
            self.observed.append(observed)
            before = self._known.get(observed.entity_id, Known())
            after = decide(before, observed, at).state
            self._known[observed.entity_id] = after
            for (_, day), change in changes(before.booking, after.booking).items():
                self.days[day] = summed(self.days.get(day, NOTHING), change)

    def of(self, first: date, last: date) -> Kpis:
        days = {day: figures for day, figures in self.days.items() if first <= day <= last}
        return kpis(days, (last - first).days + 1, ROOMS)


class Booking:
    """One line of the table; each step of its life is told as its service tells it."""

    def __init__(
        self,
        hotel: Hotel,
        number: int,
        booked: datetime,
        arrival: date,
        nights: int,
        price: str,
        *,
        rooms: int = 1,
        currency: str = "EUR",
        kind: Kind = "stay",
    ) -> None:
        self.hotel, self.booked, self.rooms, self.currency = hotel, booked, rooms, currency
        self.number, self.kind = number, kind
        self.about = self._about(arrival, nights, price)
        line = self.about.lines[0]
        created = BookingCreated(
            **self._ids(),
            provider_id="hotel",
            start_time=line.start,
            end_time=line.end,
            quantity=rooms,
            price_amount=line.price_amount,
            price_currency=currency,
        )
        hotel.tell(created, booked)

    def confirmed(self) -> Booking:
        self.hotel.tell(
            BookingConfirmed(
                **self._ids(),
                payment_id="p",
                confirmed_at=self.booked,
                price_amount=self.about.price_amount,
                price_currency=self.currency,
            ),
            self.booked + timedelta(minutes=1),
        )
        return self.paid(str(self.about.price_amount), self.booked + timedelta(minutes=1))

    def paid(self, amount: str, at: datetime) -> Booking:
        paid = PaymentSucceeded(
            **self._money(amount), provider_payment_id="pi", payment_method=PaymentMethod(), succeeded_at=at
        )
        self.hotel.tell(paid, at)
        return self

    def refunded(self, amount: str, at: datetime) -> Booking:
        given = PaymentRefundedEvent(
            **self._money(amount), refund_id="r", provider_refund_id="re", reason="policy", refunded_at=at
        )
        self.hotel.tell(given, at)
        return self

    def cancelled(self, at: datetime, refund: str = "0.00") -> Booking:
        self.hotel.tell(
            BookingCancelled(
                **self._ids(),
                payment_id="p",
                cancelled_at=at,
                cancellation_reason="plans changed",
                refund_eligible=True,
                refund_amount=Decimal(refund),
                refund_currency=self.currency,
            ),
            at,
        )
        return self.refunded(refund, at) if Decimal(refund) else self

    def changed(self, arrival: date, nights: int, price: str, at: datetime) -> Booking:
        self.about = self._about(arrival, nights, price)
        line = self.about.lines[0]
        self.hotel.tell(
            BookingUpdated(
                **self._ids(),
                start_time=line.start,
                end_time=line.end,
                quantity=self.rooms,
                price_amount=line.price_amount,
                price_currency=self.currency,
                status="CONFIRMED",
                revision=2,
                updated_at=at,
            ),
            at,
        )
        return self

    def stayed(self) -> Booking:
        line = self.about.lines[0]
        self.hotel.tell(BookingCheckedIn(**self._ids(), checked_in_at=line.start), line.start)
        self.hotel.tell(BookingCompleted(**self._ids(), completed_at=line.end), line.end)
        return self

    def told(self, event: type[BookingNoShow] | type[BookingRejected] | type[BookingExpired]) -> None:
        more: dict[type[Event], dict[str, Any]] = {
            BookingNoShow: {"marked_at": self.booked},
            BookingRejected: {"rejected_at": self.booked, "reason": "sold_out"},
            BookingExpired: {"expired_at": self.booked},
        }
        told = event(**self._ids(), **more[event])
        self.hotel.tell(told, self.booked + timedelta(hours=1))

    def _money(self, amount: str) -> dict[str, Any]:
        ids = {"payment_id": f"p{self.number}-{amount}", "booking_id": f"b{self.number}", "user_id": "u"}
        paid = {"amount": Decimal(amount), "currency": self.currency, "provider": "sandbox"}
        return {**ids, **paid, "about": self.about}

    def _ids(self) -> dict[str, Any]:
        return {"booking_id": f"b{self.number}", "user_id": "u", "product_id": "room", "about": self.about}

    def _about(self, arrival: date, nights: int, price: str) -> About:
        start = datetime(arrival.year, arrival.month, arrival.day, tzinfo=ZoneInfo(ZONE))
        end = start + timedelta(days=nights) if nights else start + timedelta(hours=1)
        line = Line(
            line=1,
            provider_id="hotel",
            product_id="room",
            start=start.astimezone(UTC),
            end=end.astimezone(UTC),
            quantity=self.rooms,
            price_amount=Decimal(price),
        )
        return About(
            kind=self.kind,
            lines=(line,),
            price_amount=Decimal(price),
            price_currency=self.currency,
            time_zone=ZONE,
        )


def noon(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def march(day: int) -> date:
    return date(2026, 3, day)


def hotel_of_march() -> Hotel:
    """The property after everything in the table happened."""
    house = Hotel()
    Booking(house, 1, noon(1, 15), march(2), 3, "300.00").confirmed().stayed()
    Booking(house, 2, noon(2, 20), march(2), 2, "480.00", rooms=2).confirmed().stayed()
    Booking(house, 3, noon(2, 27), march(30), 4, "500.00").confirmed()
    Booking(house, 4, noon(2, 1), date(2026, 2, 27), 4, "400.00").confirmed().stayed()
    Booking(house, 5, noon(3, 3), march(10), 2, "220.00").confirmed().cancelled(noon(3, 5), "220.00")
    Booking(house, 6, noon(3, 4), march(12), 1, "90.00").cancelled(noon(3, 4) + timedelta(minutes=1))
    Booking(house, 7, noon(3, 6), march(14), 2, "260.00", currency="USD").confirmed().stayed()
    Booking(house, 8, noon(3, 8), march(20), 1, "120.00").confirmed().told(BookingNoShow)
    left = Booking(house, 9, noon(3, 10), march(16), 4, "400.00").confirmed()
    left.changed(march(16), 3, "300.00", noon(3, 19)).refunded("100.00", noon(3, 19))
    changed = Booking(house, 10, noon(3, 11), march(24), 2, "200.00").confirmed()
    changed.changed(march(25), 3, "330.00", noon(3, 15)).paid("130.00", noon(3, 15))
    Booking(house, 11, noon(3, 12), march(18), 1, "100.00").told(BookingRejected)
    Booking(house, 12, noon(3, 13), march(22), 1, "100.00").told(BookingExpired)
    Booking(house, 13, datetime(2026, 3, 21, 23, 30, tzinfo=UTC), march(28), 2, "210.01").confirmed()
    Booking(house, 14, datetime(2026, 3, 31, 22, 30, tzinfo=UTC), date(2026, 4, 10), 1, "100.00").confirmed()
    Booking(house, 15, noon(3, 14), march(14), 0, "45.00", kind="appointment").confirmed()
    return house
