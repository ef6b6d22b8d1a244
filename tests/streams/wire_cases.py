"""What the tests of the documents' codecs share: canonical envelopes of every kind, and records of a log that is none.

`envelopes(BookingCreated, PaymentSucceeded)` makes valid messages of these types: ids in any script, money in cents,
times to the microsecond, bookings with and without `about`, guests sealed or unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from streams.events import Envelope, Event
from streams.events.about import About, Kind, Line, Location
from streams.events.analytics import Taken
from streams.events.base import PositiveAmount
from streams.events.notices import Channel
from streams.events.payment import PaymentMethod, ProviderCall
from streams.events.policy import CancellationPolicy, Deposit
from streams.events.rate_plans import RatePlan
from streams.events.stay import StayRules, StayTimes
from streams.layout import Layout
from streams.signing import ID_HEADER
from streams.topics import Topic
from streams.wire import Headers, Reveal, codec_of
from streams.wire.reading import read
from tests.domain.plans import FLEX
from tests.domain.test_policy import POLICIES
from tests.memory_log import Stored

#: The time of every record made here, in milliseconds and as a time.
RECORD_MS = 1_700_000_000_000
RECORD_TIME = datetime.fromtimestamp(RECORD_MS / 1000, UTC)
#: What a sealed text of a guest says in clear.
GUEST = {"email": "guest@example.com", "first_name": "Zoë", "last_name": "Öster", "phone": "+49 30 1234"}

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
IDS = st.uuids().map(str) | _TEXT.filter(bool)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
AMOUNTS = st.decimals(Decimal(0), Decimal("9999999.99"), places=2)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY"])
SEALED = st.builds("{}.{}".format, st.uuids(), st.text("abcXYZ019-_=", min_size=1, max_size=20))
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT
JSON = st.dictionaries(_TEXT.filter(bool), _SCALARS | st.lists(_SCALARS, max_size=3), max_size=3)
#: Zones with odd offsets and midnights, and one that does not exist.
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe", "Nowhere/Atlantis"]
)
_LOCATIONS = st.builds(
    Location, lat=st.none() | st.floats(-90, 90), lon=st.none() | st.floats(-180, 180), address=st.none() | _TEXT
)
_METHODS = st.builds(
    PaymentMethod,
    type=st.sampled_from(["card", "voucher"]),
    brand=st.sampled_from([None, "visa"]),
    last4=st.sampled_from([None, "4242"]),
)
_TAKEN = st.builds(
    Taken, provider_id=IDS, first=st.dates(), nights=st.integers(0, 9), units=st.integers(1, 9), amount=AMOUNTS
)


@st.composite
def lines(draw: st.DrawFn, number: int = 1) -> Line:
    """One line of a booking; it takes at least a moment."""
    start = draw(INSTANTS)
    length = draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=60)))
    return Line(
        line=number,
        provider_id=draw(IDS),
        product_id=draw(IDS),
        start=start,
        end=start + length,
        quantity=draw(st.integers(1, 1000)),
        price_amount=draw(AMOUNTS),
    )


@st.composite
def abouts(draw: st.DrawFn) -> About:
    """What a booking is about: up to three lines, its guest sealed or not known."""
    return About(
        kind=draw(st.sampled_from(get_args(Kind))),
        confirmation_number=draw(st.sampled_from(["", "RSV-2026-000123"])),
        lines=tuple(draw(lines(number)) for number in range(1, 1 + draw(st.integers(0, 3)))),
        price_amount=draw(AMOUNTS),
        price_currency=draw(CURRENCIES),
        time_zone=draw(ZONES),
        guest=draw(st.none() | SEALED),
        details=draw(JSON),
    )


#: By a field's name, where the name says more than its type.
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "about": st.none() | abouts(),
    "location": st.none() | _LOCATIONS,
    "payment_method": _METHODS,
    "personal": SEALED,
    "content": SEALED,
    "lines": st.lists(lines(), min_size=1, max_size=2).map(tuple),
    "figures": st.dictionaries(st.dates().map(str), st.just({"bookings": 2})),
    "templates": st.dictionaries(st.sampled_from(get_args(Channel)), IDS),
    "notice_ids": st.lists(IDS, min_size=1, max_size=3).map(tuple),
    "taken": st.lists(_TAKEN, max_size=2).map(tuple),
    "method": st.none() | _METHODS,
    "quantity": st.integers(1, 1000),
    "min_stay": st.integers(1, 9),
    "revision": st.integers(1, 99),
}


@cache
def events(model: type[Event]) -> st.SearchStrategy[Any]:
    """Valid events of a type; optional fields are sometimes None."""
    return st.builds(model, **{field.name: _field(field.name, field.type) for field in msgspec.structs.fields(model)})


@st.composite
def envelopes(draw: st.DrawFn, *models: type[Event]) -> Envelope:
    """Messages of these types as a service of ours says them."""
    event: Event = draw(st.one_of([events(model) for model in models]))
    return Envelope(
        event_id=str(draw(st.uuids())),
        event_type=event.event_type,
        event_version=event.event_version,
        timestamp=draw(INSTANTS),
        correlation_id=draw(IDS),
        data=event,
        source=draw(st.sampled_from(["booking-service", "payment-service"])),
        causation_id=draw(st.none() | IDS),
        metadata=draw(st.sampled_from([{}, {"ip_address": "192.168.1.1", "user_agent": "Mozilla/5.0"}])),
    )


def reveal(user_id: str, sealed: str | None) -> Mapping[str, Any]:
    """A keyring that opens everything that is sealed."""
    return GUEST if sealed else {}


def erased(user_id: str, sealed: str | None) -> Mapping[str, Any]:
    """A keyring whose users are all erased."""
    return {}


def record(topic: Topic, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), offset: int = 7) -> Stored:
    """A record as it lies on a topic."""
    return Stored(topic.name, 0, offset, RECORD_MS, None, value, tuple(headers))


def said(layout: Layout, envelope: Envelope, revealed: Reveal = reveal) -> Stored:
    """The record a message of ours becomes on the topic that the layout has for it, with the id the signature adds."""
    topic, _ = layout.route(envelope.data)
    value, headers = codec_of(layout.codec).encode(envelope, topic, revealed)
    beside: Headers = ((ID_HEADER, envelope.event_id.encode()), *headers)
    return record(topic, value, beside)


def heard(layout: Layout, found: Stored) -> Envelope:
    """What a record says to one of our groups. Raises Undecodable."""
    return read(codec_of(layout.codec), layout, found)


def _field(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([_field(name, each) for each in get_args(annotation)])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation == PositiveAmount:
        return AMOUNTS.filter(bool)
    if annotation is NoneType:
        return st.none()
    if name.endswith("currency"):
        return CURRENCIES
    if name.endswith("_id") or name == "rate_plan":
        return IDS
    return _by_type(annotation)


_INSTANTS_OF_STAY = ("arrival", "check_in_from", "no_show_from", "check_out_until", "departed")


def _least(annotation: Any) -> int:
    """The least number that a type allows."""
    said = [meta.ge for meta in getattr(annotation, "__metadata__", ()) if getattr(meta, "ge", None) is not None]
    return int(said[0]) if said else 0


def _by_type(annotation: Any) -> st.SearchStrategy[Any]:
    bare = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    plain = get_origin(bare) or bare
    known: dict[Any, st.SearchStrategy[Any]] = {
        Decimal: AMOUNTS,
        datetime: INSTANTS,
        str: _TEXT,
        bool: st.booleans(),
        float: st.integers(0, 4_000).map(lambda quarters: quarters / 4),
        int: st.integers(_least(annotation), 10_000),
        dict: JSON,
        date: st.dates(),
        tuple: st.just(()),
        RatePlan: st.sampled_from((RatePlan(), FLEX)),
        CancellationPolicy: POLICIES,
        Deposit: st.builds(Deposit, percent=st.integers(1, 99)),
        ProviderCall: st.deferred(lambda: events(ProviderCall)),
        StayRules: st.just(StayRules(check_in_from="14:00", no_show="auto")),
        StayTimes: st.builds(StayTimes, **dict.fromkeys(_INSTANTS_OF_STAY, INSTANTS)),
    }
    return known[plain]
