"""One WebSocket between a gateway and a worker, over which many questions are asked at once.

A request of its own for every row read costs both sides more than reading the row; frames on a kept connection do not.
A frame is a MessagePack list of questions, or of answers: all that there is to say in one turn of the loop.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import msgspec
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType, web

_CONNECT_S = 1.0
#: Messages of one frame; the longest questions, which name slots, have some 8 kB.
_MOST_IN_FRAME = 64
_LONGEST_FRAME = 1024 * 1024


class Question(msgspec.Struct, frozen=True, array_like=True):
    """What is asked: the path and query of the view that answers it."""

    id: int
    path: str
    query: dict[str, str]


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """What a question of this id is answered: an HTTP status and a body."""

    id: int
    status: int
    body: bytes


M = TypeVar("M", Question, Reply)
_encode = msgspec.msgpack.Encoder().encode
_questions = msgspec.msgpack.Decoder(list[Question])
_replies = msgspec.msgpack.Decoder(list[Reply])


class LinkDown(Exception):
    """The worker cannot be reached, or went away before it answered."""


class _Outbox(Generic[M]):
    """Sends what is put into it: what gathers in one turn of the loop, or behind a slow frame, in one frame.

    `gone` is called when the other side went away; nothing is sent after that.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]], gone: Callable[[], object]) -> None:
        self._send = send
        self._gone = gone
        self._waiting: list[M] = []
        self._sending: asyncio.Task[None] | None = None

    def put(self, message: M) -> None:
        self._waiting.append(message)
        if self._sending is None:
            self._sending = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting:
                frame, self._waiting = self._waiting[:_MOST_IN_FRAME], self._waiting[_MOST_IN_FRAME:]
                await self._send(_encode(frame))
            self._sending = None
        except Exception:  # closed, closing, reset: a link that cannot send is none
            self._gone()


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
        self._outbox: _Outbox[Question] = _Outbox(socket.send_bytes, self._reading.cancel)

    @property
    def closed(self) -> bool:
        return self._reading.done()

    async def ask(self, path: str, query: Mapping[str, str], timeout: float) -> tuple[int, bytes]:  # noqa: ASYNC109
        if self.closed:
            raise LinkDown("the connection was closed")
        number = next(self._ids)
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            self._outbox.put(Question(number, path, dict(query)))
            return await asyncio.wait_for(answer, timeout)
        finally:
            self._open.pop(number, None)

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    for reply in _replies.decode(message.data):
                        answer = self._open.get(reply.id)
                        if answer is not None and not answer.done():
                            answer.set_result((reply.status, reply.body))
        finally:
            for waiting in self._open.values():
                if not waiting.done():
                    waiting.set_exception(LinkDown("the worker closed the connection"))


async def serve(
    request: web.Request, answer: Callable[[Question], Awaitable[tuple[int, bytes]]]
) -> web.WebSocketResponse:
    """The worker's side: every question of a connection is answered as soon as it can be, in any order."""
    socket = web.WebSocketResponse(max_msg_size=_LONGEST_FRAME)
    await socket.prepare(request)
    tasks: set[asyncio.Task[None]] = set()
    outbox: _Outbox[Reply] = _Outbox(socket.send_bytes, lambda: None)  # the gateway went away: nobody waits for it

    async def reply(question: Question) -> None:
        outbox.put(Reply(question.id, *await answer(question)))

    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                for question in _questions.decode(message.data):
                    task = asyncio.create_task(reply(question))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()
    return socket
