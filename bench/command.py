"""`vacancy bench`: measures this machine, one part after the other, and writes docs/performance.md of what it saw."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from bench.alone import scratch
from bench.machine import describe
from bench.parts import PARTS, CannotMeasure, Options, part
from bench.progress import shown
from bench.report import page
from bench.report_files import Unreadable, read, write
from cli.problem import Misuse, Problem

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def command(
    parts: Annotated[
        list[str] | None, typer.Argument(metavar="PART", help=f"{', '.join(PARTS)}; all if none is named.")
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="The same steps on less, to try it out.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--write", metavar="DIR", help="Write DIR/performance.json, .md and the plots in DIR/performance."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was measured as JSON.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each thing that is compared.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same bookings.")] = 1,
) -> None:
    """Measure this machine: peers, the journey, the log, growth.

    A part that cannot be measured here is left out and says why. With --write the parts that ran replace theirs in DIR,
    all others stay as they were.

    Example: vacancy bench journey --short
    """
    chosen = _chosen(parts or list(PARTS))
    if to is not None:
        _check(to)
    measured: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    with _interruptible(), shown(sys.stderr) as progress:
        for name in chosen:
            try:
                measured[name] = _measured(name, short, repeats, seed, progress)
            except CannotMeasure as why:
                skipped[name] = str(why)
                progress.console.print(f"{name} was not measured: {why}", markup=False)
                continue
            if to is not None:
                # After each: what took an hour is not lost with the next part.
                write(to, {name: measured[name]})
    _tell(measured, skipped, to, as_json)
    if not measured:
        raise typer.Exit(1)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Until it ends, every signal that would end us does so as Ctrl-C does, and clients of brokers keep quiet."""
    # One that is starting lets them complain of what is being waited for.
    client = logging.getLogger("aiokafka")
    level, before = client.level, {number: signal.signal(number, _interrupt) for number in _ENDING}
    client.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        client.setLevel(level)
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ends what a thread of ours may be waiting for, and then as Ctrl-C does."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            child.terminate()
    raise KeyboardInterrupt


def _chosen(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise Misuse(f"no part {unknown[0]!r} of the bench; there are: {', '.join(PARTS)}")
    return list(dict.fromkeys(names))


def _check(directory: Path) -> None:
    """Raises Problem now for what would go wrong after an hour of measuring."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        read(directory)
    except OSError as error:
        raise Misuse(f"--write {directory}: {error.strerror}") from None
    except Unreadable as error:
        raise Problem(f"{error}; take it away, or write elsewhere") from None
    if not os.access(directory, os.W_OK):
        raise Misuse(f"--write {directory}: cannot be written")


def _measured(name: str, short: bool, repeats: int, seed: int, progress: Progress) -> dict[str, Any]:
    """What the part saw, with the machine and the circumstances it was seen in. Raises CannotMeasure."""
    about = {
        "machine": describe(),
        "measured": datetime.now(UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 2),
        "short": short,
        "repeats": repeats,
        "seed": seed,
    }
    began = time.monotonic()
    with scratch(f"vacancy-bench-{name}-") as directory:
        result = part(name)(Options(directory, short, repeats, seed), progress)
    for task in progress.task_ids:
        progress.remove_task(task)
    return {**about, "took_s": round(time.monotonic() - began), "result": result}


def _tell(measured: dict[str, Any], skipped: dict[str, str], to: Path | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"parts": measured, "skipped": skipped}))
    elif to is not None and measured:
        print(f"{to / 'performance.md'} is written")
    elif measured:
        text = page(measured, [])
        console = Console()
        console.print(Markdown(text) if console.is_terminal else text, markup=False)
