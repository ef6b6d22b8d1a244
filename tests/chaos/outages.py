"""What a booking is followed by while each server outside is down in turn: `python -m tests.chaos.outages`.

A mail server, a provider of text messages, PostgreSQL, Redis and a receiver of webhooks are real and stand behind a
proxy each, which is cut for a while during the load. Afterwards the auditor recomputes what the log implies; the
figures go to docs/outages.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos.instance import Instance
from bench.chaos.proxy import Proxy
from bench.chaos.receiver import Receiver
from bench.chaos.runner import ChaosReport, Plan, strike
from bench.machine import describe
from cli.audit.entry import audit
from cli.audit.findings import Verdict
from cli.parts import command
from cli.post import sandbox_key
from config.secrets import Secrets
from streams import ports
from streams.child import spawn
from tests.servers import Postgres, Redis

DOCS = Path(__file__).parents[2] / "docs"
#: What the receiver wants to hear of.
WANTED = ("booking.", "payment.", "receipt.")
#: A webhook that failed twice is sent again after five minutes.
_REST = 420.0
SERVERS = ("mail", "texts", "database", "cache", "receiver")


@dataclass(frozen=True)
class Outage:
    """A server that was down, and when: seconds from the beginning of the load."""

    server: str
    at: float
    seconds: float


@dataclass(frozen=True)
class OutageReport:
    """What came of a run: that of its load and audit, and what the receiver outside got."""

    outages: list[Outage]
    run: ChaosReport
    #: Events on the log that the receiver wanted, those that came to it, and those of one side only.
    told: int
    received: int
    missing: int
    #: Events that came more than once, and messages that were not ours.
    repeated: int
    forged: int

    @property
    def clean(self) -> bool:
        return self.run.clean and self.forged == 0 and self.missing == 0

    def as_json(self) -> dict[str, Any]:
        return {
            **self.run.as_json(),
            "outages": [vars(outage) for outage in self.outages],
            "webhooks": {
                "told": self.told,
                "received": self.received,
                "missing": self.missing,
                "repeated": self.repeated,
                "forged": self.forged,
            },
        }


class Outside:
    """The servers outside, each behind its proxy, and the endpoint that our webhooks go to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._postgres = Postgres(directory / "postgres")
        self._redis = Redis(directory / "redis")
        self.receiver = Receiver()
        self.proxies: dict[str, Proxy] = {}
        self._endpoint = ""

    async def start(self) -> None:
        """All but the inbox, which belongs to an instance's directory."""
        await asyncio.to_thread(self._postgres.start)
        await asyncio.to_thread(self._redis.start)
        await self.receiver.start()
        mail, texts = ports.any_free(), ports.any_free()
        behind = (mail, texts, self._postgres.port, self._redis.port, self.receiver.port)
        self.proxies = {name: Proxy(("127.0.0.1", port)) for name, port in zip(SERVERS, behind, strict=True)}
        for proxy in self.proxies.values():
            await proxy.up()

    async def stop(self) -> None:
        for proxy in self.proxies.values():
            await proxy.down()
        await self.receiver.stop()
        await asyncio.to_thread(self._redis.stop)
        await asyncio.to_thread(self._postgres.stop)

    def settings(self, data: Path) -> dict[str, str]:
        """What the instance of a directory is told of them."""
        port = {name: proxy.port for name, proxy in self.proxies.items()}
        return {
            "VACANCY_SMTP_URL": f"smtp://127.0.0.1:{port['mail']}",
            "VACANCY_SMS_URL": f"http://127.0.0.1:{port['texts']}",
            "VACANCY_SMS_KEY": sandbox_key(Secrets.load_or_create(data)),
            "VACANCY_DATABASE_URL": f"postgresql://vacancy@127.0.0.1:{port['database']}/vacancy",
            "VACANCY_REDIS_URL": f"redis://127.0.0.1:{port['cache']}/0",
            "VACANCY_WEBHOOKS_ALLOW_PRIVATE": "true",
        }

    @contextlib.contextmanager
    def inbox(self, data: Path) -> Iterator[None]:
        """The mail server and the provider of text messages, which keep what they took in the instance's directory."""
        where = [f"--smtp-port={self.proxies['mail'].target[1]}", f"--port={self.proxies['texts'].target[1]}"]
        child = spawn(command("inbox", "--data", str(data), *where), log=self._directory / "inbox.log")
        try:
            yield
        finally:
            child.kill()

    async def cut(self, servers: Sequence[str], seconds: float, between: float, journal: Path) -> list[Outage]:
        """Takes one server after the other down, from the first booking on."""
        while not _has_lines(journal):  # noqa: ASYNC110  # a file tells nobody that it grew
            await asyncio.sleep(0.05)
        began, outages = time.monotonic(), []
        for name in servers:
            await asyncio.sleep(between)
            outages.append(Outage(name, round(time.monotonic() - began, 1), seconds))
            await self.proxies[name].down()
            await asyncio.sleep(seconds)
            await self.proxies[name].up()
        return outages

    async def subscribe(self, data: Path) -> None:
        """An endpoint for the news of bookings and payments, at the receiver."""
        wish = {
            "url": f"http://127.0.0.1:{self.proxies['receiver'].port}/events",
            "types": [f"{each}*" for each in WANTED],
        }
        async with _gateway(data) as client, client.post("/api/webhooks", json=wish) as answer:
            answer.raise_for_status()
            made = await answer.json()
        self._endpoint, self.receiver.secret = made["id"], made["secret"]

    async def settled(self, data: Path) -> None:
        """Returns once no delivery is on its way any more. Raises TimeoutError."""
        async with _gateway(data) as client, asyncio.timeout(_REST):
            while await _are_pending(client, self._endpoint):  # noqa: ASYNC110  # it is another process
                await asyncio.sleep(1)


