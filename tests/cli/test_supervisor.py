"""The supervisor with small real processes: restarts, giving up, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

import psutil
import pytest

from cli import instance, parts
from cli.keeper import ATTEMPTS, DEAF, HEALTHY, Keeper, Pauses
from cli.parts import Program
from cli.problem import Problem
from cli.supervisor import Supervisor
from streams.child import Child, last_lines, spawn

_ENDS_ITSELF = (
    "import sys; said = '2026-01-02 03:04:05,678 CRITICAL worker-1 streams.ending: this process ends: %s';"
    "print(said % 'LeaseLost: no heartbeat'); print('Traceback ...', flush=True); sys.exit(70)"
)
_SLEEPS = "import time; time.sleep(600)"
_ENDS = "import sys; print('no such thing', flush=True); sys.exit(4)"
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"

# What each of our programs does: says in DIR/run where it listens, and answers there.
_SERVES = """
import http.server, json, os, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
with open(sys.argv[1] + ".new", "w") as file:
    json.dump({"pid": os.getpid(), "url": f"http://127.0.0.1:{server.server_port}"}, file)
os.replace(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
"""


@dataclass
class Dummy:
    """A part that is ready as soon as it lives, or when told; it remembers each process it was."""

    name: str
    program: str
    directory: Path
    lives: list[Child] = field(default_factory=list)
    gets_ready: asyncio.Event | None = None
    hears: bool = True

    async def spawn(self) -> Child:
        self.lives.append(spawn([sys.executable, "-c", self.program], log=self.directory / f"{self.name}.log"))
        return self.lives[-1]

    async def wait_ready(self, child: Child) -> None:
        if self.gets_ready is not None:
            await self.gets_ready.wait()

    async def answers(self, child: Child) -> bool:
        return self.hears

    async def stop(self, within: float) -> None:
        if self.lives:
            await self.lives[-1].stop(within)


@dataclass
class Watched:
    """A supervisor and what it told."""

    supervisor: Supervisor
    said: list[str] = field(default_factory=list)
    pids: list[dict[str, int]] = field(default_factory=list)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    said: list[str] = []
    pids: list[dict[str, int]] = []
    supervisor = Supervisor(lambda: pids.append(supervisor.pids), said.append)
    yield Watched(supervisor, said, pids)
    await supervisor.stop([("", 10.0)], 10.0)


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  # it is about other processes
        await asyncio.sleep(0.02)


async def test_a_killed_part_is_started_again(watched: Watched, tmp_path: Path) -> None:
    dummy = Dummy("worker-1", _SLEEPS, tmp_path)
    keeper = watched.supervisor.start(dummy)
    await watched.supervisor.all_ready()
    first = dummy.lives[0]

    os.kill(first.pid, signal.SIGKILL)
    await _until(lambda: len(dummy.lives) == 2)
    await keeper.ready.wait()

    assert watched.supervisor.pids == {"worker-1": dummy.lives[1].pid}
    assert watched.pids == [{"worker-1": first.pid}, {"worker-1": dummy.lives[1].pid}]
    assert watched.said == ["worker-1 ended (signal 9); starting it again"]


async def test_a_part_that_does_not_answer_any_more_is_ended(watched: Watched, tmp_path: Path) -> None:
    dummy = Dummy("gateway", _SLEEPS, tmp_path, hears=False)
    keeper = Keeper(dummy, lambda: None, watched.said.append, ask_every=0.001)
    keeping = asyncio.create_task(keeper.run())
    await _until(lambda: len(dummy.lives) == 2)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await dummy.stop(5)
    assert watched.said[:2] == [
        f"gateway has not answered {DEAF} times",
        "gateway ended (signal 9); starting it again",
    ]


async def test_nothing_is_started_while_something_hinders_it(watched: Watched, tmp_path: Path) -> None:
    hindrances = chain(["the disk is full", "the disk is full"], repeat(""))
    dummy = Dummy("worker-1", _SLEEPS, tmp_path)
    keeper = Keeper(dummy, lambda: None, watched.said.append, hindrance=lambda: next(hindrances))
    keeping = asyncio.create_task(keeper.run())
    await keeper.ready.wait()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await dummy.stop(5)
    assert watched.said == ["worker-1 waits: the disk is full"]
    assert len(dummy.lives) == 1


async def test_what_is_never_ready_is_given_up_with_its_last_words(watched: Watched, tmp_path: Path) -> None:
    dummy = Dummy("gateway", _ENDS, tmp_path, gets_ready=asyncio.Event())
    watched.supervisor.start(dummy)
    with pytest.raises(Problem, match="no such thing") as caught:
        await watched.supervisor.failure()
    assert len(dummy.lives) == ATTEMPTS
    assert "gateway ended 5 times before it was ready (exit code 4)" in str(caught.value)


async def test_why_a_part_ended_itself_is_said(watched: Watched, tmp_path: Path) -> None:
    dummy = Dummy("worker-1", _ENDS_ITSELF, tmp_path)
    watched.supervisor.start(dummy)
    await _until(lambda: len(dummy.lives) == 2)
    dummy.program = "import sys; sys.exit(70)"  # and says nothing: the reason before was the other life's
    await _until(lambda: len(dummy.lives) == 4)
    assert watched.said[0] == "worker-1 ended (exit code 70: LeaseLost: no heartbeat); starting it again"
    assert watched.said[2].startswith("worker-1 ended (exit code 70); ")


@dataclass
class Unstartable(Dummy):
    """No process of it can be started while `full`."""

    full: bool = True
    attempts: int = 0

    async def spawn(self) -> Child:
        self.attempts += 1
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return await super().spawn()


async def test_a_part_that_cannot_be_started_now_is_started_later(watched: Watched, tmp_path: Path) -> None:
    part = Unstartable("worker-1", _SLEEPS, tmp_path)
    watched.supervisor.start(part)
    await _until(lambda: part.attempts == 2)
    part.full = False
    await watched.supervisor.all_ready()
    assert watched.said[0] == ("worker-1 could not be started ([Errno 28] No space left on device); starting it again")


async def test_a_part_that_can_never_be_started_is_given_up(watched: Watched, tmp_path: Path) -> None:
    part = Unstartable("worker-1", _SLEEPS, tmp_path)
    watched.supervisor.start(part)
    with pytest.raises(Problem, match=r"could not be started 5 times before it was ready .*No space left"):
        await watched.supervisor.failure()
    assert part.attempts == ATTEMPTS


async def test_a_part_waits_for_what_it_needs_in_each_of_its_lives(watched: Watched, tmp_path: Path) -> None:
    opens = asyncio.Event()
    broker = Dummy("broker", _SLEEPS, tmp_path, gets_ready=opens)
    worker = Dummy("worker-1", _SLEEPS, tmp_path)
    needed = watched.supervisor.start(broker)
    watched.supervisor.start(worker, [needed])
    await _until(lambda: len(broker.lives) == 1)
    assert worker.lives == []

    opens.set()
    await watched.supervisor.all_ready()
    assert len(worker.lives) == 1

    opens.clear()
    broker.lives[0].kill()
    await _until(lambda: len(broker.lives) == 2)
    worker.lives[0].kill()
    await _until(lambda: any("worker-1 ended" in line for line in watched.said))
    assert len(worker.lives) == 1
    opens.set()
    await watched.supervisor.all_ready()
    assert len(worker.lives) == 2


async def test_what_waited_for_a_hindrance_still_waits_for_what_it_needs(tmp_path: Path) -> None:
    """A full disk ends the broker too: a worker that came back before it would only end again."""
    said, full, opens = list[str](), [""], asyncio.Event()
    opens.set()
    supervisor = Supervisor(lambda: None, said.append, lambda part: full[0])
    broker = Dummy("broker", _SLEEPS, tmp_path, gets_ready=opens)
    worker = Dummy("worker-1", _SLEEPS, tmp_path)
    try:
        supervisor.start(worker, [supervisor.start(broker)])
        await supervisor.all_ready()
        full[0] = "full"
        worker.lives[0].kill()
        await _until(lambda: "worker-1 waits: full" in said)
        opens.clear()
        broker.lives[0].kill()
        await _until(lambda: "broker waits: full" in said)
        full[0] = ""
        await _until(lambda: len(broker.lives) == 2)
        await asyncio.sleep(0)
        assert len(worker.lives) == 1
        opens.set()
        await supervisor.all_ready()
        assert len(worker.lives) == 2
    finally:
        await supervisor.stop([("", 5.0)], 6.0)


async def test_nothing_is_left_and_nothing_comes_back(watched: Watched, tmp_path: Path) -> None:
    dummies = [Dummy(name, _SLEEPS, tmp_path) for name in ("gateway", "worker-1", "worker-2")]
    deaf = Dummy("broker", _DEAF, tmp_path)
    for dummy in (*dummies, deaf):
        watched.supervisor.start(dummy)
    await watched.supervisor.all_ready()
    paused = dummies[1].lives[0]
    os.kill(paused.pid, signal.SIGSTOP)

    await watched.supervisor.stop([("gateway", 10.0), ("worker", 10.0), ("broker", 0.2)], 30.0)

    assert not any(psutil.pid_exists(life.pid) for dummy in (*dummies, deaf) for life in dummy.lives)
    assert [len(dummy.lives) for dummy in (*dummies, deaf)] == [1, 1, 1, 1]


async def test_a_second_signal_cuts_the_wait_short(watched: Watched, tmp_path: Path) -> None:
    deaf = Dummy("broker", _DEAF, tmp_path)
    watched.supervisor.start(deaf)
    await watched.supervisor.all_ready()
    await _until(lambda: last_lines(deaf.lives[0].log) == ["deaf"])
    stopping = asyncio.create_task(watched.supervisor.stop([("broker", 600.0)], 600.0))
    await asyncio.sleep(0.1)
    assert not stopping.done()
    watched.supervisor.kill()
    await stopping
    assert deaf.lives[0].process.returncode == -signal.SIGKILL


async def test_a_stop_while_things_start_leaves_nothing(watched: Watched, tmp_path: Path) -> None:
    dummy = Dummy("gateway", _SLEEPS, tmp_path, gets_ready=asyncio.Event())
    watched.supervisor.start(dummy)
    await _until(lambda: len(dummy.lives) == 1)
    await watched.supervisor.stop([("gateway", 10.0)], 10.0)
    assert not psutil.pid_exists(dummy.lives[0].pid)


async def test_a_program_is_ready_when_this_very_process_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: Watched
) -> None:
    run_file = instance.run_file(tmp_path, "gateway")
    # Left behind by one that was killed.
    instance.write_whole(run_file, {"pid": 1, "url": "http://127.0.0.1:1"})
    monkeypatch.setattr(parts, "command", lambda *arguments: [sys.executable, "-c", _SERVES, *arguments])
    program = Program("gateway", [str(run_file)], tmp_path, {})
    watched.supervisor.start(program)
    await watched.supervisor.all_ready()
    said = instance.part(tmp_path, "gateway")
    assert said is not None
    assert watched.supervisor.pids == {"gateway": said["pid"]}


def test_pauses_grow_and_start_over_once_it_was_healthy() -> None:
    pauses = Pauses()
    assert [pauses.after(0.0) for _ in range(8)] == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert [pauses.after(HEALTHY), pauses.after(0.0)] == [0.0, 0.2]
