"""`vacancy worker`: what it refuses at start, and whose logging it keeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import faust
import pytest

from cli.worker import _faust_worker
from config.logging import configure
from tests.cli.command import vacancy


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_payments_need_a_provider(tmp_path: Path) -> None:
    ran = vacancy("worker", "payment", "--data", tmp_path, "--broker", "kafka://127.0.0.1:1")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "vacancy provider --data" in ran.err
    assert "VACANCY_PROVIDER_URL" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_logging_stays_as_it_was_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("worker-7", "info")
    handlers, loop = logging.getLogger().handlers[:], asyncio.new_event_loop()
    app = faust.App("logging", datadir=str(tmp_path), loop=loop)
    worker = _faust_worker(app, loop=loop)
    monkeypatch.setattr(worker, "install_signal_handlers", lambda: None)
    monkeypatch.setattr(worker, "_setproctitle", lambda *_, **__: None)
    loop.run_until_complete(worker.on_first_start())
    worker.log.info("as configured")
    loop.close()
    assert logging.getLogger().handlers == handlers
    assert "INFO worker-7 faust.worker: " in capsys.readouterr().err
