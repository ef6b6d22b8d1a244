"""A worker's rows as the gateways may read them: over loopback, with the internal token, never written from here.

What this worker does not own (or has not restored) is answered 421, what it cannot know in time 503; a 404 is given
only once the row's position has passed the end of its inbox as of the question.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Generic, Protocol, TypeVar, cast
from urllib.parse import unquote

import msgspec
from aiohttp import web

from domain.booking_state import BookingStatus
from domain.inventory import Inventory
from streams.keys import partition_of, resource_key
from streams.rows import NotOwner, RowStore
from streams.services import AVAILABILITY, BOOKING, PAYMENT
from tables import availability, payments, reservations
from web.link import Question, serve
from web.owners import TOKEN_HEADER
from web.wire import SlotCount, SlotCounts

#: The longest a reader may wait here in one question, in seconds.
LONGEST_WAIT_S = 10.0
#: How long a row that is not there may take to be known not to be there.
_CATCH_UP_S = 1.5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
View = Callable[["Asked"], Awaitable[web.Response]]
R = TypeVar("R", bound=msgspec.Struct)


def routes(stores: Mapping[str, RowStore], token: str) -> list[web.RouteDef]:
    """The routes of a worker's views. `stores` are by service; a service that is not there is owned by others."""
    views = _Views(stores)
    return [
        web.get("/rows", _link(views, token)),
        web.get("/rows/booking/{booking_id}", _guarded(views.booking, token)),
        web.get("/rows/booking/{booking_id}/timeline", _guarded(views.timeline, token)),
        web.get("/rows/availability", _guarded(views.availability, token)),
        web.get("/rows/payment/{payment_id}", _guarded(views.payment, token)),
    ]


