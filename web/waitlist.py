"""Waitlists: nights that are sold out, offered to those who wait in the order they came."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import msgspec
from aiohttp import web

from domain.waitlist import MOST_ENTRIES, Entry, EntryStatus, last_call
from streams.events.waitlist import JoinWaitlist, LeaveWaitlist
from streams.identity import user_id_of
from streams.keys import resource_key
from streams.services import AVAILABILITY
from tables.waitlist import Open, entry_key, open_prefix
from web.answers import Opened
from web.bodies import check, read_json
from web.checks import check_quantity, line_of, resource_of, stay_bounds
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.opening import Draft, fingerprint_of, open_booking
from web.operations import IDEMPOTENCY_KEY, Operation, Parameter
from web.owners import OwnerUnavailable
from web.problems import Problem, not_found
from web.reading import guest_of
from web.requests import id_in_path, id_of_request, query_name
from web.shapes import as_json
from web.waitlist_answers import entry_out, refusal_of, too_late
from web.waitlist_models import AcceptRequest, EntryOut, WaitlistOut, WaitlistRequest

_entry = msgspec.json.Decoder(Entry)
_open = msgspec.json.Decoder(Open)


async def join_waitlist(request: web.Request) -> web.Response:
    """Appends the entry and answers from its row; a retry is answered so too when it would be refused by now."""
    body = await read_json(request)
    asked, context = check(WaitlistRequest, body), context_of(request)
    resource = resource_key(asked.property_id, asked.unit_type)
    derived, keyed = id_of_request(request, principal_of(request))
    # Its booking will have the entry's id: never one that a booking with the same Idempotency-Key has.
    entry_id = str(uuid.uuid5(uuid.UUID(derived), f"waitlist {resource}"))
    fingerprint = fingerprint_of(request, body)
    try:
        event = await _join(asked, context, entry_id, fingerprint)
    except Problem:
        entry = await _row(context, resource, entry_id) if keyed else None
        if entry is None:
            raise
    else:
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        entry = await _row(context, resource, entry_id, after=appended.offset)
    if entry is None:
        raise OwnerUnavailable(resource)
    if entry.fingerprint != fingerprint:
        raise Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another request")
    if entry.status is EntryStatus.REFUSED:
        raise refusal_of(entry)
    return await _answer(context, entry, 201)


async def _join(asked: WaitlistRequest, context: Context, entry_id: str, fingerprint: str) -> JoinWaitlist:
    declared = resource_of(context, ("property_id", asked.property_id), ("unit_type", asked.unit_type))
    check_quantity(asked.quantity, context)
    start, end = stay_bounds(declared, asked.check_in, asked.check_out, context)
    until = last_call(asked.check_in, declared.time_zone)
    if context.clock() >= until:
        raise too_late()
    user_id = asked.guest.user_id or user_id_of(asked.guest.email)
    guest = json.dumps(asked.guest.model_dump(exclude={"user_id"}, exclude_none=True), ensure_ascii=False)
    return JoinWaitlist(
        entry_id=entry_id,
        provider_id=asked.property_id,
        product_id=asked.unit_type,
        fingerprint=fingerprint,
        user_id=user_id,
        guest=await context.keyring.seal(user_id, guest),
        start=start,
        end=end,
        quantity=asked.quantity,
        time_zone=declared.time_zone,
        offer_minutes=context.limits.offer_minutes,
        until=until,
    )


async def get_entry(request: web.Request) -> web.Response:
    context = context_of(request)
    return await _answer(context, await _found(context, request))


async def get_waitlist(request: web.Request) -> web.Response:
    """The operator's view."""
    context = context_of(request)
    property_id, unit_type = query_name(request, "property_id"), query_name(request, "unit_type")
    resource_of(context, ("property_id", property_id), ("unit_type", unit_type))
    resource = resource_key(property_id, unit_type)
    places = await _places(context, resource)
    rows = await asyncio.gather(*(_row(context, resource, place.entry_id) for place in places))
    entries = [await _shown(context, row, places) for row in rows if row is not None and row.status.open]
    body = WaitlistOut(property_id=property_id, unit_type=unit_type, entries=entries)
    return as_json(body)


async def withdraw_entry(request: web.Request) -> web.Response:
    """Leaves, and answers once the row says so. Asked again, it says the same."""
    context = context_of(request)
    entry = await _found(context, request)
    if entry.status.open:
        event = LeaveWaitlist(entry_id=entry.entry_id, provider_id=entry.provider_id, product_id=entry.product_id)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        resource = resource_key(entry.provider_id, entry.product_id)
        entry = await _row(context, resource, entry.entry_id, after=appended.offset) or entry
    if entry.status is not EntryStatus.WITHDRAWN:
        detail = f"The entry is {entry.status}."
        raise Problem(409, "not-withdrawable", "Cannot be withdrawn", detail, more={"entry_status": entry.status})
    return await _answer(context, entry)


