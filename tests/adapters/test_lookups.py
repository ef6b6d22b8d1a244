"""Names are looked up once at a time, kept for a moment, and none waits for another that hangs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters import lookups
from adapters.lookups import Lookups


class Server:
    """Answers, where it is asked for "slow.example" only once it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may = threading.Event()

    def __call__(self, host: str, port: int, **more: Any) -> list[Any]:
        self.asked.append(host)
        if host == "slow.example":
            self.may.wait(30)
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    yield found
    found.may.set()


async def test_a_name_that_hangs_holds_up_no_other_and_is_asked_for_once(server: Server) -> None:
    names = Lookups(server)
    slow = [asyncio.create_task(names.resolve("slow.example", 443)) for _ in range(200)]
    await asyncio.sleep(0)
    (answer,) = await names.resolve("fast.example", 443)
    assert (answer["host"], answer["port"], answer["hostname"]) == ("192.0.2.7", 443, "fast.example")
    slow[0].cancel()
    await asyncio.sleep(0)
    server.may.set()
    assert {each[0]["host"] for each in await asyncio.gather(*slow[1:])} == {"192.0.2.7"}
    assert server.asked.count("slow.example") == 1
    await names.close()


async def test_the_loop_s_own_threads_are_left_alone(server: Server) -> None:
    names = Lookups(server)
    hanging = [asyncio.create_task(names.resolve("slow.example", port)) for port in range(31)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(lambda: "free") == "free"
    server.may.set()
    await asyncio.gather(*hanging)
    await names.close()


async def test_an_answer_is_used_again_for_a_moment_and_a_failure_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Lookups(server)
    for _ in range(2):
        await names.resolve("fast.example", 443)
        with pytest.raises(OSError, match="no such name"):
            await names.resolve("unknown.example", 443)
    assert server.asked == ["fast.example", "unknown.example", "unknown.example"]
    await names.close()
    monkeypatch.setattr(lookups, "KEPT_S", 0.0)
    forgetful = Lookups(server)
    for _ in range(2):
        await forgetful.resolve("other.example", 443)
    assert server.asked.count("other.example") == 2
    await forgetful.close()


async def test_what_is_kept_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "_MOST_KEPT", 1)
    names = Lookups(server)
    for host in ("a.example", "b.example", "a.example"):
        await names.resolve(host, 443)
    assert server.asked == ["a.example", "b.example", "a.example"]
    await names.close()