class Asked(Protocol):
    """What a view reads of a question, whether it came as a request or over a link."""

    @property
    def match_info(self) -> Mapping[str, str]: ...
    @property
    def query(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class _OverLink:
    match_info: Mapping[str, str]
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Row(Generic[R]):
    """One row to be read: where it lies and how."""

    store: RowStore
    partition: int
    key: str
    read: Callable[[], R | None]

    async def present(self, after: int | None, wait: float) -> R | None:
        """The row once the inbox has passed offset `after`; without `after`, a miss waits for the inbox's end."""
        if after is not None:
            await self.store.passed(self.partition, wait or _CATCH_UP_S, after)
            return self._owned()
        found = self._owned()
        if found is None:
            await self.store.passed(self.partition, _CATCH_UP_S)
            found = self._owned()
        return found

    async def until(self, done: Callable[[R], bool], found: R, wait: float) -> R:
        """The row as soon as it is `done`, or as it stands after `wait` seconds."""
        end = time.monotonic() + wait
        while not done(found) and (left := end - time.monotonic()) > 0:
            try:
                await self.store.changed(self.partition, self.key, left)
            except TimeoutError:
                break
            found = self._owned() or found
        return found

    def _owned(self) -> R | None:
        if not self.store.owns(self.partition):
            raise NotOwner(f"{self.store.service}/{self.partition}")
        return self.read()


class _Views:
    def __init__(self, stores: Mapping[str, RowStore]) -> None:
        self._stores = stores

    def find(self, path: str) -> tuple[View, dict[str, str]]:
        """The view behind a path, and what the path names; as the routes have it."""
        match [unquote(part) for part in path.split("/")[2:]]:
            case ["booking", booking_id]:
                return self.booking, {"booking_id": booking_id}
            case ["booking", booking_id, "timeline"]:
                return self.timeline, {"booking_id": booking_id}
            case ["payment", payment_id]:
                return self.payment, {"payment_id": payment_id}
            case ["availability"]:
                return self.availability, {}
        return self.unknown, {}

    async def unknown(self, request: Asked) -> web.Response:
        raise KeyError("no such view")

    async def booking(self, request: Asked) -> web.Response:
        booking_id = request.match_info["booking_id"]
        store, partition = self._owner(BOOKING.name, booking_id)
        row = _Row(store, partition, reservations.row_key(booking_id), lambda: reservations.read(store, booking_id))
        wait = _seconds(request, "wait")
        found = await row.present(_offset(request), wait)
        if found is None:
            return _missing()
        if request.query.get("until") == "settled":
            found = await row.until(lambda booking: booking.status is not BookingStatus.PENDING, found, wait)
        return _json(found)

    async def timeline(self, request: Asked) -> web.Response:
        booking_id = request.match_info["booking_id"]
        store, partition = self._owner(BOOKING.name, booking_id)
        row = _Row(store, partition, reservations.row_key(booking_id), lambda: reservations.read(store, booking_id))
        if await row.present(None, 0) is None:
            return _missing()
        return _json(reservations.timeline(store, booking_id))

    async def payment(self, request: Asked) -> web.Response:
        payment_id = request.match_info["payment_id"]
        store, partition = self._owner(PAYMENT.name, payment_id)
        row = _Row(store, partition, payments.row_key(payment_id), lambda: payments.read(store, payment_id))
        found = await row.present(_offset(request), _seconds(request, "wait"))
        return _missing() if found is None else _json(found)

    async def availability(self, request: Asked) -> web.Response:
        provider_id, product_id = request.query["provider_id"], request.query["product_id"]
        store, partition = self._owner(AVAILABILITY.name, resource_key(provider_id, product_id))
        slots = [slot for slot in request.query["slots"].split(",") if slot]

        def read() -> SlotCounts | None:
            return _counts(availability.read(store, provider_id, product_id, slots))

        row = _Row(store, partition, "", read)
        found = await row.present(_offset(request), _seconds(request, "wait"))
        return _missing() if found is None else _json(found)

    def _owner(self, service: str, key: str) -> tuple[RowStore, int]:
        store = self._stores.get(service)
        if store is None:
            raise NotOwner(service)
        partition = partition_of(key, store.partitions)
        if not store.owns(partition):
            raise NotOwner(f"{service}/{partition}")
        return store, partition


def _counts(inventory: Inventory) -> SlotCounts | None:
    if inventory.resource is None:
        return None
    nights = sorted(inventory.nights.items())
    counts = [SlotCount(slot, night.held, night.confirmed) for slot, night in nights]
    return SlotCounts(inventory.resource, counts)


def _guarded(view: View, token: str) -> Handler:
    @wraps(view)
    async def guarded(request: web.Request) -> web.StreamResponse:
        return await _answer(view, request) if _knows(request, token) else _stranger()

    return guarded


def _link(views: _Views, token: str) -> Handler:
    async def link(request: web.Request) -> web.StreamResponse:
        if not _knows(request, token):
            return _stranger()

        async def answer(question: Question) -> tuple[int, bytes]:
            view, match_info = views.find(question.path)
            response = await _answer(view, _OverLink(match_info, question.query))
            return response.status, bytes(cast("bytes", response.body))

        return await serve(request, answer)

    return link


async def _answer(view: View, asked: Asked) -> web.Response:
    try:
        return await view(asked)
    except NotOwner:
        return web.json_response({"owner": False}, status=421)
    except TimeoutError:
        return web.json_response({"error": "behind"}, status=503, headers={"Retry-After": "1"})
    except (KeyError, ValueError):
        return web.json_response({"error": "malformed question"}, status=400)


def _knows(request: web.Request, token: str) -> bool:
    shown = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
    return hmac.compare_digest(shown, token.encode())


def _stranger() -> web.Response:
    return web.json_response({"error": "internal token missing"}, status=401)


def _seconds(request: Asked, name: str) -> float:
    return min(max(float(request.query.get(name, "0")), 0.0), LONGEST_WAIT_S)


def _offset(request: Asked) -> int | None:
    after = request.query.get("after")
    return int(after) if after is not None else None


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _missing() -> web.Response:
    return web.json_response({"found": False}, status=404)
