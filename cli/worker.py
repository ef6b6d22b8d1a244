"""`vacancy worker`: composes the services' Apps into one Faust worker and serves their rows to the gateways."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import faust
import mode
import typer
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapters.provider import ProviderClient
from agents import availability, booking, payment
from cli import instance
from cli.loop import event_loop_policy, settle_memory
from cli.problem import Misuse
from cli.slots import Slot
from config.directories import private
from config.logging import configure
from config.secrets import Secrets
from config.settings import Settings, load
from streams.app import Runtime, ServiceApp, service_app
from streams.compacted import Compacted
from streams.ending import end_process
from streams.envelope import originate
from streams.events import Envelope
from streams.events.control import UserKeyAdded, WorkerOwns
from streams.keyring import Keyring
from streams.layout import load_layout
from streams.processor import Decides
from streams.publisher import Acknowledgement, KafkaPublisher
from streams.routing import say
from streams.topics import AVAILABILITY, BOOKING, PAYMENT, SERVICES, USER_KEYS
from tables.availability import Availability
from tables.payments import Payments
from tables.reservations import Reservations
from web import views

_TABLES: dict[str, Callable[[], Decides]] = {
    BOOKING.name: Reservations,
    AVAILABILITY.name: Availability,
    PAYMENT.name: Payments,
}


def command(
    services: Annotated[list[str] | None, typer.Argument(help="The services to run; all if none is named.")] = None,
    data: Annotated[Path | None, typer.Option(help="The instance's directory.")] = None,
    slot: Annotated[int | None, typer.Option(help="This worker's place; the lowest free one if not given.")] = None,
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT of the instance's Kafka.")] = None,
    layout: Annotated[str | None, typer.Option(help="The layout of the instance.")] = None,
    config: Annotated[Path | None, typer.Option(help="A settings file other than DIR/vacancy.toml.")] = None,
) -> None:
    """Decide bookings, holds and payments for an instance whose broker runs.

    Example: vacancy worker payment --data .vacancy
    """
    names = services or list(SERVICES)
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise Misuse(f"no service {unknown[0]!r}; there are: {', '.join(SERVICES)}")
    settings = instance.joined(load({"data": data, "broker": broker, "layout": layout}, config).settings)
    _check_provider(settings, names)
    private(settings.data / "state")
    with Slot.take(settings.data / "state", slot) as taken:
        configure(f"worker-{taken.number}", settings.log_level)
        _run(settings, taken, names)


def _check_provider(settings: Settings, names: Iterable[str]) -> None:
    if PAYMENT.name in names and settings.provider_url is None:
        raise Misuse(
            "provider_url: not set and no provider runs here, which the payment service needs; start one with "
            f"`vacancy provider --data {settings.data}`, or set VACANCY_PROVIDER_URL"
        )


def _run(settings: Settings, slot: Slot, names: Iterable[str]) -> None:
    loop = _new_loop()
    asyncio.set_event_loop(loop)
    apps, parts = loop.run_until_complete(_compose(settings, slot, names))
    settle_memory()
    _faust_worker(apps[0], parts, Together(apps[1:]), loop=loop).execute_from_commandline()


def _faust_worker(app: faust.App, *services: mode.Service, loop: asyncio.AbstractEventLoop) -> faust.Worker:
    """Faust's own logging stays out: it would replace our handlers, and with them the filters and the part's name."""
    worker = faust.Worker(app, *services, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    return worker


def _new_loop() -> asyncio.AbstractEventLoop:
    # The policy, not only this loop: Faust's consumers run loops of their own in threads.
    asyncio.set_event_loop_policy(event_loop_policy())
    return asyncio.new_event_loop()


async def _compose(settings: Settings, slot: Slot, names: Iterable[str]) -> tuple[list[faust.App], Parts]:
    secrets, layout = Secrets.of(settings), load_layout(settings.layout)
    publisher = KafkaPublisher(settings.bootstrap)
    runtime = Runtime(
        bootstrap=settings.bootstrap,
        layout=layout,
        directory=slot.directory,
        slot=slot.number,
        session_timeout=settings.session_timeout,
        publisher=publisher,
    )
    services = [service_app(SERVICES[name], _TABLES[name](), runtime) for name in names]
    parts = Parts(settings, slot, runtime, publisher, secrets, services)
    for each in services:
        _attach(each, runtime, parts)
    return [each.app for each in services], parts


def _attach(service: ServiceApp, runtime: Runtime, parts: Parts) -> None:
    if service.service is BOOKING:
        booking.attach(service, runtime)
    elif service.service is AVAILABILITY:
        availability.attach(service)
    elif service.service is PAYMENT:
        payment.attach(service, runtime, parts.provider, parts.keyring)
    service.on_ready.append(lambda partitions: parts.claim(service.service.name, partitions))


class Together(mode.Service):
    """Starts Apps side by side: each waits for its own recovery, and none needs another's."""

    def __init__(self, apps: list[faust.App]) -> None:
        super().__init__()
        self._apps = apps
        self._starting: list[asyncio.Task[Any]] = []

    async def on_start(self) -> None:
        self._starting = [asyncio.create_task(_started(app)) for app in self._apps]

    async def on_stop(self) -> None:
        await asyncio.gather(*(app.stop() for app in self._apps))


