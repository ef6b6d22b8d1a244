"""A worker's rows as the gateways may read them: over loopback, with the internal token, never written from here.

    /rows/{service}/{key}?name=ROW[&after=OFFSET&wait=SECONDS | &at=TIME]   the row, or how `key` stood at a time
    /rows/{service}/{key}/list?prefix=[&before=ROW&limit=N]                 [[name, row], ...] of the key's partition
    /rows/{service}/{key}/timeline                                          what happened to `key`
    /rows/{service}/partition/{number}?prefix=[&beyond=ROW&limit=N]         [[name, row], ...]
    /rows/booking/{booking_id}/settled?wait=                                the booking as soon as it is not PENDING
    /rows/booking/{booking_id}/at-rest?wait=                                the booking once nothing of it is under way
    /rows/availability?provider_id=&product_id=&slots=                      what is held of a resource's slots

What this worker does not own (or has not restored) is answered 421, what it cannot know in time 503; a 404 is given
only once the partition's position has passed the end of its inbox as of the question.
"""

from __future__ import annotations

import hmac
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec
from aiohttp import web

from domain.booking_state import Booking
from domain.inventory import Inventory
from streams.keys import partition_of, resource_key
from streams.local import StoreFailed
from streams.rows import NotOwner, RowStore
from streams.services import AVAILABILITY, BOOKING
from tables import availability, history, reservations
from web.asking import Asked, Read
from web.link import Question, serve
from web.owners import TOKEN_HEADER
from web.wire import Found, SlotCount, SlotCounts, at_rest, settled

#: Greater than every row's name.
_LAST = "\U0010ffff"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_encode = msgspec.json.Encoder().encode

#: What readers wait for in a booking.
_UNTIL: dict[str, Callable[[Booking], bool]] = {"settled": settled, "at-rest": at_rest}


def routes(stores: Mapping[str, RowStore], token: str) -> list[web.RouteDef]:
    """The routes of a worker's views. `stores` are by service; a service that is not there is owned by others."""
    views = _Views(stores)
    return [web.get("/rows", _link(views, token)), web.get("/rows/{path:.+}", _guarded(views, token))]


