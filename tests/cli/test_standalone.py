"""`faust -A agents.SERVICE worker`: importing builds nothing, and Faust's own command runs a service of an instance."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import aiohttp
import pytest

from cli import instance
from config.settings import PREFIX, Settings
from streams.admin import apply
from streams.layout import load_layout

ROOT = Path(__file__).resolve().parents[2]


def faust_worker(module: str, **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return subprocess.Popen(
        [sys.executable, "-m", "faust", "-A", module, "worker", "--without-web"],
        cwd=ROOT,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_importing_an_agent_builds_nothing() -> None:
    program = (
        "import sys; import agents.payment as module\n"
        "assert not any(name.split('.')[0] == 'cli' for name in sys.modules)\n"
        "assert not hasattr(module, 'nothing')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_without_an_instance_faust_says_what_to_do(tmp_path: Path) -> None:
    worker = faust_worker("agents.payment", VACANCY_DATA=str(tmp_path / "none"))
    said, _ = worker.communicate()
    assert (worker.returncode, len(said.splitlines())) == (1, 1)
    assert f"Error: no instance in {tmp_path / 'none'}: start one with `vacancy up" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.broker
@pytest.mark.timeout(180)
async def test_fausts_own_command_runs_a_service(kafka: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, namespace=f"f{uuid.uuid4().hex[:8]}")
    await apply(kafka, load_layout(settings), settings.environment)
    worker = faust_worker(
        "agents.availability",
        VACANCY_DATA=str(tmp_path),
        VACANCY_NAMESPACE=settings.namespace,
        VACANCY_BROKER=f"kafka://{kafka}",
    )
    try:
        while (said := instance.part(tmp_path, "worker-1")) is None and worker.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert said is not None
        assert said["pid"] == worker.pid
        async with aiohttp.ClientSession() as client:
            while await _status(client, f"{said['url']}/readyz") != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        worker.send_signal(signal.SIGTERM)
        out, _ = await asyncio.to_thread(worker.communicate)
    assert worker.returncode == 0, out


async def _status(client: aiohttp.ClientSession, url: str) -> int:
    async with client.get(url) as answer:
        return answer.status
