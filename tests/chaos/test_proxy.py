"""The proxy between a program and a server that goes down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bench.chaos.proxy import Proxy


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    made = Proxy(server.sockets[0].getsockname())
    await made.up()
    yield made
    await made.down()
    server.close()


async def _says(proxy: Proxy, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    return answer


async def test_what_is_said_passes_in_both_directions(proxy: Proxy) -> None:
    assert await _says(proxy, b"hello\n") == b"hello\n"


async def test_down_cuts_who_is_connected_and_refuses_who_comes(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"

    await proxy.down()

    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)


async def test_it_comes_back_on_the_same_port(proxy: Proxy) -> None:
    port = proxy.port
    await proxy.down()
    await proxy.up()

    assert proxy.port == port
    assert await _says(proxy, b"again\n") == b"again\n"


async def test_hung_takes_who_comes_and_says_nothing_until_it_is_over(proxy: Proxy) -> None:
    await proxy.turn("hung")
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello\n")
    answer = asyncio.create_task(reader.readline())
    done, _ = await asyncio.wait([answer], timeout=0.2)
    assert not done

    await proxy.turn("fair")

    assert await answer == b"hello\n"
    writer.close()


async def test_deaf_passes_on_what_is_asked_and_loses_the_answer() -> None:
    asked: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"done\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(noting, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname())
    await proxy.turn("deaf")
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"pay\n")

    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)

    assert asked == [b"pay\n"]
    writer.close()
    await proxy.down()
    server.close()


async def test_busy_answers_by_itself(proxy: Proxy) -> None:
    await proxy.turn("busy")

    assert (await _says(proxy, b"POST / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 429 ")
