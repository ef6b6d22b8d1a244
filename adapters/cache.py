"""A cache for answers that may be a moment old: in this process, or in a Redis that several gateways share.

Never a source of truth. A Redis that is away, slow or wrong costs speed only: its answers count as missing, and after
an error it is left alone for a while.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

#: How long one question to Redis may take, and for how long it is not asked after an error; in seconds.
TIMEOUT_S = 0.05
PAUSE_S = 5.0
#: How many answers, of how many bytes in all, one process keeps.
MOST_ENTRIES = 2_000
MOST_BYTES = 32 * 1024 * 1024

logger = logging.getLogger("vacancy.cache")


class Cache(Protocol):
    """Bytes by name, for a time."""

    async def get(self, key: str) -> bytes | None:
        """What was kept, None if it is missing, too old, or cannot be had quickly. Never raises."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keeps it for `ttl` seconds, if that can be done quickly. Never raises."""
        ...

    async def close(self) -> None: ...


class LocalCache:
    """In this process. The answer that was not used for longest goes first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept[1]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        self._drop(key)
        if len(value) > MOST_BYTES:
            return
        self._kept[key] = self._clock() + ttl, value
        self._bytes += len(value)
        while len(self._kept) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    async def close(self) -> None:
        self._kept.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept[1])


class RedisCache:
    """In Redis, under names that begin with `prefix`."""

    def __init__(self, redis: Redis, prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock
        self._not_before = 0.0
        self._away = False

    async def get(self, key: str) -> bytes | None:
        if self._clock() < self._not_before:
            return None
        try:
            found = await self._redis.get(self._prefix + key)
        except (RedisError, OSError, TimeoutError) as error:
            self._leave_alone(error)
            return None
        self._is_back()
        return found if isinstance(found, bytes) else None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        if self._clock() < self._not_before:
            return
        try:
            await self._redis.set(self._prefix + key, value, px=max(round(ttl * 1000), 1))
        except (RedisError, OSError, TimeoutError) as error:
            self._leave_alone(error)
        else:
            self._is_back()

    async def close(self) -> None:
        await self._redis.aclose()

    def _leave_alone(self, error: Exception) -> None:
        self._not_before = self._clock() + PAUSE_S
        if not self._away:  # one line for an outage, however long it is
            logger.warning("Redis does not answer (%s): answers are made anew until it does", type(error).__name__)
        self._away = True

    def _is_back(self) -> None:
        if self._away:
            logger.warning("Redis answers again")
        self._away = False


def redis_client(url: str) -> Redis:
    """A client of the instance's Redis that answers within `TIMEOUT_S` or raises: no retries, no waiting."""
    client: Redis = Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        max_connections=50,
    )
    return client


def cache_of(redis_url: str | None, instance_id: str) -> Cache:
    """The cache that the settings ask for; instances that share a Redis do not share answers."""
    if redis_url is None:
        return LocalCache()
    return RedisCache(redis_client(redis_url), f"vacancy:{instance_id}:")