def _gateway(data: Path) -> aiohttp.ClientSession:
    known = json.loads((data / "vacancy.json").read_text("utf-8"))
    return aiohttp.ClientSession(known["url"], headers={"X-API-Key": known["api_key"]})


async def _are_pending(client: aiohttp.ClientSession, endpoint: str) -> bool:
    page = {"status": "PENDING", "limit": "1"}
    async with client.get(f"/api/webhooks/{endpoint}/deliveries", params=page) as answer:
        answer.raise_for_status()
        return bool((await answer.json())["deliveries"])


async def run(rate: float, seconds: float, directory: Path, seed: int = 1) -> OutageReport:
    """Load at `rate` bookings a second while each server is down for `seconds`; every process is gone afterwards."""
    between = max(2.0, seconds / 10)
    duration = len(SERVERS) * (seconds + between) + between
    outside = Outside(directory)
    await outside.start()
    data = directory / "data"
    data.mkdir(parents=True)
    settings = outside.settings(data)
    try:
        plan = Plan(
            seed=seed,
            rate=rate,
            duration=duration,
            faults=(),
            every=1.0,
            workers=1,
            settings=settings,
            rest=_REST,
        )
        instance = Instance(data, 1, settings)
        # The receiver first: what failed twice is sent again after minutes.
        order = ["receiver", *(name for name in SERVERS if name != "receiver")]
        with outside.inbox(instance.data):
            try:
                await asyncio.to_thread(instance.start)
                await outside.subscribe(instance.data)
                journal = directory / "journal.jsonl"
                cuts = asyncio.create_task(outside.cut(order, seconds, between, journal))
                report = await strike(plan, instance, journal)
                outages = await cuts
                await outside.settled(data)
                history, _ = await audit(data, database=settings["VACANCY_DATABASE_URL"])
            finally:
                await asyncio.to_thread(instance.stop)
        came = outside.receiver.received
        told = {news.event_id for news in history.heard if news.event_type.startswith(WANTED)}
        return OutageReport(
            outages=outages,
            run=report,
            told=len(told),
            received=len(came),
            missing=len(told ^ came.keys()),
            repeated=sum(1 for times in came.values() if times > 1),
            forged=outside.receiver.forged,
        )
    finally:
        await outside.stop()


def as_markdown(report: OutageReport) -> str:
    """The page for readers."""
    load = report.run
    lines = [
        "# When the servers outside are down",
        "",
        f"{load.acknowledged} bookings at {load.plan.rate:g} a second, while each server that a booking is followed "
        "through was cut off in turn. Written by `python -m tests.chaos.outages`.",
        "",
        "| server | down from | for |",
        "|---|---|---|",
        *(f"| {_NAMES[outage.server]} | {outage.at:.0f} s | {outage.seconds:g} s |" for outage in report.outages),
        "",
        f"At rest {_seconds(load.rest)} after the load. Webhooks: {report.told} events told, "
        f"{report.received} received, {report.missing} known to one side only, {report.repeated} received more than "
        f"once, {report.forged} with a signature that does not hold.",
        "",
        "| promise | checked | found |",
        "|---|---|---|",
        *(
            f"| {verdict.promise}: {verdict.title} | {verdict.checked} | {_found(verdict)} |"
            for verdict in load.verdicts
        ),
        "",
    ]
    return "\n".join(lines)


def _has_lines(journal: Path) -> bool:
    return journal.exists() and journal.stat().st_size > 0


_NAMES = {
    "mail": "mail server (SMTP)",
    "texts": "provider of text messages",
    "database": "PostgreSQL",
    "cache": "Redis",
    "receiver": "receiver of webhooks",
}


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s"


def _found(verdict: Verdict) -> str:
    return str(len(verdict.findings)) if verdict.applicable else f"not applicable: {verdict.note}"


def main() -> int:
    """Exit code 0 when the audit found nothing."""
    asked = argparse.ArgumentParser(description="Every server outside down in turn; writes docs/outages.md and .json.")
    asked.add_argument("--rate", type=float, default=6.0)
    asked.add_argument("--seconds", type=float, default=60.0, help="how long each is down")
    asked.add_argument("--docs", type=Path, default=DOCS)
    options = asked.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="vacancy-outages-"))
    report = asyncio.run(run(options.rate, options.seconds, directory))
    figures = {"machine": describe(), **report.as_json()}
    (options.docs / "outages.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (options.docs / "outages.md").write_text(as_markdown(report), "utf-8")
    print(as_markdown(report))
    if report.clean:
        shutil.rmtree(directory)
    return 0 if report.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