async def accept_offer(request: web.Request) -> web.Response:
    """A booking with the entry's id: its hold takes over what is held for the offer. A retry is answered the same."""
    body = await read_json(request)
    asked, context = check(AcceptRequest, body), context_of(request)
    entry = await _found(context, request)
    guest = await context.keyring.unseal(entry.user_id, entry.guest) if entry.guest else None

    def draft(context: Context) -> Draft:
        return _booking(entry, json.loads(guest) if guest else None, asked, context)

    return await open_booking(request, body, draft, given_id=entry.entry_id)


def _booking(entry: Entry, guest: dict[str, Any] | None, asked: AcceptRequest, context: Context) -> Draft:
    if entry.status is not EntryStatus.OFFERED or entry.offer_until is None or context.clock() >= entry.offer_until:
        status = EntryStatus.EXPIRED if entry.status is EntryStatus.OFFERED else entry.status
        raise Problem(409, "no-offer", "There is no offer", f"The entry is {status}.", more={"entry_status": status})
    if guest is None:
        raise Problem(
            409, "guest-erased", "The guest's data was erased", "Nobody can be booked by this entry any more."
        )
    resource = resource_of(context, ("property_id", entry.provider_id), ("unit_type", entry.product_id))
    return Draft(
        kind="stay",
        lines=(line_of(resource, entry.start, entry.end, entry.quantity),),
        currency=resource.price_currency,
        user_id=entry.user_id,
        guest=guest,
        token=asked.payment_method.token,
        metadata={"time_zone": entry.time_zone},
        time_zone=entry.time_zone,
        policy=resource.cancellation,
    )


async def _found(context: Context, request: web.Request) -> Entry:
    """The entry of the path. Its id does not say which partition has it: all are asked. Raises Problem 404."""
    prefix = entry_key(id_in_path(request, "entry_id", "entry"))
    scans = (context.rows.scan(AVAILABILITY.name, number, prefix, 1) for number in range(context.layout.partitions))
    entry = next((_entry.decode(row) for found in await asyncio.gather(*scans) for _, row in found), None)
    if entry is None or entry.status is EntryStatus.REFUSED:
        raise not_found("entry")
    return entry


async def _row(context: Context, resource: str, entry_id: str, *, after: int | None = None) -> Entry | None:
    row = await context.rows.row(AVAILABILITY.name, resource, entry_key(entry_id), after=after)
    return _entry.decode(row) if row is not None else None


async def _places(context: Context, resource: str) -> list[Open]:
    """Who waits or has an offer, in the order they came."""
    rows = await context.rows.list(AVAILABILITY.name, resource, open_prefix(resource), MOST_ENTRIES)
    return [_open.decode(row) for row in rows]


async def _answer(context: Context, entry: Entry, status: int = 200) -> web.Response:
    waits = entry.status is EntryStatus.WAITING
    places = await _places(context, resource_key(entry.provider_id, entry.product_id)) if waits else []
    body = await _shown(context, entry, places)
    headers = {"Location": body.links.self} if status == 201 else None
    return as_json(body, status, headers)


async def _shown(context: Context, entry: Entry, places: list[Open]) -> EntryOut:
    waiting = [place.entry_id for place in places if not place.offered]
    position = waiting.index(entry.entry_id) + 1 if entry.entry_id in waiting else None
    return entry_out(entry, position, await guest_of(context, entry))


_NAME = {"type": "string", "minLength": 1, "maxLength": 100}

OPERATIONS = (
    Operation(
        "POST",
        "/api/waitlist",
        join_waitlist,
        "Wait for nights that are sold out",
        "waitlist",
        {201: EntryOut},
        request=WaitlistRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/waitlist",
        get_waitlist,
        "Who waits for a unit type, in the order they came",
        "waitlist",
        {200: WaitlistOut},
        parameters=(
            Parameter("property_id", "The property.", _NAME, required=True),
            Parameter("unit_type", "The unit type.", _NAME, required=True),
        ),
        problems=(422, 503),
    ),
    Operation(
        "GET",
        "/api/waitlist/{entry_id}",
        get_entry,
        "An entry as it stands",
        "waitlist",
        {200: EntryOut},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        "/api/waitlist/{entry_id}/accept",
        accept_offer,
        "Book the nights that are offered",
        "waitlist",
        {201: Opened},
        request=AcceptRequest,
        problems=(404, 409, 503),
    ),
    Operation(
        "POST",
        "/api/waitlist/{entry_id}/withdraw",
        withdraw_entry,
        "Leave a waitlist",
        "waitlist",
        {200: EntryOut},
        problems=(404, 409, 503),
    ),
)
