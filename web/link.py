"""One WebSocket between a gateway and a worker, over which many questions are asked at once.

A request of its own for every row read costs both sides more than reading the row; frames on a kept connection do not.
A question is JSON {id, path, query}; an answer is its id and an HTTP status (4 and 2 bytes) before the body.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType, web

_HEAD = struct.Struct(">IH")
_CONNECT_S = 1.0


class Question(msgspec.Struct, frozen=True):
    """What is asked: the path and query of the view that answers it."""

    id: int
    path: str
    query: dict[str, str]


class LinkDown(Exception):
    """The worker cannot be reached, or went away before it answered."""


class Links:
    """The gateway's connections, one to each worker it has asked."""

    def __init__(self, http: ClientSession, headers: Mapping[str, str]) -> None:
        self._http = http
        self._headers = headers
        self._links: dict[str, _Link] = {}
        self._connecting: dict[str, asyncio.Lock] = {}

    async def ask(self, url: str, path: str, query: Mapping[str, str], timeout: float) -> tuple[int, bytes]:  # noqa: ASYNC109
        """The status and body of the worker's answer.

        Raises:
            LinkDown: there is no connection, or it broke.
            TimeoutError: no answer within `timeout` seconds.
        """
        link = self._links.get(url)
        if link is None or link.closed:
            link = await self._connect(url)
        return await link.ask(path, query, timeout)

    async def close(self) -> None:
        for link in self._links.values():
            await link.close()

    async def _connect(self, url: str) -> _Link:
        async with self._connecting.setdefault(url, asyncio.Lock()):
            known = self._links.get(url)
            if known is not None and not known.closed:
                return known
            try:
                async with asyncio.timeout(_CONNECT_S):
                    socket = await self._http.ws_connect(f"{url}/rows", headers=self._headers, max_msg_size=0)
            except (ClientError, TimeoutError, OSError) as error:
                raise LinkDown(f"{url}: {error}") from error
            # Addresses of workers that are gone do not come back: forget them.
            self._links = {each: link for each, link in self._links.items() if not link.closed}
            self._links[url] = _Link(socket)
            return self._links[url]


class _Link:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._open: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._reading = asyncio.create_task(self._read())

    @property
    def closed(self) -> bool:
        return self._reading.done()

    async def ask(self, path: str, query: Mapping[str, str], timeout: float) -> tuple[int, bytes]:  # noqa: ASYNC109
        number = next(self._ids) & 0xFFFFFFFF
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            await self._socket.send_bytes(msgspec.json.encode(Question(number, path, dict(query))))
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise  # an OSError too, but the connection is not to blame
        except (ClientError, OSError) as error:
            raise LinkDown(str(error)) from error
        finally:
            self._open.pop(number, None)

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    number, status = _HEAD.unpack_from(message.data)
                    answer = self._open.get(number)
                    if answer is not None and not answer.done():
                        answer.set_result((status, message.data[_HEAD.size :]))
        finally:
            for waiting in self._open.values():
                if not waiting.done():
                    waiting.set_exception(LinkDown("the worker closed the connection"))


async def serve(
    request: web.Request, answer: Callable[[Question], Awaitable[tuple[int, bytes]]]
) -> web.WebSocketResponse:
    """The worker's side: every question of a connection is answered as soon as it can be, in any order."""
    socket = web.WebSocketResponse(max_msg_size=64 * 1024)
    await socket.prepare(request)
    tasks: set[asyncio.Task[None]] = set()

    async def reply(question: Question) -> None:
        status, body = await answer(question)
        with contextlib.suppress(ConnectionError, RuntimeError):  # the gateway went away: nobody waits for it
            await socket.send_bytes(_HEAD.pack(question.id, status) + body)

    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                task = asyncio.create_task(reply(msgspec.json.decode(message.data, type=Question)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()
    return socket
