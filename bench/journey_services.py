"""An instance whose every service is a process of its own, so that the CPU time of each can be told apart.

`vacancy up` puts several services into each of its processes. Here the same programs are started without it: the
broker, the provider, the gateway, and one `vacancy worker SERVICE` for each service of the layout.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.instance import Measured
from bench.journey_load import per_booking
from bench.lag import settled, watching
from bench.parts import CannotMeasure
from cli.instance import Instance
from cli.instance import part as said_by
from cli.parts import Broker, Part, Program
from config.directories import private
from config.secrets import Secrets
from config.settings import Settings
from streams import ports
from streams.admin import apply_topics
from streams.broker import EmbeddedBroker
from streams.layout import load_layout

_READY_S, _STOP_S = 180.0, 5.0
_DIRECTORIES = ("broker", "provider", "state")


async def by_service(data: Path, rate: float, duration: float, seed: int) -> dict[str, Any]:
    """CPU microseconds a booking, by process, at `rate`; `at_rest_us` is what of it each uses without any booking."""
    async with apart(data) as instance:
        await asyncio.to_thread(instance.demo, rate, duration / 2, seed + 1)
        async with watching(instance.bootstrap) as look:
            await settled(look, _READY_S)
        before = instance.cpu_seconds()
        await asyncio.sleep(duration / 2)
        rested = instance.cpu_seconds()
        report = await asyncio.to_thread(instance.demo, rate, duration, seed)
        after = instance.cpu_seconds()
        accepted = report["accepted"]
        idle = {name: (rested[name] - before[name]) / (duration / 2) * report["seconds"] for name in after}
        return {
            "rate": rate,
            "seconds": duration,
            "bookings": accepted,
            "cpu_us_per_booking": per_booking({name: after[name] - rested[name] for name in after}, accepted),
            "at_rest_us": per_booking(idle, accepted),
            "resident_mib": instance.resident_mib(),
        }


@asynccontextmanager
async def apart(data: Path) -> AsyncIterator[Measured]:
    """The instance, whose parts are named by their service; all gone afterwards. Raises CannotMeasure."""
    for name in _DIRECTORIES:
        private(data / name)
    async with AsyncExitStack() as parts:
        embedded = EmbeddedBroker(data, port=ports.any_free())
        pids = {"broker": await _started(parts, Broker(embedded))}
        settings = Settings(data=data, broker=f"kafka://{embedded.bootstrap}", port=ports.any_free())
        await apply_topics(embedded.bootstrap, settings)
        pids["provider"] = await _started(parts, _program("provider", settings, "provider"))
        others = {"gateway": _program("gateway", settings, "gateway", "--port", str(settings.port))}
        for slot, service in enumerate(load_layout(settings).running, 1):
            # The slot names the file in which a worker says that it is there.
            others[service] = _program(f"worker-{slot}", settings, "worker", service, "--slot", str(slot))
        found = await asyncio.gather(*(_started(parts, program) for program in others.values()))
        pids |= dict(zip(others, found, strict=True))
        url, key = (said_by(data, "gateway") or {})["url"], Secrets.of(settings).api_key
        Instance(url, key, embedded.bootstrap, settings.layout, pids).write(data)
        yield Measured(data)


def _program(name: str, settings: Settings, *arguments: str) -> Program:
    return Program(name, [*arguments, "--data", str(settings.data)], settings.data, {})


async def _started(parts: AsyncExitStack, part: Part) -> int:
    """The pid of a part that serves from now on, until the stack is left."""
    child = await part.spawn()
    parts.push_async_callback(part.stop, _STOP_S)
    ready, ended = asyncio.create_task(part.wait_ready(child)), asyncio.create_task(child.exited())
    try:
        await asyncio.wait({ready, ended}, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise CannotMeasure(f"{part.name} by itself was not ready; its log is {child.log}")
        ready.result()
    finally:
        ready.cancel()
        ended.cancel()
    return child.pid
