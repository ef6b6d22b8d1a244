"""Real workers that hang, or whose disk is full: they end themselves, and their keeper starts them again in time."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import instance
from cli.keeper import Keeper
from cli.parts import Program
from cli.space import full
from cli.supervisor import Supervisor
from config.settings import Settings
from streams.admin import apply
from streams.events.users import UserForgotten
from streams.layout import load_layout
from streams.log import Log

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]
# Runs before anything else of a process that has it on its path: an agent that never comes back, until told otherwise.
_BLOCKS = """
import asyncio, pathlib, sys
if "worker" in sys.argv or "worker" in getattr(sys, "orig_argv", []):
    from streams.processor import Processor
    decides = Processor.apply
    async def apply(self, batch):
        if pathlib.Path({marker!r}).exists():
            await asyncio.Event().wait()
        await decides(self, batch)
    Processor.apply = apply
"""


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  # it is about another process
        await asyncio.sleep(0.05)


@asynccontextmanager
async def worker(kafka: str, settings: Settings, extra: Mapping[str, str]) -> AsyncIterator[tuple[Keeper, list[str]]]:
    """A kept worker of the user service on the shared broker, ready, and what its keeper says."""
    await apply(kafka, load_layout(settings), settings.environment)
    said: list[str] = []
    supervisor = Supervisor(lambda: None, said.append, lambda part: full(settings, part))
    words = ["worker", "user", "--data", str(settings.data), "--slot", "1"]
    program = Program("worker-1", words, settings.data, settings.environment_of() | dict(extra))
    try:
        keeper = supervisor.start(program)
        await keeper.ready.wait()
        yield keeper, said
    finally:
        await supervisor.stop([("", 5.0)], 6.0)


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no tmpfs may be mounted here: run the tests as root, in a machine or container that allows it")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_stuck_worker_ends_itself_and_is_started_again(kafka: str, tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path / "data", namespace=f"w{uuid.uuid4().hex[:8]}", broker=f"kafka://{kafka}", stalled_after=2.0
    )
    hook, blocked = tmp_path / "hook", tmp_path / "blocked"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(_BLOCKS.format(marker=str(blocked)))
    blocked.touch()
    async with worker(kafka, settings, {"PYTHONPATH": f"{hook}{os.pathsep}{ROOT}"}) as (keeper, said):
        log = Log(kafka, load_layout(settings))
        await log.start()
        await log.append(UserForgotten(user_id="u1", asked_at=datetime.now(UTC), keys=0), source="test")
        await log.stop()
        await _until(lambda: bool(said))
        assert "exit code 75: Stalled: user has made no progress for " in said[0]
        blocked.unlink()
        await keeper.ready.wait()
        assert (settings.data / "log" / "worker-1.log").read_text().count("after an unclean stop") == 1
    assert not (settings.data / "state" / "1" / "worker.running").exists(), "it was stopped in order"
    assert "most recent call first" in (settings.data / "log" / "worker-1.log").read_text()


async def test_a_worker_on_a_full_disk_ends_and_comes_back_once_there_is_space(kafka: str, tmpfs: Path) -> None:
    settings = Settings(
        data=tmpfs / "data", namespace=f"w{uuid.uuid4().hex[:8]}", broker=f"kafka://{kafka}", stop_below_mb=8
    )
    async with worker(kafka, settings, {}) as (keeper, said):
        filler = tmpfs / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(tmpfs).free - 4 * 1024 * 1024))
        await _until(lambda: len(said) == 2)
        assert "exit code 74: DiskFull: only " in said[0]
        assert said[1].startswith("worker-1 waits: only ")
        assert not keeper.ready.is_set()
        filler.unlink()
        await keeper.ready.wait()
        assert len(said) == 2
        assert instance.part(settings.data, "worker-1") is not None
