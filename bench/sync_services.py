"""Serves one of the synchronous services in a process of its own.

`python -m bench.sync_services SERVICE --data DIR [--provider URL] [--peers JSON]`: prints its URL once it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

import orjson
from aiohttp import ClientSession, DummyCookieJar, web

from bench.sync_steps import SERVICES, Handler, Means, Refused
from bench.sync_store import SCHEMAS, Store
from cli.loop import run, settle_memory


def _application(handler: Handler) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        try:
            said, status = await handler(orjson.loads(await request.read())), 200
        except Refused as refusal:
            said, status = {"reason": str(refusal)}, 409
        return web.Response(status=status, body=orjson.dumps(said), content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/", answer)])
    return app


async def _serve(name: str, data: Path, provider: str, peers: dict[str, str]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    store = Store(data / f"{name}.sqlite", SCHEMAS[name])
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        handler = SERVICES[name](Means(store, session, data, provider, peers))
        runner = web.AppRunner(_application(handler), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        settle_memory()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
        await stopped.wait()
        await runner.cleanup()
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", choices=list(SERVICES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--provider", default="")
    parser.add_argument("--peers", type=json.loads, default={}, help="where the others are: {SERVICE: URL}")
    asked = parser.parse_args()
    run(_serve(asked.service, asked.data, asked.provider, asked.peers))


if __name__ == "__main__":
    main()
