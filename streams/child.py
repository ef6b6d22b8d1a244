"""A child process that cannot outlive its parent: started, watched and ended by pid.

It gets a session of its own, so that Ctrl-C in the terminal reaches the parent only, and its output goes to a log file.
What the child is (a broker, a worker) is the caller's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOG_LIMIT = 10 * 1024 * 1024
_POLL = 0.05

# Runs before the real program and becomes it, keeping the pid: on Linux (PR_SET_PDEATHSIG is 1) the kernel then kills
# it when its parent dies, however that happens. A program of its own, because a fork with threads around is unsafe.
_TIE = """
import os, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Child:
    """A running process. `log` is where its output goes, None for the parent's own terminal."""

    process: subprocess.Popen[bytes]
    log: Path | None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    async def exited(self) -> int:
        """Waits for the end; the exit code, negative for a signal."""
        while (code := self.process.poll()) is None:  # noqa: ASYNC110  # works in any loop, and in none
            await asyncio.sleep(_POLL)
        return code

    async def stop(self, within: float) -> bool:
        """Asks it to end (SIGTERM), and after `within` seconds ends it (SIGKILL); whether it ended when asked.

        Nothing is left afterwards, also when the wait is cancelled.
        """
        if not self.alive:
            return False
        try:
            self.process.terminate()
            # A paused process (SIGSTOP) hears of it only once it goes on.
            self.process.send_signal(signal.SIGCONT)
            await asyncio.wait_for(self.exited(), within)
            return True
        except TimeoutError:
            return False
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it now, if it has not ended, and waits until it is gone."""
        self.process.kill()
        self.process.wait()


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    tied: bool = True,
) -> Child:
    """Starts `command` with the variables added to our own; raises OSError when it cannot be started.

    `tied`: it dies with this process, or rather with the thread that calls (which has to be one that stays).
    """
    words = [str(word) for word in command]
    if tied:
        words = [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *words]
    with contextlib.ExitStack() as stack:
        output = None if log is None else stack.enter_context(_opened(log).open("ab", buffering=0))
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=directory,
            start_new_session=True,
        )
    return Child(process, log)


def last_lines(log: Path | None, count: int = 15) -> list[str]:
    """The end of a log file; nothing when there is none."""
    if log is None or not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        return file.read().decode("utf-8", "replace").splitlines()[-count:]


def _opened(log: Path) -> Path:
    """The log file with its directory there, the one before it set aside when it has grown large."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.is_file() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    return log
