"""The flows that are crashed at every point: what is asked, in which order, and how each ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from domain.payment_parking import PAUSES
from streams.events import Event
from streams.events.about import Line
from streams.events.booking import ChangeBooking, CheckIn, CheckOut, MarkNoShow, RequestBooking
from streams.events.hooks import AddEndpoint
from streams.events.stay import StayTimes
from streams.events.users import EraseUser, RegisterUser
from streams.events.waitlist import JoinWaitlist
from streams.services import NOTIFICATION
from tests.crash.outside import MAILBOX, PROVIDER, sealed
from tests.domain import messages as say
from tests.domain.messages import CHECK_IN, CHECK_OUT, DEADLINE, NEXT_DAY, NOW, PRICE, booked_line
from tests.domain.provider import Card

GUEST = json.dumps({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"})
#: Points that a flow passes only where it calls the outside.
MONEY, MAIL, HOOK, KEYS = "the provider's call", "SMTP 250", "the webhook", "the keys go"
#: A refusal has no other side: whatever is asked again is refused again.
REFUSAL = "SMTP 550"
#: What a booking waits for, and who tells of it.
DECIDING = ("booking", "availability", "payment", "notification")


@dataclass(frozen=True)
class Step:
    """What is asked at a time, once all that was asked before is done. Nothing is asked where only time passes."""

    asks: tuple[Event, ...] = ()
    at: datetime = NOW
    away: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Flow:
    """A flow; `outside` is what it calls beyond the log, `ends` what its booking, or its news, comes to."""

    name: str
    steps: tuple[Step, ...]
    ends: str
    outside: frozenset[str]
    layout: str = "catalogue"
    card: Card = "good"
    #: The topics on whose dead letters something lies at the end.
    letters: frozenset[str] = frozenset()
    #: What runs; the more does, the more often each point is passed.
    services: tuple[str, ...] = DECIDING
    #: Several answers are waited for: whichever comes last is the cause of what is said, and gives it its id.
    races: bool = False


def _booked(booking: str = "b1", **more: Any) -> RequestBooking:
    given = {
        "confirmation_number": f"RSV-2026-{booking}",
        "guest": sealed("u1", GUEST),
        "payment_token": sealed("u1", "tok_visa"),
    }
    return msgspec.structs.replace(say.request(booking=booking), **given | more)


def _step(*asks: Event, at: datetime = NOW, away: str = "") -> Step:
    return Step(asks, at, frozenset({away} if away else ()))


def _line(price: Decimal = PRICE, end: datetime = CHECK_OUT) -> Line:
    return booked_line(price=price, end=end)


_OPEN = _step(say.declare())
_TIMES = StayTimes(
    arrival=CHECK_IN,
    check_in_from=CHECK_IN,
    no_show_from=NEXT_DAY,
    check_out_until=CHECK_OUT,
    departed=CHECK_OUT + timedelta(days=1),
)
_PAID_HERE = frozenset({MONEY, MAIL})
#: When a call that got no answer is made again: first, and then.
_SOON = NOW + PAUSES[0] + timedelta(seconds=1)
_LATER = _SOON + PAUSES[1] + timedelta(seconds=1)

FLOWS = (
    Flow(
        "booked and confirmed",
        (_OPEN, _step(_booked())),
        "b1 CONFIRMED",
        _PAID_HERE,
        services=(*DECIDING, "receipt", "rate", "analytics"),
    ),
    Flow("declined", (_OPEN, _step(_booked())), "b1 REJECTED", _PAID_HERE, card="declined"),
    Flow("sold out", (_OPEN, _step(_booked("b0")), _step(_booked())), "b1 REJECTED", _PAID_HERE),
    Flow(
        "expired",
        # Inventory is away: nobody answers before its time is over.
        (_step(_booked()), _step(at=DEADLINE + timedelta(seconds=1))),
        "b1 EXPIRED",
        frozenset({MONEY}),
        services=("booking", "payment", "notification"),
    ),
    Flow(
        "paid once the provider is back",
        (_OPEN, _step(_booked(), away=PROVIDER), _step(at=_SOON, away=PROVIDER), _step(at=_LATER)),
        "b1 CONFIRMED",
        _PAID_HERE,
    ),
    Flow(
        "cancelled while the provider is away",
        (_OPEN, _step(_booked(), away=PROVIDER), _step(say.cancel(), away=PROVIDER), _step(at=_SOON)),
        "b1 CANCELLED",
        _PAID_HERE,
        races=True,
    ),
    Flow(
        "a mail refused",
        (_OPEN, _step(_booked(), away=MAILBOX)),
        "b1 CONFIRMED",
        frozenset({MONEY, REFUSAL}),
        letters=frozenset({NOTIFICATION.effects_topic}),
    ),
    Flow(
        "cancelled with its refund",
        (_OPEN, _step(_booked()), _step(say.cancel())),
        "b1 CANCELLED",
        _PAID_HERE,
        services=(*DECIDING, "analytics"),
        races=True,
    ),
    Flow(
        "changed, and dearer",
        (
            _OPEN,
            _step(_booked()),
            _step(
                ChangeBooking(
                    booking_id="b1",
                    revision=2,
                    lines=(_line(Decimal("360.00"), say.night(3)),),
                    price_amount=Decimal("360.00"),
                    deadline=DEADLINE,
                    payment_token=sealed("u1", "tok_visa"),
                )
            ),
        ),
        "b1 CONFIRMED 2",
        _PAID_HERE,
    ),
    Flow(
        "checked in and out",
        (
            _OPEN,
            _step(_booked(times=_TIMES)),
            _step(CheckIn(booking_id="b1"), at=CHECK_IN),
            _step(CheckOut(booking_id="b1"), at=CHECK_OUT),
        ),
        "b1 COMPLETED",
        _PAID_HERE,
    ),
    Flow(
        "no-show",
        (_OPEN, _step(_booked(times=_TIMES)), _step(MarkNoShow(booking_id="b1"), at=NEXT_DAY)),
        "b1 NO_SHOW",
        _PAID_HERE,
    ),
    Flow(
        "order",
        (_step(say.declare(slots="none")), _step(_booked(kind="order", confirm_on="payment.captured"))),
        "b1 CONFIRMED",
        _PAID_HERE,
        layout="orders",
    ),
    Flow(
        "order out of stock, paid back",
        (
            _step(say.declare(slots="none", capacity=0)),
            _step(_booked(kind="order", confirm_on="payment.captured")),
        ),
        "b1 REJECTED",
        _PAID_HERE,
        layout="orders",
    ),
    Flow(
        "appointment",
        (
            _step(say.declare(slots=30)),
            _step(
                _booked(
                    lines=(_line(end=CHECK_IN + timedelta(minutes=30)),),
                    kind="appointment",
                    confirm_on="inventory",
                    prepaid=False,
                    payment_token="",
                )
            ),
        ),
        "b1 CONFIRMED",
        frozenset({MAIL}),
        layout="clinic",
    ),
    Flow(
        "webhook delivered",
        (
            _OPEN,
            _step(
                AddEndpoint(
                    endpoint_id="e1",
                    url="https://example.com/",
                    types=("booking.*",),
                    format="standard",
                    secret=sealed("webhook", "whsec_c2VjcmV0"),
                )
            ),
            _step(_booked()),
        ),
        "b1 CONFIRMED",
        frozenset({MONEY, MAIL, HOOK}),
        services=(*DECIDING, "webhook"),
    ),
    Flow(
        "user erased",
        (
            _step(RegisterUser(user_id="u1", personal=sealed("u1", GUEST), fingerprint="f" * 64)),
            _step(EraseUser(user_id="u1")),
        ),
        "user.user.erased",
        frozenset({MAIL, KEYS}),
        services=("user", "notification", "analytics"),
    ),
    Flow(
        "waitlist offered",
        (
            _OPEN,
            _step(_booked()),
            _step(
                JoinWaitlist(
                    entry_id="w1",
                    provider_id="hotel",
                    product_id="double",
                    fingerprint="f" * 64,
                    user_id="u1",
                    guest=sealed("u1", GUEST),
                    start=CHECK_IN,
                    end=CHECK_OUT,
                    quantity=1,
                    until=CHECK_IN,
                )
            ),
            _step(say.cancel()),
        ),
        "waitlist.entry.offered",
        _PAID_HERE,
    ),
)
BY_NAME = {flow.name: flow for flow in FLOWS}
