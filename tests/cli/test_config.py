"""`vacancy config` and the errors of a wrong command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import vacancy


def test_it_says_where_each_value_came_from(tmp_path: Path) -> None:
    (tmp_path / "vacancy.toml").write_text("max_nights = 30", "utf-8")
    ran = vacancy("config", "--data", tmp_path, "--set", "workers=2", "--json", VACANCY_PORT="9000")
    assert ran.code == 0
    said = json.loads(ran.out)
    assert said["workers"] == {"value": 2, "origin": "command line"}
    assert said["port"] == {"value": 9000, "origin": "environment"}
    assert said["max_nights"] == {"value": 30, "origin": "file"}
    assert said["layout"] == {"value": "catalogue", "origin": "default"}


def test_it_prints_a_line_for_each_and_no_secret(tmp_path: Path) -> None:
    ran = vacancy("config", "--data", tmp_path, VACANCY_API_KEY="a-key-nobody-sees")
    lines = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert lines["port"] == ["8080", "default"]
    assert lines["api_key"] == ["********", "environment"]
    assert "nobody" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["config", "--set", "workers=0"], "workers: "),
        (["config", "--port", "x"], "--port"),
        (["config", "--layout", "motel"], "catalogue"),
        (["config", "--set", "workers"], "NAME=VALUE"),
        (["config", "--set", "api_key=0123456789abcdef"], "VACANCY_API_KEY"),
        (["config", "--config", "nowhere.toml"], "nowhere.toml"),
        (["up", "--demo", "0"], "--demo"),
        (["up", "--broker", "localhost:9092"], "broker: "),
        (["up", "--set", "namespace=Not Mine"], "namespace: "),
        (["up", "--set", 'topics={"nothing": {"partitions": 3}}'], "topics.nothing"),
        (["topics", "plan", "--broker", "localhost:9092"], "broker: "),
        (["topics", "lint", "--layout", "motel"], "layout: "),
        (["audit", "--broker", "localhost:9092"], "broker: "),
        (["fly"], "fly"),
    ],
)
def test_what_was_asked_wrongly_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    ran = vacancy(*arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert says in ran.err


def test_help_names_every_command() -> None:
    ran = vacancy("--help")
    assert ran.code == 0
    for name in ("up", "worker", "gateway", "provider", "broker", "topics", "demo", "audit", "config", "doctor"):
        assert f" {name} " in ran.out


@pytest.mark.parametrize("command", [["audit"], ["topics", "plan"]])
def test_every_command_finds_the_directory_that_the_environment_names(command: list[str], tmp_path: Path) -> None:
    ran = vacancy(*command, VACANCY_DATA=str(tmp_path))
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert f"no instance in {tmp_path}" in ran.err


def test_the_audit_reads_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "vacancy.toml").write_text('broker = "kafka://127.0.0.1:1"', "utf-8")
    ran = vacancy("audit", "--data", tmp_path)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "no broker answers at kafka://127.0.0.1:1" in ran.err
