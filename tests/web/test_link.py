"""The connection a gateway keeps to a worker: many questions at once, and what happens when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, web
from aiohttp.test_utils import TestServer

from web.link import LinkDown, Links, Question, serve


class Worker:
    """A worker that answers a question with its path, when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.let.set()
        self.asked: list[str] = []

    async def answer(self, question: Question) -> tuple[int, bytes]:
        self.asked.append(question.path)
        if question.path.startswith("/slow"):
            await self.let.wait()
        return (404 if question.path == "/missing" else 200), question.path.encode() + question.query.get(
            "q", ""
        ).encode()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
async def server(worker: Worker) -> AsyncIterator[TestServer]:
    async def rows(request: web.Request) -> web.StreamResponse:
        return await serve(request, worker.answer)

    app = web.Application()
    app.add_routes([web.get("/rows", rows)])
    running = TestServer(app)
    await running.start_server(shutdown_timeout=0.1)
    yield running
    await running.close()


@pytest.fixture
async def links(server: TestServer) -> AsyncIterator[Links]:
    async with ClientSession() as http:
        found = Links(http, {})
        yield found
        await found.close()


def url(server: TestServer) -> str:
    return str(server.make_url("")).rstrip("/")


async def test_a_question_is_answered_with_status_and_body(links: Links, server: TestServer) -> None:
    assert await links.ask(url(server), "/row", {"q": "1"}, 5) == (200, b"/row1")
    assert await links.ask(url(server), "/missing", {}, 5) == (404, b"/missing")


async def test_a_slow_answer_holds_up_no_other(links: Links, server: TestServer, worker: Worker) -> None:
    worker.let.clear()
    slow = asyncio.create_task(links.ask(url(server), "/slow", {}, 5))
    answers = await asyncio.gather(*(links.ask(url(server), f"/{number}", {}, 5) for number in range(100)))
    assert [body for _, body in answers] == [f"/{number}".encode() for number in range(100)]
    assert not slow.done()
    worker.let.set()
    assert await slow == (200, b"/slow")


async def test_what_takes_too_long_times_out_and_the_connection_stays(
    links: Links, server: TestServer, worker: Worker
) -> None:
    worker.let.clear()
    with pytest.raises(TimeoutError):
        await links.ask(url(server), "/slow", {}, 0.05)
    assert await links.ask(url(server), "/row", {}, 5) == (200, b"/row")


async def test_a_worker_that_goes_away_is_told_at_once(links: Links, server: TestServer, worker: Worker) -> None:
    worker.let.clear()
    address = url(server)
    waiting = asyncio.create_task(links.ask(address, "/slow", {}, 30))
    while not worker.asked:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await server.close()
    with pytest.raises(LinkDown):
        await waiting
    with pytest.raises(LinkDown):
        await links.ask(address, "/row", {}, 5)


async def test_nobody_there_is_told_at_once(links: Links) -> None:
    with pytest.raises(LinkDown):
        await links.ask("http://127.0.0.1:9", "/row", {}, 5)


async def test_what_is_asked_in_one_turn_shares_a_frame(
    links: Links, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await links.ask(url(server), "/row", {}, 5)
    frames = 0
    send = ClientWebSocketResponse.send_bytes

    async def counted(self: ClientWebSocketResponse, data: bytes) -> None:
        nonlocal frames
        frames += 1
        await send(self, data)

    monkeypatch.setattr(links._links[url(server)]._outbox, "_send", counted.__get__(links._links[url(server)]._socket))
    await asyncio.gather(*(links.ask(url(server), f"/{number}", {}, 5) for number in range(100)))
    assert frames == 2  # 64 and the rest
