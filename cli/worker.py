"""`vacancy worker`: runs the services' Apps in one Faust worker and serves their rows to the gateways."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import faust
import mode
import typer
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cli import instance
from cli.aftermath import check_before
from cli.compose import Workshop, compose, stateful
from cli.loop import event_loop_policy, settle_memory
from cli.problem import Misuse
from cli.slots import WHOLE, Half, Slot
from cli.space import check_room
from config.directories import private
from config.layers import load
from config.logging import configure
from config.secrets import Secrets
from config.settings import Settings
from streams.ending import end_process
from streams.envelope import originate
from streams.events.control import WorkerOwns
from streams.group import GroupApp
from streams.layout import load_layout
from streams.measures import READY
from streams.services import PATIENT
from streams.standing import Standing
from streams.watchdog import Watchdog
from web import views

_SERVICES = "Those to run; `decisions`: all that a booking waits for; `projections`: the others. All if none is named."
#: How much less of a busy processor than others a process of projections gets (nice).
_YIELDS = 5


def command(
    services: Annotated[list[str] | None, typer.Argument(help=_SERVICES)] = None,
    data: Annotated[Path | None, typer.Option(help="The instance's directory.")] = None,
    slot: Annotated[int | None, typer.Option(help="This worker's place; the lowest free one if not given.")] = None,
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT of the instance's Kafka.")] = None,
    layout: Annotated[str | None, typer.Option(help="The layout of the instance.")] = None,
    config: Annotated[Path | None, typer.Option(help="A settings file other than DIR/vacancy.toml.")] = None,
) -> None:
    """Decide bookings, holds and payments for an instance whose broker runs.

    Example: vacancy worker payment --data .vacancy
    """
    settings = instance.joined(load({"data": data, "broker": broker, "layout": layout}, config).settings)
    running = load_layout(settings).running
    names, halves = chosen(services or [], running)
    unknown = [name for name in names if name not in running]
    if unknown:
        raise Misuse(f"no service {unknown[0]!r} in the layout {settings.layout}; there are: {', '.join(running)}")
    check_provider(settings, names)
    private(settings.data / "state")
    with Slot.take(settings.data / "state", slot, halves) as taken:
        configure(taken.name, settings.log_level)
        if halves == ("projector",):
            os.nice(_YIELDS)  # nobody waits for it: what a booking waits for goes first
        check_before(settings, taken, names)
        _run(settings, taken, names)


def chosen(asked: Sequence[str], running: Sequence[str]) -> tuple[Sequence[str], Sequence[Half]]:
    """The services that were asked for, of those that run, and which halves of a slot they take."""
    match asked:
        case []:
            return running, WHOLE
        case ["decisions"]:
            return [name for name in running if name not in PATIENT], ("worker",)
        case ["projections"]:
            return [name for name in running if name in PATIENT], ("projector",)
        case _:
            return asked, WHOLE


def check_provider(settings: Settings, names: Iterable[str]) -> None:
    """Raises Misuse when the payment service is to run and nobody knows a provider."""
    if "payment" in names and settings.provider_url is None:
        raise Misuse(
            "provider_url: not set and no provider runs here, which the payment service needs; start one with "
            f"`vacancy provider --data {settings.data}`, or set VACANCY_PROVIDER_URL"
        )


def _run(settings: Settings, slot: Slot, names: Iterable[str]) -> None:
    loop = new_loop()
    asyncio.set_event_loop(loop)
    apps, parts = loop.run_until_complete(composed(settings, slot, names))
    settle_memory()
    _faust_worker(apps[0], parts, Together(apps[1:]), loop=loop).execute_from_commandline()


def _faust_worker(app: faust.App, *services: mode.Service, loop: asyncio.AbstractEventLoop) -> faust.Worker:
    """Faust's own logging stays out: it would replace our handlers, and with them the filters and the part's name."""
    worker = faust.Worker(app, *services, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    return worker


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for Faust to run on."""
    # The policy, not only this loop: Faust's consumers run loops of their own in threads.
    asyncio.set_event_loop_policy(event_loop_policy())
    return asyncio.new_event_loop()


