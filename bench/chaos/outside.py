"""The servers outside that an instance speaks to, each real and behind a proxy that can be cut."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.chaos.helper import Helper
from bench.chaos.proxy import Proxy
from bench.chaos.receiver import Receiver
from bench.chaos.servers import NotHere, Postgres, Redis, Server
from cli.audit.history import History
from cli.post import sandbox_key
from config.secrets import Secrets
from streams import ports

#: What the receiver of webhooks wants to hear of: a few of the events of every booking, as such an endpoint would.
WANTED = (
    "booking.booking.confirmed",
    "booking.booking.rejected",
    "booking.booking.cancelled",
    "receipt.receipt.generated",
)


@dataclass(frozen=True)
class Webhooks:
    """What the log says that the receiver should have got, and what it got."""

    told: int
    received: int
    #: The ids of events of one side only.
    missing: list[str]
    #: Events that came more than once, and messages that were not ours.
    repeated: int
    forged: int
    #: Messages of a sender whose clock was wrong: refused, and sent again.
    untimely: int = 0


class Outside:
    """A payment provider, a mail server, a provider of text messages, a receiver of webhooks; PostgreSQL and Redis
    where they are installed, and else why not in `without`.
    """

    def __init__(self, directory: Path, data: Path) -> None:
        self._directory, self._data = directory, data
        self._servers: dict[str, Server] = {}
        self.receiver = Receiver()
        self.proxies: dict[str, Proxy] = {}
        self.helpers: dict[str, Helper] = {}
        #: name: why it is not there.
        self.without: dict[str, str] = {}
        self._endpoint = ""

    async def start(self) -> None:
        """All of them, before the instance."""
        wanted: Mapping[str, Server] = {
            "database": Postgres(self._directory / "postgres"),
            "cache": Redis(self._directory / "redis"),
        }
        for name, server in wanted.items():
            try:
                await asyncio.to_thread(server.start)
                self._servers[name] = server
            except NotHere as why:
                self.without[name] = str(why)
        await self.receiver.start()
        inner = {name: ports.any_free() for name in ("payment provider", "mail", "SMS")}
        inner |= {name: server.port for name, server in self._servers.items()} | {"receiver": self.receiver.port}
        self.proxies = {name: Proxy(("127.0.0.1", port)) for name, port in inner.items()}
        for proxy in self.proxies.values():
            await proxy.up()
        data = ["--data", str(self._data)]
        inbox = ["inbox", *data, "--smtp-port", str(inner["mail"]), "--port", str(inner["SMS"])]
        self.helpers = {
            "provider": Helper(self._provider("prompt"), self._directory / "provider.log"),
            "inbox": Helper(inbox, self._directory / "inbox.log"),
        }
        for helper in self.helpers.values():
            helper.start()

    async def stop(self) -> None:
        for helper in self.helpers.values():
            await helper.stop()
        for proxy in self.proxies.values():
            await proxy.down()
        await self.receiver.stop()
        for server in self._servers.values():
            await asyncio.to_thread(server.stop)

    @property
    def settings(self) -> dict[str, str]:
        """What the instance is told of them."""
        port = {name: proxy.port for name, proxy in self.proxies.items()}
        told = {
            "PROVIDER_URL": f"http://127.0.0.1:{port['payment provider']}",
            "SMTP_URL": f"smtp://127.0.0.1:{port['mail']}",
            "SMS_URL": f"http://127.0.0.1:{port['SMS']}",
            "SMS_KEY": sandbox_key(Secrets.load_or_create(self._data)),
            "WEBHOOKS_ALLOW_PRIVATE": "true",
        }
        if "database" in port:
            told["DATABASE_URL"] = f"postgresql://vacancy@127.0.0.1:{port['database']}/vacancy"
        if "cache" in port:
            told["REDIS_URL"] = f"redis://127.0.0.1:{port['cache']}/0"
        return {f"VACANCY_{name}": value for name, value in told.items()}

    async def provider(self, manner: str) -> None:
        """The payment provider, started again with webhooks that come in another manner."""
        helper = self.helpers["provider"]
        helper.arguments = self._provider(manner)
        helper.send(signal.SIGTERM)

    async def subscribe(self) -> None:
        """An endpoint at the receiver."""
        wish = {
            "url": f"http://127.0.0.1:{self.proxies['receiver'].port}/events",
            "types": WANTED,
        }
        async with self._gateway() as client, client.post("/api/webhooks", json=wish) as answer:
            answer.raise_for_status()
            made = await answer.json()
        self._endpoint, self.receiver.secret = made["id"], made["secret"]

    async def settled(self, history: History, within: float) -> None:
        """Returns once everything the log tells has come, and nothing is on its way any more. Raises TimeoutError."""
        async with self._gateway() as client, asyncio.timeout(within):
            while _told(history) - self.receiver.received.keys() or await self._are_pending(client):  # noqa: ASYNC110  # they are other processes
                await asyncio.sleep(1)

    def compared(self, history: History) -> Webhooks:
        """What the log says against what the receiver got."""
        came = self.receiver.received
        told = _told(history)
        return Webhooks(
            told=len(told),
            received=len(came),
            missing=sorted(told ^ came.keys()),
            repeated=sum(1 for times in came.values() if times > 1),
            forged=self.receiver.forged,
            untimely=self.receiver.untimely,
        )

    def _provider(self, manner: str) -> list[str]:
        port = self.proxies["payment provider"].target[1]
        return ["provider", "--data", str(self._data), "--port", str(port), "--webhooks", manner]

    def _gateway(self) -> aiohttp.ClientSession:
        known = json.loads((self._data / "vacancy.json").read_text("utf-8"))
        return aiohttp.ClientSession(known["url"], headers={"X-API-Key": known["api_key"]})

    async def _are_pending(self, client: aiohttp.ClientSession) -> bool:
        page = {"status": "PENDING", "limit": "1"}
        async with client.get(f"/api/webhooks/{self._endpoint}/deliveries", params=page) as answer:
            answer.raise_for_status()
            return bool((await answer.json())["deliveries"])


def _told(history: History) -> set[str]:
    """The ids of what the endpoint is to hear of."""
    return {news.event_id for news in history.heard if news.event_type in WANTED}
