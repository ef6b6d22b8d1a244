"""Answers that may be a moment old, kept for that moment: figures, forecasts, histories of rates.

Never what a booking depends on, nor anything that is readable as soon as it was answered: availability, units and
bookings are always read from their rows.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter

from adapters.cache import Cache
from web.auth import PRINCIPAL
from web.problems import Handler

#: How old an answer may be, in seconds, by the pattern of its route.
AGES: Mapping[str, float] = {
    "/api/analytics/kpis": 2.0,
    "/api/analytics/events": 2.0,
    "/api/analytics/forecast": 2.0,
    "/api/rates/history": 2.0,
    "/api/rates/usage": 2.0,
}


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept. `made` is in seconds since 1970."""

    made: float
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a handler said: kept if it is a 200 whose body is at hand."""

    response: web.StreamResponse
    kept: _Kept | None


class Cached:
    """The middleware. Of several that ask for the same at once one is answered, and the others with it."""

    def __init__(self, cache: Cache, registry: CollectorRegistry, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[_Answer]] = {}
        self._asked = Counter(
            "vacancy_cache_answers", "Answers that may be kept, by where they came from.", ("cache",), registry=registry
        )

    def middleware(self) -> Middleware:
        @web.middleware
        async def serve(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            age = AGES.get(resource.canonical) if resource is not None and request.method == "GET" else None
            return await handler(request) if age is None else await self._answer(request, handler, age)

        return serve

    async def _answer(self, request: web.Request, handler: Handler, age: float) -> web.StreamResponse:
        key = key_of(request)
        if "no-cache" not in request.headers.get("Cache-Control", "").lower():
            kept = _read(await self._cache.get(key))
            if kept is not None and 0 <= self._clock() - kept.made < age:
                return self._told(kept, "hit")
            under_way = self._under_way.get(key)
            if under_way is not None:
                answer = await _result_of(under_way)
                if answer is not None and answer.kept is not None:
                    return self._told(answer.kept, "hit")
        answer = await self._made(request, handler, key, age)
        return answer.response if answer.kept is None else self._told(answer.kept, "miss")

    async def _made(self, request: web.Request, handler: Handler, key: str, age: float) -> _Answer:
        task = asyncio.create_task(self._make(request, handler))
        self._under_way[key] = task
        try:
            answer = await task
        finally:
            task.cancel()  # the caller who began it has gone: the others ask for themselves
            if self._under_way.get(key) is task:
                del self._under_way[key]
        if answer.kept is not None:
            await self._cache.set(key, msgspec.msgpack.encode(answer.kept), age)
        return answer

    async def _make(self, request: web.Request, handler: Handler) -> _Answer:
        response = await handler(request)
        if response.status != 200 or not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            return _Answer(response, None)
        return _Answer(response, _Kept(self._clock(), response.content_type, response.body))

    def _told(self, kept: _Kept, said: str) -> web.Response:
        self._asked.labels(said).inc()
        headers = {"X-Cache": said, "Age": str(max(int(self._clock() - kept.made), 0))}
        return web.Response(body=kept.body, content_type=kept.content_type, charset="utf-8", headers=headers)


def key_of(request: web.Request) -> str:
    """Who asks for what: no answer is ever given to another principal."""
    principal = request[PRINCIPAL].id if PRINCIPAL in request else ""
    shape = request.headers.get("Accept", "")
    asked = "\n".join((str(principal), shape, request.path, *(f"{k}={v}" for k, v in sorted(request.query.items()))))
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _read(raw: bytes | None) -> _Kept | None:
    """What another version, or another program, kept there is none of ours."""
    try:
        return msgspec.msgpack.decode(raw, type=_Kept) if raw is not None else None
    except msgspec.DecodeError:
        return None


async def _result_of(task: asyncio.Task[_Answer]) -> _Answer | None:
    """What came of somebody else's question; None if it failed, so that the failure is asked for anew."""
    done, _ = await asyncio.wait([task])
    found = done.pop()
    return None if found.cancelled() or found.exception() is not None else found.result()