async def composed(settings: Settings, slot: Slot, names: Iterable[str]) -> tuple[list[faust.App], Parts]:
    """The Apps of the named services, and what has to be started before them; made on the loop they run on."""
    workshop = Workshop(settings, slot)
    groups = compose(workshop, names)
    parts = Parts(settings, slot, workshop, groups)
    return [group.app for group in groups], parts


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
    """What the Apps of this worker need before they start: the workshop, and their rows served to the gateways."""

    def __init__(self, settings: Settings, slot: Slot, workshop: Workshop, groups: list[GroupApp]) -> None:
        super().__init__()
        self._settings = settings
        self._name = slot.name
        self._workshop = workshop
        self._standings = [
            Standing(group, lambda: _waits_outside(workshop), settings.stalled_after) for group in groups
        ]
        self._watchdog = Watchdog(
            self._standings, end=end_process, check=lambda: check_room(settings), patience=settings.stalled_after
        )
        app = _views_app(groups, Secrets.of(settings).internal_token, self._watchdog)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self._port = _port_of(workshop, groups)
        self._url = ""
        for group in stateful(groups):
            self._claim_when_ready(group)

    async def on_start(self) -> None:
        self._watchdog.start()
        for standing in self._standings:
            standing.start()
        await self._workshop.maybe_start()
        await self._runner.setup()
        await _listen(self._runner, self._port)
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        said = {"pid": os.getpid(), "url": self._url}
        instance.write_whole(instance.run_file(self._settings.data, self._name), said)

    async def on_stop(self) -> None:
        for standing in self._standings:
            standing.stop()
        await self._runner.cleanup()
        await self._workshop.stop()
        self._watchdog.stop()

    def _claim_when_ready(self, group: GroupApp) -> None:
        group.on_ready.append(lambda partitions: self._claim(group.name, partitions))

    async def _claim(self, service: str, partitions: set[int]) -> None:
        """Tells the gateways that these partitions' rows are served here from now on."""
        now, voice = datetime.now(UTC), self._workshop.tools.runtime.voice
        claims = [
            WorkerOwns(service=service, partition=partition, url=self._url, worker=self._name, since=now)
            for partition in partitions
        ]
        for told in [voice.say(originate(claim, source=self._name, now=now)) for claim in claims]:
            await told


def _waits_outside(workshop: Workshop) -> bool:
    """Whether calls wait behind a breaker: they are not stuck."""
    breakers = getattr(workshop.tools, "breakers", None)
    return breakers is not None and bool(breakers.waiting)


def _port_of(workshop: Workshop, groups: list[GroupApp]) -> int:
    """The port the layout gives a service that runs by itself; any free one for all others."""
    return workshop.tools.runtime.layout.ports.get(groups[0].name, 0) if len(groups) == 1 else 0


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        if port == 0:
            raise
        await web.TCPSite(runner, "127.0.0.1", 0).start()


def _views_app(groups: list[GroupApp], token: str, watchdog: Watchdog) -> web.Application:
    app = web.Application()
    app.add_routes(views.routes({each.service.name: each.store for each in stateful(groups)}, token))

    async def livez(request: web.Request) -> web.Response:
        stalls = [str(stall) for stall in watchdog.stalls]
        said = {"status": "stalled" if stalls else "alive", "stalls": stalls}
        return web.json_response(said, status=503 if stalls else 200)

    async def readyz(request: web.Request) -> web.Response:
        waiting = [group.name for group in groups if not group.ready]
        return web.json_response({"waiting": waiting}, status=503 if waiting else 200)

    async def metrics(request: web.Request) -> web.Response:
        for group in groups:
            READY.labels(group.name).set(group.ready)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    handlers: list[tuple[str, Any]] = [("/livez", livez), ("/readyz", readyz), ("/metrics", metrics)]
    app.add_routes([web.get(path, handler) for path, handler in handlers])
    return app
