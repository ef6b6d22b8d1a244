"""How a request becomes a booking: sealed, numbered, appended, and answered from the row it opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from domain.booking_state import Booking
from domain.deposits import deposit_of
from domain.stay_times import stay_times
from streams.events.about import ConfirmOn, Kind, Line, Location
from streams.events.availability import ResourceDeclared
from streams.events.booking import RULES, RequestBooking
from streams.events.policy import CancellationPolicy
from streams.numbers import confirmation_number
from streams.phones import usable_phone
from web.answers import Links, Money, Opened
from web.checks import first_resource
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.owners import OwnerUnavailable
from web.problems import Problem
from web.requests import id_of_request
from web.shapes import as_json

_canonical = msgspec.json.Encoder(order="sorted").encode
_COLLECTIONS: dict[Kind, str] = {
    "stay": "reservations",
    "booking": "bookings",
    "order": "orders",
    "appointment": "appointments",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that may be booked, priced; nothing personal is sealed yet."""

    kind: Kind
    lines: tuple[Line, ...]
    currency: str
    user_id: str
    guest: dict[str, Any] | None
    #: The payment method's; None where nothing is paid here.
    token: str | None
    #: Cancelling before this instant costs nothing; by default it is when the booking begins.
    free_until: datetime | None = None
    #: What cancelling costs, counted back from there.
    policy: CancellationPolicy | None = None
    location: Location | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    #: Of the property or practice.
    time_zone: str = "UTC"
    prepaid: bool = True
    #: What it waits for beside inventory; by default what the layout says of its kind.
    confirm_on: ConfirmOn | None = None

    @property
    def price(self) -> Decimal:
        return sum((line.price_amount for line in self.lines), Decimal(0))

    @property
    def start(self) -> datetime:
        return min(line.start for line in self.lines)


async def open_booking(
    request: web.Request, body: Any, draft: Callable[[Context], Draft], given_id: str | None = None
) -> web.Response:
    """Appends what `draft` makes of the request and answers 201 from the row, the same in every retry.

    A retry whose first attempt was accepted is answered so too when the request would be refused by now. The booking's
    id is `given_id`, where a kind of booking lets its caller choose one.
    """
    context = context_of(request)
    derived_id, keyed = id_of_request(request, principal_of(request))
    booking_id, repeatable = given_id or derived_id, keyed or given_id is not None
    fingerprint = fingerprint_of(request, body)
    try:
        drafted = draft(context)
    except Problem:
        row = await context.rows.booking(booking_id) if repeatable else None
        if row is None:
            raise
    else:
        row = await _append(request, context, booking_id, fingerprint, drafted)
    if row.fingerprint != fingerprint and given_id is not None:
        raise Problem(409, "booking-exists", "There is such a booking", f"{given_id} was opened by another request.")
    if row.fingerprint != fingerprint:
        raise Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another request")
    return opened(row)


def fingerprint_of(request: web.Request, body: Any) -> str:
    """What tells a retry from another request under the same key."""
    return hashlib.sha256(request.path.encode() + b"\n" + _canonical(body)).hexdigest()


async def _append(request: web.Request, context: Context, booking_id: str, fingerprint: str, draft: Draft) -> Booking:
    now = context.clock()
    guest = json.dumps(draft.guest, ensure_ascii=False) if draft.guest is not None else None
    resource = first_resource(context, draft.lines)
    event = RequestBooking(
        booking_id=booking_id,
        kind=draft.kind,
        fingerprint=fingerprint,
        confirmation_number=confirmation_number(await context.numbers.next(), now),
        user_id=draft.user_id,
        guest=await context.keyring.seal(draft.user_id, guest) if guest is not None else None,
        lines=draft.lines,
        price_amount=draft.price,
        price_currency=draft.currency,
        payment_token=await context.keyring.seal(draft.user_id, draft.token) if draft.token is not None else "",
        deadline=now + context.limits.deadline,
        free_until=draft.free_until or draft.start,
        policy=draft.policy,
        rules=RULES,
        location=draft.location,
        metadata=draft.metadata,
        confirm_on=draft.confirm_on or context.layout.confirm_on(draft.kind),
        prepaid=draft.prepaid,
        time_zone=draft.time_zone,
        details=draft.details,
        times=stay_times(resource, draft.lines),
        deposit_amount=_deposit(draft, resource),
        phone=usable_phone((draft.guest or {}).get("phone")) is not None,
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    row = await context.rows.booking(booking_id, after=appended.offset)
    if row is None:  # decided and yet not there: the request itself was refused as poison, which is our fault
        raise OwnerUnavailable(booking_id)
    return row


def _deposit(draft: Draft, resource: ResourceDeclared | None) -> Decimal | None:
    """What is paid now of what is sold by the night with a deposit; None: the whole price, or nothing here."""
    if resource is None or resource.slots != "nights" or not draft.prepaid:
        return None
    return deposit_of(resource.deposit, draft.price, draft.currency)


def opened(row: Booking) -> web.Response:
    """201: the number and price as the row has them."""
    links, deposit = links_of(row), row.deposit
    body = Opened(
        booking_id=row.booking_id,
        confirmation_number=row.confirmation_number,
        price=Money.of(row.price_amount, row.price_currency),
        deposit=Money.of(deposit, row.price_currency) if deposit else None,
        balance=Money.of(max(row.price_amount - deposit, Decimal(0)), row.price_currency) if deposit else None,
        links=links,
    )
    return as_json(body, 201, {"Location": links.self})


def links_of(row: Booking) -> Links:
    itself = f"/api/{_COLLECTIONS[row.kind]}/{quote(row.booking_id, safe='')}"
    return Links(self=itself, timeline=f"{itself}/timeline", cancel=f"{itself}/cancel")