class _Views:
    def __init__(self, stores: Mapping[str, RowStore]) -> None:
        self._stores = stores

    async def answer(self, asked: Asked) -> tuple[int, bytes]:
        """The HTTP status and the JSON that answer a question."""
        try:
            found = await self._found(asked)
        except NotOwner:
            return 421, b'{"owner": false}'
        except TimeoutError:
            return 503, b'{"error": "behind"}'
        except StoreFailed as error:
            self._stores[asked.path[0]].fail(error)
            return 503, b'{"error": "the store failed"}'
        except (KeyError, ValueError):
            return 400, b'{"error": "malformed question"}'
        return (200, found) if found is not None else (404, b'{"found": false}')

    async def _found(self, asked: Asked) -> bytes | None:
        """The JSON of what was asked for. Raises NotOwner, TimeoutError, and for no question of ours KeyError and
        ValueError."""
        match asked.path:
            case ["availability"]:
                return await self._slots(asked)
            case ["booking", booking_id, "settled" | "at-rest" as what]:
                return await self._booking(asked, booking_id, _UNTIL[what])
            case [service, key, "timeline"]:
                return await self._timeline(service, key)
            case [service, key, "list"]:
                return await self._list(asked, *self._owner(service, key))
            case [service, "partition", number]:
                return await self._scan(asked, *self._owned(service, int(number)))
            case [service, key]:
                return await self._row(asked, key, *self._owner(service, key))
        raise KeyError("no such view")

    async def _row(self, asked: Asked, key: str, store: RowStore, partition: int) -> bytes | None:
        at = asked.at
        if at is not None:
            # Only once all is decided that was asked by now, the state at a time is what it will always be.
            state = await Read(store, partition, lambda: history.state_at(store, key, at)).final()
            return state if state != b"null" else None
        name = asked.query["name"]
        return await Read(store, partition, lambda: store.get(partition, name)).present(asked.after, asked.wait)

    async def _list(self, asked: Asked, store: RowStore, partition: int) -> bytes:
        prefix, before = asked.query["prefix"], asked.query.get("before", _LAST)

        def read() -> list[Found]:
            upto = itertools.takewhile(lambda row: row[0] < before, store.scan(partition, prefix))
            return _raw(deque(upto, maxlen=asked.limit))

        return _encode(await Read(store, partition, read).present(asked.after, asked.wait) or [])

    async def _scan(self, asked: Asked, store: RowStore, partition: int) -> bytes:
        prefix, last = asked.query["prefix"], asked.query.get("beyond", "")

        def read() -> list[Found]:
            beyond = itertools.dropwhile(lambda row: row[0] <= last, store.scan(partition, prefix))
            return _raw(itertools.islice(beyond, asked.limit))

        return _encode(await Read(store, partition, read).present(asked.after, asked.wait) or [])

    async def _booking(self, asked: Asked, booking_id: str, done: Callable[[Booking], bool]) -> bytes | None:
        store, partition = self._owner(BOOKING.name, booking_id)
        row = Read(store, partition, lambda: reservations.read(store, booking_id))
        found = await row.present(None, 0)
        if found is None:
            return None
        return _encode(await row.until(reservations.row_key(booking_id), done, found, asked.wait))

    async def _timeline(self, service: str, key: str) -> bytes | None:
        store, partition = self._owner(service, key)
        found = await Read(store, partition, lambda: history.timeline(store, key)).present(None, 0)
        return _encode(found) if found else None

    async def _slots(self, asked: Asked) -> bytes | None:
        provider_id, product_id = asked.query["provider_id"], asked.query["product_id"]
        store, partition = self._owner(AVAILABILITY.name, resource_key(provider_id, product_id))
        slots = [slot for slot in asked.query["slots"].split(",") if slot]

        def read() -> SlotCounts | None:
            return _counts(availability.read(store, provider_id, product_id, slots))

        found = await Read(store, partition, read).present(asked.after, asked.wait)
        return _encode(found) if found is not None else None

    def _owner(self, service: str, key: str) -> tuple[RowStore, int]:
        store = self._store(service)
        return self._owned(service, partition_of(key, store.partitions))

    def _owned(self, service: str, partition: int) -> tuple[RowStore, int]:
        store = self._store(service)
        if not store.owns(partition):
            raise NotOwner(f"{service}/{partition}")
        return store, partition

    def _store(self, service: str) -> RowStore:
        store = self._stores.get(service)
        if store is None:
            raise NotOwner(service)
        return store


def _raw(rows: Iterable[tuple[str, bytes]]) -> list[Found]:
    return [(key, msgspec.Raw(row)) for key, row in rows]


def _counts(inventory: Inventory) -> SlotCounts | None:
    if inventory.resource is None:
        return None
    nights = sorted(inventory.nights.items())
    counts = [SlotCount(slot, night.held, night.confirmed, night.sold) for slot, night in nights]
    return SlotCounts(inventory.resource, counts, dict(inventory.rules))


def _guarded(views: _Views, token: str) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not _knows(request, token):
            return _stranger()
        status, body = await views.answer(Asked.of(request.rel_url.raw_path, request.query))
        headers = {"Retry-After": "1"} if status == 503 else None
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)

    return guarded


def _link(views: _Views, token: str) -> Handler:
    async def link(request: web.Request) -> web.StreamResponse:
        if not _knows(request, token):
            return _stranger()

        async def answer(question: Question) -> tuple[int, bytes]:
            return await views.answer(Asked.of(question.path, question.query))

        return await serve(request, answer)

    return link


def _knows(request: web.Request, token: str) -> bool:
    shown = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
    return hmac.compare_digest(shown, token.encode())


def _stranger() -> web.Response:
    return web.json_response({"error": "internal token missing"}, status=401)
