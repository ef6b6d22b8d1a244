"""Child processes: ended when asked, ended anyway, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from streams.child import last_lines, spawn

_SLEEP = "import time; print('up', flush=True); time.sleep(600)"
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


async def _says_up(log: Path) -> None:
    while last_lines(log) != ["up"]:  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.02)


async def test_its_end_is_noticed(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", "import sys; print('bye'); sys.exit(3)"], log=tmp_path / "log" / "a.log")
    assert await child.exited() == 3
    assert last_lines(child.log) == ["bye"]


async def test_it_gets_what_we_add_to_our_environment(tmp_path: Path) -> None:
    shown = "import os; print(os.environ['ADDED'], 'PATH' in os.environ, os.getcwd())"
    child = spawn(
        [sys.executable, "-c", shown], log=tmp_path / "a.log", environment={"ADDED": "yes"}, directory=tmp_path
    )
    await child.exited()
    assert last_lines(child.log) == [f"yes True {tmp_path}"]


async def test_it_has_a_session_of_its_own(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _SLEEP], log=tmp_path / "a.log")
    assert os.getsid(child.pid) == child.pid
    assert await child.stop(10)
    assert not psutil.pid_exists(child.pid)


async def test_what_does_not_listen_is_ended_anyway(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _DEAF], log=tmp_path / "a.log")
    await _says_up(tmp_path / "a.log")
    assert not await child.stop(0.1)
    assert child.process.returncode == -signal.SIGKILL


async def test_a_paused_one_is_ended_too(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _SLEEP], log=tmp_path / "a.log")
    await _says_up(tmp_path / "a.log")
    os.kill(child.pid, signal.SIGSTOP)
    assert await child.stop(10)


async def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    await spawn([sys.executable, "-c", "print('new')"], log=log).exited()
    assert last_lines(log) == ["new"]
    assert (tmp_path / "a.log.1").stat().st_size == 11 * 1024 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_dies_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from streams.child import spawn\n"
        f"child = spawn([sys.executable, '-c', {_SLEEP!r}], log=Path({str(tmp_path / 'a.log')!r}))\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    # Whoever inherits it may not have taken note of its end yet.
    while orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
