"""Where a worker's processor time goes: its stacks, sampled by py-spy while bookings are made.

Only samples in which a thread held the interpreter count, so the shares are of the Python code's own time.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench.instance import WORKER, Measured, running
from bench.parts import CannotMeasure, Options

RATE, WARM_UP_S, SECONDS = 60.0, 15.0, 40.0
_SHORT = 6.0
_SAMPLES_PER_S = 100
_MOST = 25

#: What a stack is doing: by the first of these that is in it.
PLACES = (
    ("calls to the provider, mails and receipts", "streams/effects.py"),
    ("making slices durable", "streams/settling.py"),
    ("committing offsets", "force_commit"),
    ("answering the gateway", "web/"),
    ("deciding, and saying what follows", "streams/processor.py"),
    ("passing news on to the services", "streams/intake.py"),
    ("passing news on to the services", "streams/finishing.py"),
    ("looking for other programs' messages", "streams/foreign.py"),
    ("files for other companies", "agents/sinks.py"),
    ("producing", "aiokafka/producer"),
    ("producing", "streams/publisher.py"),
    ("fetching", "aiokafka/consumer"),
    ("Kafka connections", "aiokafka/"),
    ("Faust, from a fetch to its agent", "faust/"),
)
_ELSE = "the event loop, and all else"
_AGENT = re.compile(r"\(agents/(\w+)\.py")


def run(options: Options, progress: Progress) -> dict[str, Any]:
    """The part `profile` of the bench. Raises CannotMeasure: there is no py-spy, or it may not look."""
    spy = _spy()
    seconds = _SHORT if options.short else SECONDS
    task = progress.add_task(f"profile: {RATE:g} bookings/s", total=2)
    with running(options.scratch / "instance") as instance:
        instance.demo(RATE, WARM_UP_S, options.seed)
        progress.advance(task)
        stacks = _sampled(instance, spy, seconds, options)
    progress.advance(task)
    return {"rate": RATE, "seconds": seconds, **described(stacks)}


def described(stacks: Counter[str]) -> dict[str, Any]:
    """Shares of the samples: by what is done, by the agent that does it, and by the function that was running."""
    total = sum(stacks.values())
    if not total:
        raise CannotMeasure("py-spy saw no Python code run")
    return {
        "samples": total,
        "by_place": list(_shares(((place_of(stack), count) for stack, count in stacks.items()), total, "what")),
        "by_agent": list(_shares(((agent_of(stack), count) for stack, count in stacks.items()), total, "agents")),
        "functions": list(_shares(((_function(stack), count) for stack, count in stacks.items()), total, "function")),
    }


def place_of(stack: str) -> str:
    """What a stack is doing."""
    return next((name for name, part in PLACES if part in stack), _ELSE)


def agent_of(stack: str) -> str:
    """Whose agents run it."""
    found = _AGENT.findall(stack)
    return found[0] if found else "none"


def _function(stack: str) -> str:
    innermost = stack.rpartition(";")[2]
    return re.sub(r":\d+\)$", ")", innermost)


def _shares(counted: Iterable[tuple[str, int]], total: int, name: str) -> Iterator[dict[str, Any]]:
    sums: Counter[str] = Counter()
    for what, count in counted:
        sums[what] += count
    for what, count in sums.most_common(_MOST):
        yield {name: what, "percent": round(100 * count / total, 1)}


def _sampled(instance: Measured, spy: str, seconds: float, options: Options) -> Counter[str]:
    """The stacks of the worker's processes while a load runs, and how often each was seen."""
    load = threading.Thread(target=instance.demo, args=(RATE, seconds + 4, options.seed + 1))
    load.start()
    try:
        time.sleep(2)
        return _recorded_together(spy, [instance.written["pids"][name] for name in WORKER], seconds, options.scratch)
    finally:
        load.join()


def _recorded_together(spy: str, pids: Sequence[int], seconds: float, scratch: Path) -> Counter[str]:
    """The stacks of several processes, seen during the same seconds."""
    with ThreadPoolExecutor(len(pids)) as looking:
        found = [looking.submit(recorded, spy, pid, seconds, scratch / f"stacks-{pid}.txt") for pid in pids]
    return sum((each.result() for each in found), Counter[str]())


def recorded(spy: str, pid: int, seconds: float, file: Path) -> Counter[str]:
    """What py-spy sees of a process. Raises CannotMeasure: it may not look."""
    asked = [spy, "record", "--pid", str(pid), "--duration", f"{seconds:.0f}", "--rate", str(_SAMPLES_PER_S)]
    done = subprocess.run([*asked, "--gil", "--format", "raw", "--output", str(file)], capture_output=True, check=False)
    if done.returncode or not file.exists():
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotMeasure(f"py-spy: {lines[-1] if lines else 'it ended without a word'}")
    return stacks_of(file.read_text("utf-8"))


def stacks_of(raw: str) -> Counter[str]:
    """py-spy's raw format: a line for each stack, its frames from the outermost on, and a count."""
    found: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        found[stack] += int(count)
    return found


def _spy() -> str:
    beside = Path(sys.executable).with_name("py-spy")
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise CannotMeasure("py-spy is not installed: pip install 'vacancy[bench]'")
    return found
