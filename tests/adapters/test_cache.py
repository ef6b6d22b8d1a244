"""The cache: bounded in this process; and a Redis that is away, paused or back costs time only, and little of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis

from adapters import cache
from adapters.cache import PAUSE_S, LocalCache, RedisCache, cache_of, redis_client


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_what_is_kept_here_ages_and_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    kept = LocalCache(clock)
    monkeypatch.setattr(cache, "MOST_ENTRIES", 2)
    monkeypatch.setattr(cache, "MOST_BYTES", 10)
    for name in ("a", "b"):
        await kept.set(name, name.encode(), 2.0)
    assert await kept.get("a") == b"a"
    await kept.set("c", b"c", 2.0)
    assert [await kept.get(name) for name in "abc"] == [b"a", None, b"c"]
    await kept.set("d", b"nine byte", 2.0)
    await kept.set("e", b"more than can be kept", 2.0)
    assert [await kept.get(name) for name in "acde"] == [None, b"c", b"nine byte", None]
    clock.now += 2
    assert await kept.get("d") is None
    await kept.close()


async def test_instances_that_share_a_redis_share_no_answers() -> None:
    redis = FakeAsyncRedis()
    one, other = RedisCache(redis, "vacancy:one:"), RedisCache(redis, "vacancy:other:")
    await one.set("key", b"answer", 5.0)
    assert (await one.get("key"), await other.get("key")) == (b"answer", None)
    assert await redis.pttl("vacancy:one:key") > 0
    await one.close()


def test_without_a_url_it_is_in_this_process() -> None:
    assert isinstance(cache_of(None, "id"), LocalCache)
    assert isinstance(cache_of("redis://127.0.0.1:1/0", "id"), RedisCache)


class Server:
    """A real Redis on a port of its own."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._directory = directory
        self.start()

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)]
        self.process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)

    async def until_it_answers(self) -> None:
        client = redis_client(f"redis://127.0.0.1:{self.port}/0")
        async with asyncio.timeout(20):
            while True:
                try:
                    await client.set("ready", b"1")
                    break
                except Exception:
                    await asyncio.sleep(0.05)
        await client.aclose()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server here: install Debian's package redis-server")
    found = Server(tmp_path)
    yield found
    found.process.kill()
    found.process.wait()


async def _kept(kept: RedisCache, clock: Clock) -> bool:
    """Whether an answer is kept, within a few attempts: on a busy machine even a good Redis may be late."""
    for _ in range(50):
        clock.now += PAUSE_S + 1
        await kept.set("key", b"answer", 60.0)
        if await kept.get("key") == b"answer":
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_redis_that_goes_costs_one_question_and_is_used_when_it_is_back(
    server: Server, fault: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    kept = RedisCache(redis_client(f"redis://127.0.0.1:{server.port}/0"), "vacancy:t:", clock)
    await server.until_it_answers()
    assert await _kept(kept, clock)
    caplog.clear()
    caplog.set_level(logging.WARNING)
    server.process.send_signal(fault)
    if fault == signal.SIGKILL:
        server.process.wait()
    async with asyncio.timeout(10):
        assert await kept.get("key") is None
        for _ in range(1_000):  # left alone: not one of these waits for a timeout
            await kept.set("key", b"other", 60.0)
            assert await kept.get("key") is None
    assert sum("does not answer" in record.message for record in caplog.records) == 1
    if fault == signal.SIGKILL:
        server.start()
        await server.until_it_answers()
    else:
        server.process.send_signal(signal.SIGCONT)
    assert await _kept(kept, clock)
    assert any("answers again" in record.message for record in caplog.records)
    await kept.close()
