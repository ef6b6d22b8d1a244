"""`vacancy chaos`: an instance under load and every fault there is, then an audit of all it did."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.chaos.figures import as_table, webhooks, write
from bench.chaos.instance import InstanceFailed
from bench.chaos.plans import Plan, plan
from bench.chaos.runner import ChaosReport, run
from cli.audit.broker import CannotAuditError
from cli.problem import Misuse, Problem
from config.settings import layouts

_SHORTEST_S = 20.0


def command(
    minutes: Annotated[float | None, typer.Option(help="How long the load lasts.", show_default=False)] = None,
    seconds: Annotated[float | None, typer.Option(help="The same in seconds; 60.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same faults at the same times.")] = 1,
    rate: Annotated[float, typer.Option(min=1, max=1_000, help="Bookings a second.")] = 8.0,
    faults: Annotated[
        str | None, typer.Option(help="Only faults in whose names one of these words stands: broker,mail.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=8, help="Worker processes.")] = 2,
    brokers: Annotated[int, typer.Option(min=1, max=3, help="Brokers of the cluster: 1 or 3.")] = 1,
    layout: Annotated[str, typer.Option(help="Whose topics and events.")] = "catalogue",
    to: Annotated[Path | None, typer.Option("--write", metavar="DIR", help="Write DIR/chaos.md and .json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Break an instance of its own under load in every way there is, then audit it.

    Exits with 1 if a promise is broken; the directory of the run is kept then.

    Example: vacancy chaos --minutes 5 --seed 7
    """
    asked = plan(
        _seconds(minutes, seconds),
        seed=seed,
        rate=rate,
        layout=_layout(layout),
        workers=workers,
        brokers=brokers,
        only=[word.strip() for word in (faults or "").split(",") if word.strip()],
    )
    if not asked.faults and not asked.meanwhile:
        raise Misuse("--faults: no fault of such a name fits into that time")
    directory = Path(tempfile.mkdtemp(prefix="vacancy-chaos-"))
    report = _performed(asked, directory)
    if to is not None:
        write(report, to)
    _tell(report, as_json)
    if not report.clean:
        print(f"vacancy chaos: everything that it wrote is in {directory}", file=sys.stderr)
        raise typer.Exit(1)
    shutil.rmtree(directory)


def _performed(asked: Plan, directory: Path) -> ChaosReport:
    number = len(asked.faults) + len(asked.meanwhile)
    print(f"vacancy chaos: {number} faults in {asked.duration:.0f} s, seed {asked.seed}", file=sys.stderr)
    try:
        return asyncio.run(_until_told(asked, directory))
    except asyncio.CancelledError:
        raise Problem(f"interrupted; everything that it wrote is in {directory}") from None
    except (InstanceFailed, CannotAuditError, Problem) as error:
        raise Problem(f"{error}; everything that it wrote is in {directory}") from None


async def _until_told(asked: Plan, directory: Path) -> ChaosReport:
    """A run that ends all it has started when it is asked to end."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await run(asked, directory)


def _tell(report: ChaosReport, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json()))
        return
    console = Console()
    console.print(as_table(report))
    for skipped in report.skipped:
        console.print(f"not dealt: {skipped.fault}: {skipped.why}", markup=False)
    for finding in report.findings[:20]:
        console.print(f"{finding.subject}: {finding.what}", markup=False)
    for line in webhooks(report):
        console.print(line, markup=False)
    for event_id in report.webhooks.missing[:20] if report.webhooks is not None else ():
        console.print(f"{event_id}: known to the log or to the webhooks' receiver only", markup=False)
    for verdict in report.verdicts:
        if verdict.open:
            console.print(f"{verdict.promise} {verdict.title}: {verdict.open} open", markup=False)


def _seconds(minutes: float | None, seconds: float | None) -> float:
    if minutes is not None and seconds is not None:
        raise Misuse("--minutes and --seconds: one of them")
    asked = minutes * 60 if minutes is not None else 60.0 if seconds is None else seconds
    if asked < _SHORTEST_S:
        raise Misuse(f"--seconds: at least {_SHORTEST_S:.0f}, or no fault fits")
    return asked


def _layout(name: str) -> str:
    if name not in layouts():
        raise Misuse(f"--layout: there is no {name!r}; there are {', '.join(layouts())}")
    return name
