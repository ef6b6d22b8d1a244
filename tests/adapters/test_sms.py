"""The client for text messages before the sandbox, and before providers that are down, slow or talk nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters import textbox
from adapters.sms import SmsClient, SmsRefused, SmsUnavailable
from adapters.textbox import Textbox
from cli.audit.mail import read_texts
from cli.sandbox.texts import application

ADA = "+4915112345678"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Textbox]:
    with closing(Textbox(tmp_path / textbox.FOLDER)) as box:
        yield box


@pytest.fixture
async def client(session: aiohttp.ClientSession, box: Textbox) -> AsyncIterator[SmsClient]:
    async with TestServer(application(box, "key")) as server:
        yield SmsClient(session, str(server.make_url("/")), "key")


async def test_a_message_is_taken_once_whatever_happens(client: SmsClient, tmp_path: Path) -> None:
    ids = {await client.send("n1", ADA, "See you tomorrow.") for _ in range(3)}
    assert len(ids) == 1
    (kept,) = textbox.newest(tmp_path / textbox.FOLDER, 10)
    assert (kept.message_id, kept.reference, kept.to, kept.text, kept.times) == (
        *ids,
        "n1",
        ADA,
        "See you tomorrow.",
        3,
    )
    assert read_texts(tmp_path) == frozenset({"n1"})


async def test_the_newest_come_first_and_those_of_a_number_are_found(client: SmsClient, tmp_path: Path) -> None:
    for number in range(3):
        await client.send(f"n{number}", f"{ADA}{number % 2}", "Hi")
    folder = tmp_path / textbox.FOLDER
    assert [text.reference for text in textbox.newest(folder, 2)] == ["n2", "n1"]
    assert [text.reference for text in textbox.newest(folder, 10, f"{ADA}0")] == ["n2", "n0"]


def test_where_there_are_none_none_are_shown(tmp_path: Path) -> None:
    assert textbox.newest(tmp_path, 10) == []
    assert read_texts(tmp_path) is None


@pytest.mark.parametrize(
    ("reference", "to", "text", "why"),
    [
        ("n1", "015112345678", "Hi", "E.164"),
        ("n1", "+0151", "Hi", "E.164"),
        ("n1", "+49 151 12345678", "Hi", "E.164"),
        ("n1", "+15005550001", "Hi", "E.164"),
        ("n1", ADA, "", "text"),
        ("n1", ADA, "x" * 1531, "text"),
        ("", ADA, "Hi", "reference"),
        ("taken", ADA, "Hi", "another message"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    client: SmsClient, tmp_path: Path, reference: str, to: str, text: str, why: str
) -> None:
    await client.send("taken", ADA, "something else")
    with pytest.raises(SmsRefused, match=why):
        await client.send(reference, to, text)
    assert len(textbox.newest(tmp_path / textbox.FOLDER, 10)) == 1


@pytest.mark.parametrize(("to", "failures"), [("+15005550002", 2), ("+15005550003", 1), ("+15005550004", 1)])
async def test_numbers_to_try_faults_with_are_sent_to_in_the_end(
    client: SmsClient, tmp_path: Path, to: str, failures: int
) -> None:
    for _ in range(failures):
        with pytest.raises(SmsUnavailable) as failed:
            await client.send("n1", to, "Hi")
        assert failed.value.retry_after == (1.0 if to.endswith("3") else None)
    assert await client.send("n1", to, "Hi")
    assert len(textbox.newest(tmp_path / textbox.FOLDER, 10)) == 1


async def test_a_wrong_key_is_no_reason_to_give_a_message_up(session: aiohttp.ClientSession, box: Textbox) -> None:
    async with TestServer(application(box, "key")) as server:
        with pytest.raises(SmsUnavailable, match="401"):
            await SmsClient(session, str(server.make_url("/")), "wrong").send("n1", ADA, "Hi")


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"not json"), (200, b"{}"), (200, b"x" * 70_000), (302, b""), (500, b""), (404, b"")]
)
async def test_an_answer_that_says_nothing_is_none(session: aiohttp.ClientSession, status: int, body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/sms", answer)
    async with TestServer(app) as server:
        with pytest.raises(SmsUnavailable):
            await SmsClient(session, str(server.make_url("/")), "key").send("n1", ADA, "Hi")


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        *((status, b"", True) for status in (400, 402, 410, 422, 451)),
        *((status, b"", False) for status in (401, 403, 404, 405, 407, 408, 425, 429)),
        (404, b'{"error": {"message": "no such number"}}', True),
    ],
)
async def test_only_what_speaks_of_the_message_refuses_it(
    session: aiohttp.ClientSession, status: int, body: bytes, refused: bool
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_post("/sms", answer)
    async with TestServer(app) as server:
        with pytest.raises(SmsRefused if refused else SmsUnavailable):
            await SmsClient(session, str(server.make_url("/")), "key").send("n1", ADA, "Hi")


async def test_a_provider_that_is_slow_or_gone_is_waited_for(session: aiohttp.ClientSession) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    app = web.Application()
    app.router.add_post("/sms", hang)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        with pytest.raises(SmsUnavailable, match="in time"):
            await SmsClient(session, url, "key", timeout=0.2).send("n1", ADA, "Hi")
    with pytest.raises(SmsUnavailable, match="no connection"):
        await SmsClient(session, url, "key").send("n1", ADA, "Hi")
