"""`vacancy provider`: the sandbox payment provider as a process of its own.

It listens on a loopback port that it keeps over restarts, and says where in DIR/run/provider.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from cli import instance
from cli.loop import run
from cli.problem import Problem
from cli.sandbox.ledger import Ledger
from cli.sandbox.messenger import Manner, Messenger
from cli.sandbox.server import application
from config.layers import load
from config.secrets import Secrets

_HOST = "127.0.0.1"
# Calls that are still open at the end (tok_timeout's never close) are not waited for.
_SHUTDOWN = 0.5


class Webhooks(StrEnum):
    """How the sandbox's webhooks come."""

    PROMPT = "prompt"
    LATE = "late"
    TWICE = "twice"
    SHUFFLED = "shuffled"


def command(
    data: Annotated[
        Path, typer.Option(envvar="VACANCY_DATA", help="The instance's directory; its ledger is kept in it.")
    ] = Path(".vacancy"),
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; without it, the one it had before or a free one.")
    ] = None,
    slow: Annotated[
        float, typer.Option(min=0, envvar="VACANCY_SANDBOX_SLOW", help="How long tok_slow takes, in seconds.")
    ] = 3.0,
    webhooks: Annotated[
        Webhooks | None,
        typer.Option(
            envvar="VACANCY_SANDBOX_WEBHOOKS", help="Tell the gateway what was done: at once, late, twice or shuffled."
        ),
    ] = None,
) -> None:
    """Run the sandbox payment provider, until Ctrl-C or SIGTERM.

    Example: vacancy provider --data .vacancy
    """
    run(serve(data, port, slow, webhooks))


async def serve(data: Path, port: int | None = None, slow: float = 3.0, webhooks: Webhooks | None = None) -> None:
    """Serves the ledger of DIR until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    directory = data / "provider"
    ledger = Ledger(directory / "ledger.sqlite")
    runner = web.AppRunner(application(ledger, slow), access_log=None, shutdown_timeout=_SHUTDOWN)
    announced = instance.run_file(data, "provider")
    messages = asyncio.create_task(_messages(data, ledger, webhooks)) if webhooks is not None else None
    try:
        await runner.setup()
        taken = await _listen(runner, [port] if port else [_remembered(directory / "port.json"), 0])
        instance.write_whole(directory / "port.json", {"port": taken})
        url = f"http://{_HOST}:{taken}"
        instance.write_whole(announced, {"pid": os.getpid(), "url": url})
        print(f"provider {url}", flush=True)
        await stopped.wait()
        # Taken back, unless it is already the one of a provider that came after us.
        if (instance.part(data, "provider") or {}).get("pid") == os.getpid():
            announced.unlink(missing_ok=True)
    finally:
        if messages is not None:
            messages.cancel()
            await asyncio.gather(messages, return_exceptions=True)
        await runner.cleanup()
        ledger.close()


async def _messages(data: Path, ledger: Ledger, webhooks: Webhooks) -> None:
    """Tells the gateway of DIR of everything that is done, wherever it listens by then."""
    secret = Secrets.of(load({"data": data}).settings).webhook_secret
    manner: Manner = webhooks.value
    await Messenger(ledger, lambda: (instance.part(data, "gateway") or {}).get("url"), secret, manner).run()


async def _listen(runner: web.AppRunner, wishes: Sequence[int]) -> int:
    """The port it listens on: the first of the wishes that is free; 0 wishes for any. Raises Problem."""
    for port in wishes:
        with suppress(OSError):
            await web.TCPSite(runner, _HOST, port).start()
            return int(runner.addresses[0][1])
    raise Problem(f"port {wishes[0]} of {_HOST} is taken: stop what listens there, or choose another with --port")


def _remembered(path: Path) -> int:
    try:
        port = json.loads(path.read_text("utf-8"))["port"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if isinstance(port, int) and 0 < port < 65536 else 0
