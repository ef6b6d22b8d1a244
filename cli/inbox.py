"""`vacancy inbox`: where mail and text messages go while there are no servers for them, as a process of its own.

It listens on two loopback ports that it keeps over restarts, and says which in DIR/run/inbox.json. Mails lie in
DIR/mail, text messages in DIR/sms.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from adapters.mailbox import Mailbox
from adapters.textbox import FOLDER, Textbox
from cli import instance
from cli.loop import run
from cli.post import HTTP_PORT, SMTP_PORT, sandbox_key
from cli.problem import Problem
from cli.sandbox import postbox, texts
from config.layers import load
from config.secrets import Secrets
from streams import ports

_HOST = "127.0.0.1"
_SHUTDOWN = 0.5


def command(
    data: Annotated[
        Path, typer.Option(envvar="VACANCY_DATA", help="The instance's directory; what comes is kept in it.")
    ] = Path(".vacancy"),
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port for text messages; without it, that of last time."),
    ] = None,
    smtp_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port for mail; without it, that of last time.")
    ] = None,
) -> None:
    """Take mail and text messages and keep them, until Ctrl-C or SIGTERM.

    Example: vacancy inbox --data .vacancy
    """
    run(serve(data, port, smtp_port))


async def serve(data: Path, port: int | None = None, smtp_port: int | None = None) -> None:
    """Takes what comes for DIR until SIGINT or SIGTERM. Raises Problem when a port is taken."""
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    key = sandbox_key(Secrets.of(load({"data": data}).settings))
    with ExitStack() as held:
        box = held.enter_context(closing(Textbox(data / FOLDER)))
        port, smtp_port = (
            given or _chosen(held, data, name) for given, name in ((port, HTTP_PORT), (smtp_port, SMTP_PORT))
        )
        runner = web.AppRunner(texts.application(box, key), access_log=None, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        mail = None
        try:
            mail = await postbox.listen(Mailbox(data / "mail"), _HOST, smtp_port)
            await web.TCPSite(runner, _HOST, port).start()
            _announce(data, f"http://{_HOST}:{port}", f"smtp://{_HOST}:{smtp_port}")
            await stopped.wait()
            _withdraw(data)
        except OSError as error:
            raise Problem(f"{error.strerror}: choose other ports with --port and --smtp-port") from None
        finally:
            if mail is not None:
                mail.close()
            await runner.cleanup()


def _chosen(held: ExitStack, data: Path, name: str) -> int:
    """The port that it had before, or a free one; nobody else takes it while we live."""
    port = ports.choose(data / "run" / "ports.json", name)
    held.callback(port.release)
    return port.port


def _announce(data: Path, url: str, smtp: str) -> None:
    instance.write_whole(instance.run_file(data, "inbox"), {"pid": os.getpid(), "url": url, "smtp": smtp})
    print(f"inbox {smtp} {url}", flush=True)


def _withdraw(data: Path) -> None:
    """Takes it back, unless it is already the one of an inbox that came after us."""
    if (instance.part(data, "inbox") or {}).get("pid") == os.getpid():
        instance.run_file(data, "inbox").unlink(missing_ok=True)
