"""Bookings as the gateway appends them: numbered, priced from the declared resources, the guest and the card sealed.

They are made first and appended afterwards, so that what making them costs is no part of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from cli.client import GatewayClient, Stay, open_session
from config.secrets import Secrets
from config.settings import Settings
from domain.calendar import night_bounds
from streams.codec import encode
from streams.compacted import Compacted
from streams.envelope import originate
from streams.events.availability import ResourceDeclared
from streams.events.booking import RequestBooking
from streams.events.control import UserKeyAdded
from streams.identity import user_id_of
from streams.keyring import Keyring
from streams.keys import resource_key
from streams.layout import Layout, load_layout
from streams.log import Log
from streams.numbers import Numbers
from streams.publisher import Record
from web.checks import line_of
from web.context import SOURCE

#: What the API lets one unit type have, so that nothing is refused for want of room.
_CAPACITY = 10_000
_PRICE = {"amount": "95.00", "currency": "EUR"}
#: Longer than any drain: what is measured is bookings that are decided, not bookings that were given up.
_DEADLINE = timedelta(days=1)
#: Guests book from the day after tomorrow: a run over midnight never asks for a past night.
_LEAD = 2
_GUESTS = 5_000
#: As many of a thousand cards are declined as in the demo's traffic.
_DECLINED = 60
_AT_ONCE = 500
_T = TypeVar("_T")
#: A record and where it goes.
Made = tuple[str, int, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many stays are asked for, and what of: of how many unit types, on how many nights, beginning where."""

    bookings: int
    unit_types: int = 1_000
    nights: int = 360
    #: The longest stay, in nights.
    longest: int = 4
    #: Bytes of metadata that make a booking's rows larger.
    padding: int = 0
    #: Of a thousand payments, how many take 3 s at the provider.
    slow: int = 0
    declined: int = _DECLINED
    seed: int = 1


def unit_names(count: int) -> Iterator[tuple[str, str]]:
    """The first so many unit types: (property, unit type), ten of each property."""
    for number in range(count):
        yield f"BENCH-{number // 10:04}", f"type-{number % 10}"


def stays(traffic: Traffic, today: date) -> Iterator[Stay]:
    """What the guests ask for; the same traffic, the same stays."""
    chance = random.Random(traffic.seed)
    units = list(unit_names(traffic.unit_types))
    for _ in range(traffic.bookings):
        property_id, unit_type = chance.choice(units)
        check_in = today + timedelta(days=_LEAD + chance.randrange(traffic.nights))
        guest = chance.randrange(_GUESTS)
        yield Stay(
            property_id=property_id,
            unit_type=unit_type,
            check_in=check_in,
            check_out=check_in + timedelta(days=chance.randint(1, traffic.longest)),
            email=f"guest-{guest}@example.com",
            first_name="Ada",
            last_name=f"Guest {guest}",
            token=_token(chance.randrange(1_000), traffic),
        )


def _token(draw: int, traffic: Traffic) -> str:
    if draw < traffic.slow:
        return "tok_slow"
    return "tok_declined" if draw < traffic.slow + traffic.declined else "tok_visa"


async def declare(url: str, key: str, unit_types: int, progress: Callable[[], object] = lambda: None) -> None:
    """Says through the API that there are these unit types; answered once they can be booked."""
    async with open_session() as session:
        client = GatewayClient(session, url, key)
        room = asyncio.Semaphore(50)

        async def put(property_id: str, unit_type: str) -> None:
            async with room:
                body = {"capacity": _CAPACITY, "base_price": _PRICE}
                await client.put(f"/api/properties/{property_id}/units/{unit_type}", body)
                progress()

        await asyncio.gather(*(put(*names) for names in unit_names(unit_types)))


class Desk:
    """Makes requests, as a gateway would."""

    def __init__(self, settings: Settings, layout: Layout, log: Log) -> None:
        keys = Compacted(settings.bootstrap, layout.user_keys, UserKeyAdded)
        self._layout = layout
        self._keyring = Keyring(Secrets.of(settings).secret, keys, log)
        self._rates = Compacted(settings.bootstrap, layout.rates, ResourceDeclared)
        self._numbers = Numbers(log, "gateway-bench")

    async def start(self) -> None:
        for part in (self._keyring, self._rates):
            await part.start()

    async def stop(self) -> None:
        for part in (self._rates, self._keyring):
            await part.stop()

    async def make(self, traffic: Traffic, progress: Callable[[], object] = lambda: None) -> list[Made]:
        """The records of these requests. The keys they are sealed with are on the log by then."""
        wanted = list(stays(traffic, datetime.now(UTC).date()))
        made: list[Made] = []
        # A user's first text makes the user's key: once for each, however many are sealed at the same time.
        users = sorted({user_id_of(stay.email) for stay in wanted})
        for some in _cut(users):
            await asyncio.gather(*(self._keyring.seal(user, "") for user in some))
        chance = random.Random(traffic.seed)
        for some_stays in _cut(wanted):
            for stay in some_stays:
                event = await self._request(stay, chance.randbytes(traffic.padding // 2).hex())
                envelope = originate(event, source=SOURCE, now=datetime.now(UTC))
                topic, key = self._layout.route(event)
                made.append((topic.name, topic.partition(key), Record(key.encode(), encode(envelope))))
                progress()
            await asyncio.sleep(0)
        return made

    async def _request(self, stay: Stay, padding: str) -> RequestBooking:
        resource = self._rates.get(resource_key(stay.property_id, stay.unit_type))
        assert resource is not None, f"{stay.property_id} {stay.unit_type} was not declared"
        start, end = night_bounds(stay.check_in, stay.check_out, resource.time_zone)
        line = line_of(resource, start, end, stay.quantity)
        user_id, booking_id = user_id_of(stay.email), str(uuid.uuid4())
        guest = {"email": stay.email, "first_name": stay.first_name, "last_name": stay.last_name}
        now = datetime.now(UTC)
        return RequestBooking(
            booking_id=booking_id,
            kind="stay",
            fingerprint=booking_id,
            confirmation_number=f"RSV-{now.year}-{await self._numbers.next():06d}",
            user_id=user_id,
            guest=await self._keyring.seal(user_id, json.dumps(guest)),
            lines=(line,),
            price_amount=line.price_amount,
            price_currency=resource.price_currency,
            payment_token=await self._keyring.seal(user_id, stay.token),
            deadline=now + _DEADLINE,
            free_until=start,
            metadata={"time_zone": resource.time_zone} | ({"padding": padding} if padding else {}),
            confirm_on=self._layout.confirm_on("stay"),
            time_zone=resource.time_zone,
        )


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """A desk at the instance of these settings, whose broker runs."""
    layout = load_layout(settings)
    log = Log(settings.bootstrap, layout)
    opened = Desk(settings, layout, log)
    await log.start()
    try:
        await opened.start()
        yield opened
        await opened.stop()
    finally:
        await log.stop()


def _cut(values: list[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
