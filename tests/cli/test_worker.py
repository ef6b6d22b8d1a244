"""`vacancy worker`: what it refuses at start, and whose logging it keeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import faust
import pytest
from prometheus_client import REGISTRY

from cli import slots
from cli.aftermath import check_before
from cli.problem import Problem
from cli.slots import WHOLE, Ended, Slot
from cli.worker import _faust_worker, chosen
from config.logging import configure
from config.settings import Settings
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


def test_a_slot_has_two_halves(tmp_path: Path) -> None:
    with Slot.take(tmp_path, 1, ("worker",)) as first, Slot.take(tmp_path, 1, ("projector",)) as second:
        assert (first.name, second.name, first.directory) == ("worker-1", "projector-1", second.directory)
        with pytest.raises(Problem, match="slot 1 is in use"), Slot.take(tmp_path, 1, ("projector",)):
            pass
        with Slot.take(tmp_path, None) as whole:
            assert whole.name == "worker-2"


def test_a_whole_slot_leaves_no_half(tmp_path: Path) -> None:
    with Slot.take(tmp_path, None), Slot.take(tmp_path, None, ("projector",)) as half:
        assert half.name == "projector-2"
    with Slot.take(tmp_path, 1, ("projector",)) as half:
        assert half.name == "projector-1"


def test_every_service_is_a_decision_or_a_projection() -> None:
    running = ["booking", "payment", "notification", "analytics", "gate"]
    assert chosen([], running) == (running, WHOLE)
    assert chosen(["decisions"], running) == (["booking", "payment"], ("worker",))
    assert chosen(["projections"], running) == (["notification", "analytics", "gate"], ("projector",))
    assert chosen(["analytics"], running) == (["analytics"], WHOLE)


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


def test_how_the_one_before_ended_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Slot.take(tmp_path, 1) as slot:
        assert slot.before == "clean"
    with suppress(RuntimeError), Slot.take(tmp_path, 1, ("worker",)):
        raise RuntimeError
    with Slot.take(tmp_path, 1, ("projector",)) as slot:
        assert slot.before == "clean", "its half ended in order"
    with suppress(SystemExit), Slot.take(tmp_path, 1) as slot:
        assert slot.before == "killed"
        raise SystemExit(1)
    booted = tmp_path / "boot_id"
    booted.write_text("another\n")
    monkeypatch.setattr(slots, "_BOOT", booted)
    with Slot.take(tmp_path, 1) as slot:
        assert slot.before == "machine"
    with Slot.take(tmp_path, 1) as slot:
        assert slot.before == "clean"


@pytest.mark.parametrize(("before", "left"), [("clean", True), ("killed", True), ("machine", False)])
def test_rows_of_before_a_power_cut_are_not_trusted(tmp_path: Path, before: Ended, left: bool) -> None:
    rows = tmp_path / "booking" / "rows"
    rows.mkdir(parents=True)
    counted = REGISTRY.get_sample_value("vacancy_unclean_starts_total") or 0
    check_before(Settings(data=tmp_path), Slot(1, tmp_path, "worker-1", before), ["booking"])
    assert rows.exists() is left
    counts = before != "clean"
    assert REGISTRY.get_sample_value("vacancy_unclean_starts_total") == counted + counts
