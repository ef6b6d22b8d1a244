"""`vacancy audit` on a real Kafka: what it prints and how it exits."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.audit import command, names
from cli.audit.broker import CannotAuditError
from cli.audit.entry import dialect_of
from cli.audit.spelling import Spelling
from tests.cli.audit.clean import clean, confirm
from tests.cli.audit.layouts import LAYOUTS, NOTICE
from tests.cli.audit.stage import delete, play, write_ledger
from tests.cli.audit.story import Story

_app = typer.Typer(pretty_exceptions_enable=False)
_app.command()(command)


def _audit(story: Story, kafka: str, data: Path, *more: str) -> Result:
    prefix = f"audit-{uuid.uuid4().hex[:8]}."
    asyncio.run(play(story, kafka, Spelling(story.spelling.namespace, prefix)))
    write_ledger(story.ledger, data)
    return _run("--data", str(data), "--broker", f"kafka://{kafka}", "--prefix", prefix, *more)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(_app, list(arguments))


@pytest.mark.broker
def test_a_clean_log_is_clean(kafka: str, tmp_path: Path) -> None:
    story = clean()

    result = _audit(story, kafka, tmp_path, "--json")

    report = json.loads(result.stdout)
    assert report["ok"], report
    assert result.exit_code == 0
    assert report["records"] == len(story.records)
    assert {promise["state"] for promise in report["promises"][:8]} == {"ok"}


@pytest.mark.broker
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_layout_is_judged_in_its_namespace(
    layout: str, kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = f"n{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("VACANCY_NAMESPACE", namespace)
    (tmp_path / "instance.json").write_text(json.dumps({"layout": layout}))
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / f"{NOTICE}.eml").write_text(f"Message-ID: <{NOTICE}@vacancy>\r\n\r\nHello")

    result = _audit(LAYOUTS[layout](namespace), kafka, tmp_path, "--json")

    report = json.loads(result.stdout)
    assert report["ok"], report
    assert result.exit_code == 0
    assert {promise["open"] for promise in report["promises"]} == {0}


def test_a_layout_that_is_not_known_cannot_be_audited() -> None:
    with pytest.raises(CannotAuditError, match="the instance has layout 'moon'"):
        dialect_of("moon")


@pytest.mark.broker
def test_a_night_sold_twice_is_reported(kafka: str, tmp_path: Path) -> None:
    story = clean()
    confirm(story, "third")  # there are two
    story.settle()

    result = _audit(story, kafka, tmp_path)

    assert result.exit_code == 1
    assert "P2 third: took PROP-001/standard 2026-03-01 to 3 of 2" in result.stdout
    assert "promises are broken" in result.stdout


@pytest.mark.broker
def test_a_journal_s_lost_booking_is_reported(kafka: str, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"booking_id": "a"}\n{"booking_id": "lost"}\n')

    result = _audit(clean(), kafka, tmp_path, "--json", "--journal", str(journal))

    assert result.exit_code == 1
    lost = json.loads(result.stdout)["promises"][0]["findings"]
    assert [finding["subject"] for finding in lost] == ["lost"]


@pytest.mark.broker
def test_a_broker_without_an_instance_cannot_be_audited(kafka: str, tmp_path: Path) -> None:
    result = _run("--data", str(tmp_path), "--broker", f"kafka://{kafka}", "--prefix", "nobody.")

    assert result.exit_code == 2
    assert "no topic nobody.vacancy.booking.inbox" in result.stderr


def test_a_directory_without_an_instance_cannot_be_audited(tmp_path: Path) -> None:
    result = _run("--data", str(tmp_path))

    assert result.exit_code == 2
    assert "no instance in" in result.stderr


def test_a_journal_that_is_none_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("not JSON\n")

    result = _run("--data", str(tmp_path), "--journal", str(tmp_path / "journal"))

    assert result.exit_code == 2
    assert "not a journal" in result.stderr


@pytest.mark.broker
def test_what_a_topic_has_deleted_is_not_held_against_it(kafka: str, tmp_path: Path) -> None:
    story, prefix = clean(), f"audit-{uuid.uuid4().hex[:8]}."
    asyncio.run(play(story, kafka, Spelling(prefix=prefix)))
    write_ledger(story.ledger, tmp_path)
    asyncio.run(delete(kafka, [prefix + names.CONFIRMED, prefix + names.CREATED]))

    result = _run("--data", str(tmp_path), "--broker", f"kafka://{kafka}", "--prefix", prefix, "--json")

    report = json.loads(result.stdout)
    assert report["ok"], report
    assert report["promises"][0]["aged"] == len(story.bookings)