async def _started(app: faust.App) -> None:
    try:
        await app.maybe_start()
    except Exception as error:  # nobody awaits this start: an App that is not there must not go unnoticed
        end_process(error)


class Parts(mode.Service):
    """What the Apps of this worker share, started before them: publisher, keys, provider session, views."""

    def __init__(
        self,
        settings: Settings,
        slot: Slot,
        runtime: Runtime,
        publisher: KafkaPublisher,
        secrets: Secrets,
        services: list[ServiceApp],
    ) -> None:
        super().__init__()
        self._settings = settings
        self._name = f"worker-{slot.number}"
        self._runtime = runtime
        self._publisher = publisher
        self._services = services
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        self.provider = ProviderClient(self._session, settings.provider_url or "", settings.provider_timeout)
        self.keyring = Keyring(secrets.secret, Compacted(runtime.bootstrap, USER_KEYS, UserKeyAdded))
        self._web = _views_app(services, secrets.internal_token)
        self._runner = web.AppRunner(self._web, access_log=None, shutdown_timeout=0.5)
        self._url = ""

    async def on_start(self) -> None:
        await self._publisher.start()
        await self.keyring.start()
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        said = {"pid": os.getpid(), "url": self._url}
        instance.write_whole(instance.run_file(self._settings.data, self._name), said)

    async def on_stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()
        await self.keyring.stop()
        await self._publisher.stop()

    async def claim(self, service: str, partitions: set[int]) -> None:
        """Tells the gateways that these partitions' rows are served here from now on."""
        now = datetime.now(UTC)
        claims = [
            WorkerOwns(service=service, partition=partition, url=self._url, worker=self._name, since=now)
            for partition in partitions
        ]
        for told in [self._say(originate(claim, source=self._name, now=now)) for claim in claims]:
            await told

    def _say(self, envelope: Envelope) -> Acknowledgement:
        return say(self._publisher, self._runtime.layout, envelope)


def _views_app(services: list[ServiceApp], token: str) -> web.Application:
    app = web.Application()
    app.add_routes(views.routes({each.service.name: each.store for each in services}, token))

    async def livez(request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(request: web.Request) -> web.Response:
        waiting = [each.service.name for each in services if not each.ready]
        return web.json_response({"waiting": waiting}, status=503 if waiting else 200)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    handlers: list[tuple[str, Any]] = [("/livez", livez), ("/readyz", readyz), ("/metrics", metrics)]
    app.add_routes([web.get(path, handler) for path, handler in handlers])
    return app
