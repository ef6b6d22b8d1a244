"""Webhooks on the wire: a real receiver that is slow, wrong, gone or malicious."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.hook_sender import MOST_UNDER_WAY, HookSender, Sent, headers_of
from tests.adapters.test_addresses import Names

SECRET, OLD = "whsec_c2VjcmV0IG9uZSBmb3IgdGhlIHRlc3Q=", "whsec_c2VjcmV0IHR3byBmb3IgdGhlIHRlc3Q="
BODY = '{"type":"booking.booking.confirmed","data":{"name":"Zoë"}}'


@dataclass
class Receiver:
    """Answers by the path that is asked; remembers what came."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        match request.path:
            case "/slow":
                await self.held.wait()
            case "/dribble":
                answer = web.StreamResponse()
                await answer.prepare(request)
                await answer.write(b"x")
                await self.held.wait()
                return answer
            case "/moved":
                return web.Response(status=302, headers={"Location": "/ok"})
            case "/busy":
                return web.Response(status=503, headers={"Retry-After": "120"})
            case "/later":
                return web.Response(status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
            case "/odd":
                return web.Response(status=503, headers={"Retry-After": "soon"})
            case "/long":
                return web.Response(body=b"\xff" + b"a" * 1_000_000)
            case "/gone" | "/broken":
                return web.Response(status=410 if request.path == "/gone" else 500, text="no")
            case "/cut":
                assert request.transport is not None
                request.transport.close()
        return web.Response(text="thanks")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{path}", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found
        found.held.set()


@pytest.fixture
async def sender() -> AsyncIterator[HookSender]:
    found = HookSender(private=True, timeout=0.5)
    yield found
    await found.close()


async def sent(sender: HookSender, url: str, form: str = "standard") -> Sent:
    return await sender.send("w1", url, "e1", BODY, form=form, secrets=[SECRET, OLD])


async def test_what_is_sent_is_signed_with_each_secret(receiver: Receiver, sender: HookSender) -> None:
    result = await sent(sender, f"{receiver.url}/ok")
    assert (result.status, result.response, result.error) == (200, "thanks", None)
    ((headers, body),) = receiver.got
    assert body == BODY.encode()
    assert headers["webhook-id"] == "e1"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    for secret in (SECRET, OLD):
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_b3RoZXI=").verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", headers)


async def test_a_cloud_event_says_what_it_is(receiver: Receiver, sender: HookSender) -> None:
    await sent(sender, f"{receiver.url}/ok", "cloudevents")
    assert receiver.got[0][0]["Content-Type"] == "application/cloudevents+json; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "status", "retry_after"),
    [("gone", 410, None), ("broken", 500, None), ("busy", 503, 120), ("later", 429, 0), ("odd", 503, None)],
)
async def test_what_the_receiver_answers_is_told(
    receiver: Receiver, sender: HookSender, path: str, status: int, retry_after: int | None
) -> None:
    result = await sent(sender, f"{receiver.url}/{path}")
    assert (result.status, result.retry_after) == (status, retry_after)


async def test_a_redirect_is_not_followed(receiver: Receiver, sender: HookSender) -> None:
    assert (await sent(sender, f"{receiver.url}/moved")).status == 302
    assert len(receiver.got) == 1


async def test_of_a_long_answer_the_beginning_is_kept(receiver: Receiver, sender: HookSender) -> None:
    result = await sent(sender, f"{receiver.url}/long")
    assert (result.status, len(result.response), result.response[:2]) == (200, 1_024, "\ufffda")


@pytest.mark.parametrize("path", ["slow", "dribble"])
async def test_a_receiver_that_does_not_come_to_an_end_is_left(
    receiver: Receiver, sender: HookSender, path: str
) -> None:
    result = await sent(sender, f"{receiver.url}/{path}")
    assert (result.status, result.error) == (None, "no answer within 0.5 s")


async def test_a_connection_that_fails_is_told_in_words(receiver: Receiver, sender: HookSender) -> None:
    cut = await sent(sender, f"{receiver.url}/cut")
    assert str(cut.error).startswith("the connection broke off")
    refused = await sent(sender, "http://127.0.0.1:9/")
    assert str(refused.error).startswith("no connection: ")
    unknown = await sent(sender, "http://nowhere.invalid/")
    assert unknown.error is not None


async def test_nothing_is_sent_to_private_addresses_unless_allowed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.hook_sender.Lookups", lambda: Names("127.0.0.1"))
    careful = HookSender(private=False)
    result = await sent(careful, receiver.url.replace("http://", "https://"))
    assert result.error == "the URL leads to an address that is not of the public internet"
    named = await sent(careful, "https://rebound.example/")
    assert (named.status, named.error) == (None, "the name leads to an address that is not of the public internet")
    assert receiver.got == []
    await careful.close()


async def test_an_endpoint_that_hangs_is_not_given_more_than_so_many(receiver: Receiver) -> None:
    patient = HookSender(private=True, timeout=30)
    hanging = [asyncio.create_task(sent(patient, f"{receiver.url}/slow")) for _ in range(MOST_UNDER_WAY)]
    while len(receiver.got) < MOST_UNDER_WAY:  # noqa: ASYNC110  # the receiver has no event to wait for
        await asyncio.sleep(0.01)
    assert (await sent(patient, f"{receiver.url}/ok")).postponed
    assert (await patient.send("w2", f"{receiver.url}/ok", "e2", BODY, form="standard", secrets=[SECRET])).status == 200
    receiver.held.set()
    assert {each.status for each in await asyncio.gather(*hanging)} == {200}
    assert (await sent(patient, f"{receiver.url}/ok")).status == 200
    await patient.close()


def test_the_time_of_an_attempt_is_signed() -> None:
    headers = headers_of("e1", BODY, "standard", [SECRET], datetime(2020, 1, 1, tzinfo=UTC))
    assert headers["webhook-timestamp"] == "1577836800"
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers)
