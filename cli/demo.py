"""`vacancy demo`: seeded traffic through the public API of a running instance, and a report of what came of it."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from cli import instance
from cli.client import Booking, GatewayClient, Refused, Unreachable, open_session
from cli.instance import Instance
from cli.journeys import Drive
from cli.loop import run
from cli.options import GatewayUrl, RunningDirectory
from cli.problem import Misuse, Problem
from cli.progress import Display
from cli.report import Report, as_text, report_of
from cli.tally import Tally
from cli.trades import Trade, trade_of
from cli.traffic import plan
from cli.visit import Notebook, Repeats

#: How long the first contact may take, in seconds: an instance that is not there is said to be missing soon.
_FIRST_CONTACT = 10.0
#: How long bookings under way may still take after Ctrl-C, and after a supervisor's word, which has to be quicker.
_GRACE = {signal.SIGINT: 5.0, signal.SIGTERM: 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run: `rate` bookings a second for `duration` seconds (None: until stopped)."""

    rate: float
    seed: int
    duration: float | None = None
    patience: float = 60.0
    journal: Path | None = None
    #: The share of requests for bookings that are sent again under the same key.
    again: float = 0.0


def command(
    rate: Annotated[float, typer.Option(min=0.01, max=10_000, help="Bookings a second.")] = 20.0,
    duration: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds to run; without it, until Ctrl-C.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed, the same traffic; drawn if not given.", show_default=False)
    ] = None,
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to keep trying a request and to wait for an outcome.")
    ] = 60.0,
    journal: Annotated[
        Path | None, typer.Option(help="Append every accepted booking to this file, one JSON object a line.")
    ] = None,
    again: Annotated[
        float, typer.Option(min=0, max=1, help="This share of bookings is requested two to five times, under one key.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON; progress goes to stderr.")] = False,
) -> None:
    """Send bookings to a running instance: paid, declined, cancelled, races for the last unit, and some for each rule.

    Exits with 1 if a booking that was accepted has no outcome, or if anything unexpected happened.

    Example: vacancy demo --rate 167 --duration 60
    """
    order = Order(
        rate=rate,
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
        duration=duration,
        patience=patience,
        journal=journal,
        again=again,
    )
    report = run(perform(order, instance.find(data, url), sys.stderr if as_json else sys.stdout))
    print(orjson.dumps(report.as_dict()).decode() if as_json else as_text(report), flush=True)
    if not report.clean:
        raise typer.Exit(1)


async def perform(order: Order, target: Instance, stream: IO[str]) -> Report:
    """Runs an order against an instance, showing on `stream` how it goes. Raises Problem where nothing answers."""
    tally = Tally()
    total = None if order.duration is None else round(order.rate * order.duration)
    display = Display(stream, tally, total)
    loop = asyncio.get_running_loop()
    with ExitStack() as files:
        # Unbuffered: a line is in the file before its booking is waited for, whatever happens to this process.
        journal = None if order.journal is None else files.enter_context(_open(order.journal))
        async with open_session() as session:
            trade = trade_of(target.layout)
            await _declare(
                trade, GatewayClient(session, target.url, target.api_key, patience=_FIRST_CONTACT), target.url
            )
            client = GatewayClient(session, target.url, target.api_key, patience=order.patience, on_retry=tally.retried)
            run_id = secrets.token_hex(6)
            drive = Drive(
                client, Notebook(tally, journal, _announcing(display), Repeats(order.seed, order.again)), run_id, trade
            )
            for name, grace in _GRACE.items():
                loop.add_signal_handler(name, drive.stop, grace)
            start = loop.time()
            async with display.live():
                today = datetime.now(UTC).date()
                await drive.through(plan(order.seed, order.rate, today, order.duration, trade.travels))
            return report_of(tally, seed=order.seed, rate=order.rate, seconds=loop.time() - start)


async def _declare(trade: Trade, client: GatewayClient, url: str) -> None:
    """Says what there is; the same each time, so a second run changes nothing."""
    try:
        await trade.declare(client)
    except Unreachable as error:
        raise Problem(f"nothing answers at {url}: is `vacancy up` running? ({error})") from None
    except Refused as refusal:
        raise Problem(f"{url} refuses to declare the demo's units: {refusal}") from None


def _announcing(display: Display) -> Callable[[Booking, float], None]:
    """Says one line about the first confirmed booking, and nothing about the others."""
    announced = False

    def announce(booking: Booking, seconds: float) -> None:
        nonlocal announced
        if not announced:
            announced = True
            display.say(f"first booking CONFIRMED: {booking.confirmation_number} after {seconds:.2f} s")

    return announce


def _open(journal: Path) -> IO[bytes]:
    try:
        return journal.open("ab", buffering=0)
    except OSError as error:
        raise Misuse(f"--journal {journal}: cannot be written: {error.strerror}") from None
