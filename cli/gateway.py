"""`vacancy gateway`: composes the public HTTP interface of an instance and serves it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Protocol

import typer
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web
from aiokafka.errors import KafkaError

from adapters.cache import cache_of
from adapters.storage import storage_of
from cli import instance
from cli.loop import run, settle_memory
from cli.post import kept_here, links_of
from cli.problem import Misuse, Problem
from cli.space import full
from config.layers import load
from config.logging import configure
from config.secrets import Secrets
from config.settings import Settings
from projections.database import open_database, url_of
from projections.listings import Listings
from streams.compacted import Compacted
from streams.events.availability import ResourceDeclared
from streams.events.control import UserKeyAdded, WorkerOwns
from streams.events.rate_plans import PlanNews
from streams.keyring import Keyring
from streams.lag import LogWatch
from streams.layout import load_layout
from streams.letter_desk import Desk
from streams.letter_log import KafkaLetters
from streams.log import Log
from streams.numbers import Numbers
from streams.services import SERVICES
from web.auth import Keys, operator_of
from web.context import Context, Limits
from web.gateway import build
from web.owners import Owners
from web.readiness import Readiness
from web.receipt_desk import ReceiptDesk
from web.rows import Rows
from web.watch import Watch

#: What requests under way may still take once the gateway is told to stop, in seconds.
_LAST_ANSWERS_S = 1.0
_STOP_S = 1.0
#: Users' keys are read as often as this, in seconds, while nobody waits for one: those made here are at hand anyway.
_KEYS_GATHER_S = 0.2


class Part(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def command(
    data: Annotated[Path | None, typer.Option(help="The instance's directory.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one.")] = None,
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT of the instance's Kafka.")] = None,
    layout: Annotated[str | None, typer.Option(help="The layout of the instance.")] = None,
    config: Annotated[Path | None, typer.Option(help="A settings file other than DIR/vacancy.toml.")] = None,
) -> None:
    """Serve the public HTTP interface of an instance whose broker and workers run.

    Example: vacancy gateway --data .vacancy --port 8081
    """
    given = {"data": data, "port": port, "broker": broker, "layout": layout}
    settings = instance.joined(load(given, config).settings)
    check_host(settings.host)
    configure("gateway", settings.log_level)
    run(_until_signalled(settings))


def check_host(host: str) -> None:
    """Raises Misuse for anything but loopback: this version knows one key and speaks no TLS."""
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return
    raise Misuse(f"host: {host} is not a loopback address; this version listens on loopback only")


async def _until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(settings):
        await stop.wait()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The gateway of these settings, listening; yields its URL. Its views are read to their ends before it listens."""
    async with AsyncExitStack() as parts:
        app = await _compose(settings, parts)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_ANSWERS_S)
        await runner.setup()
        parts.push_async_callback(runner.cleanup)
        await _listen(runner, settings)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{runner.addresses[0][1]}"
        settle_memory()
        _announce(settings.data, url)
        parts.callback(_withdraw, settings.data)
        yield url


async def _compose(settings: Settings, parts: AsyncExitStack) -> web.Application:
    secrets, layout = Secrets.of(settings), load_layout(settings)
    log = Log(settings.bootstrap, layout)
    rates = Compacted(settings.bootstrap, layout.rates, ResourceDeclared)
    plans = Compacted(settings.bootstrap, layout.rates, PlanNews)
    workers = Compacted(settings.bootstrap, layout.workers, WorkerOwns)
    user_keys = Compacted(settings.bootstrap, layout.user_keys, UserKeyAdded, pause=_KEYS_GATHER_S)
    keyring = Keyring(secrets.secret, user_keys, log)
    fed = (log, rates, plans, workers, keyring)
    parts.push_async_callback(_stop, fed)
    await _start(fed, settings)
    http = await parts.enter_async_context(ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar()))
    token, patience = secrets.internal_token, settings.read_patience
    owners = Owners(http, workers, partitions=layout.partitions, token=token, patience=patience)
    parts.push_async_callback(owners.close)
    url = url_of(settings)
    database = open_database(url, read_only=True) if url is not None else None
    listings = Listings(database, {name: (layout.services[name].rows, layout.partitions) for name in SERVICES})
    parts.push_async_callback(listings.close)
    links = links_of(settings, secrets)
    receipts = storage_of(settings.data / "receipts", settings.receipts_store, settings.receipts_endpoint)
    letters = KafkaLetters(settings.bootstrap)
    parts.push_async_callback(letters.stop)
    desk = Desk(letters, layout)
    context = Context(
        log=log,
        rates=rates,
        plans=plans,
        keyring=keyring,
        numbers=Numbers(log, f"gateway-{uuid.uuid4().hex[:8]}"),
        rows=Rows(owners),
        limits=Limits(
            max_quantity=settings.max_quantity,
            max_nights=settings.max_nights,
            deadline=timedelta(seconds=settings.booking_deadline),
            patience=patience,
            offer_minutes=settings.offer_minutes,
        ),
        layout=layout,
        data=settings.data,
        bootstrap=settings.bootstrap,
        version=version("vacancy"),
        clock=lambda: datetime.now(UTC),
        webhook_secret=secrets.webhook_secret,
        kept_here=kept_here(settings),
        links=links,
        listings=listings,
        letters=desk,
        hindrance=lambda: full(settings),
        private_webhooks=settings.webhooks_allow_private,
        readiness=Readiness(http, workers, [name for name in layout.running if name in SERVICES], layout.partitions),
        receipts=ReceiptDesk(receipts, links, keyring),
    )
    keys = Keys({secrets.api_key: operator_of(secrets.instance_id)})
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url is not None else None
    cache = cache_of(redis_url, secrets.instance_id)
    parts.push_async_callback(cache.close)
    log_watch = LogWatch(settings.bootstrap, layout, desk)
    parts.push_async_callback(log_watch.stop)
    watch = Watch(log_watch.look, listings.states)
    parts.push_async_callback(watch.close)
    return build(context, keys, http, body_limit=settings.body_limit, cache=cache, watch=watch)


async def _start(parts: Iterable[Part], settings: Settings) -> None:
    try:
        await asyncio.gather(*(part.start() for part in parts))
    except KafkaError as error:
        raise Problem(f"Kafka at {settings.broker} does not answer ({type(error).__name__}): is it running?") from None


async def _stop(parts: Iterable[Part]) -> None:
    # All at once, and a broker that is gone must not keep us.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            await asyncio.gather(*(part.stop() for part in parts), return_exceptions=True)


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise Problem(f"cannot listen on {where} ({error.strerror}): choose another port with --port") from None


def _announce(data: Path, url: str) -> None:
    """Writes DIR/run/gateway.json, by which the other parts find this one."""
    instance.write_whole(instance.run_file(data, "gateway"), {"pid": os.getpid(), "url": url})


def _withdraw(data: Path) -> None:
    """Takes it back, unless it is already the one of a gateway that came after us."""
    if (instance.part(data, "gateway") or {}).get("pid") == os.getpid():
        instance.run_file(data, "gateway").unlink(missing_ok=True)
