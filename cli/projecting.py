"""The process that keeps the projections: it follows the log, and says at /readyz how far behind it is."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from cli import instance
from cli.problem import Misuse, Problem
from config.settings import Settings
from projections.database import Database, open_database, url_of
from projections.follower import Follower, Source
from streams.broker import cluster_id
from streams.layout import load_layout

PART = "projections"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Source, Database]]:
    """The log and the database of an instance. Raises Misuse where there are to be no tables."""
    url = url_of(settings)
    if url is None:
        raise Misuse("database_url: is none, so there are no projections")
    found = await cluster_id(settings.bootstrap)
    if found is None:
        raise Problem(f"no Kafka answers at {settings.bootstrap}: is the instance running?")
    database = open_database(url)
    try:
        yield Source(settings.bootstrap, found, load_layout(settings)), database
    finally:
        await database.close()


async def until_signalled(settings: Settings) -> None:
    """Keeps the tables until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings) as (source, database):
        follower = Follower(source, database)
        async with _serving(settings, follower):
            following, told = asyncio.create_task(follower.run()), asyncio.create_task(stop.wait())
            await asyncio.wait({following, told}, return_when=asyncio.FIRST_COMPLETED)
            for task in (following, told):
                task.cancel()
            await asyncio.wait({following, told})
            if not following.cancelled():
                following.result()


@asynccontextmanager
async def _serving(settings: Settings, follower: Follower) -> AsyncIterator[None]:
    """/livez and /readyz on loopback. It is ready while it waits for its database, too: nobody else waits for it."""

    async def livez(request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(request: web.Request) -> web.Response:
        state = follower.state
        said = {"state": state.doing, "detail": state.detail, "lag": state.lag, "unreadable": follower.store.unreadable}
        return web.json_response(said)

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        said = {"pid": os.getpid(), "url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
        instance.write_whole(instance.run_file(settings.data, PART), said)
        yield
    finally:
        await runner.cleanup()
