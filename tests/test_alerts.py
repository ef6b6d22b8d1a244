"""The alert rules fire where they have to, name metrics that there are, and lead to runbooks that can be followed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

# These register what a worker tells of itself.
import cli.aftermath  # noqa: F401
import streams.breakers
import streams.measures
import streams.watchdog  # noqa: F401
from cli.main import COMMANDS
from streams.lag import Standing
from web.metrics import Metrics
from web.watch import States, Watch

ROOT = Path(__file__).resolve().parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = (PROMETHEUS / "alerts.yml").read_text("utf-8")
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
MONITORING = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
_METRIC = re.compile(r"\b(?:kafka|vacancy)_[a-z_]*[a-z]")
#: What the samples of a histogram have behind its name, and a counter's.
_SUFFIX = re.compile(r"_(?:bucket|count|sum|total)$")

SECTIONS = ["What it means", "First look", "What to do", "Over when"]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def exported() -> set[str]:
    """The metrics of a gateway's page, without what the samples have behind their names."""

    async def stands() -> Standing:
        return Standing()

    async def states() -> States:
        return {}

    registries: list[CollectorRegistry] = [REGISTRY, Metrics(Watch(stands, states)).registry]
    return {_SUFFIX.sub("", family.name) for registry in registries for family in registry.collect()}


def named(text: str) -> set[str]:
    return {_SUFFIX.sub("", name) for name in _METRIC.findall(text)}


def blocks() -> list[str]:
    """Each alert's part of the file."""
    return RULES.split("- alert: ")[1:]


@needs_promtool
@pytest.mark.parametrize(
    "asked",
    [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")],
    ids=" ".join,
)
@pytest.mark.proves("CAT-31", "CAT-32", "CAT-33", "CAT-34", "HTL-40")
def test_the_rules_hold_and_fire_where_they_have_to(asked: tuple[str, ...]) -> None:
    ran = subprocess.run(["promtool", *asked], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_tested() -> None:
    tested = set(re.findall(r"alertname: (\w+)", (PROMETHEUS / "alerts_test.yml").read_text("utf-8")))
    assert tested == {block.split()[0] for block in blocks()}


def test_every_metric_of_a_rule_is_one_that_is_exported() -> None:
    used = set().union(*(named(re.sub(r"annotations:.*", "", block, flags=re.DOTALL)) for block in blocks()))
    assert used <= exported()
    assert "kafka_consumer_lag" in used


def test_every_alert_says_what_it_is_about_and_what_to_do() -> None:
    for block in blocks():
        assert re.search(r"severity: (?:warning|critical)", block), block
        assert re.search(r"summary: \S", block), block
        runbook = re.search(r"runbook_url: (\S+)", block)
        assert runbook is not None, block
        assert (ROOT / runbook[1]).is_file(), runbook[1]


def test_every_runbook_is_led_to_and_can_be_followed() -> None:
    assert {f"docs/runbooks/{each.name}" for each in RUNBOOKS} == set(re.findall(r"runbook_url: (\S+)", RULES))
    for runbook in RUNBOOKS:
        text = runbook.read_text("utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS, runbook
        commands = set(re.findall(r"^vacancy ([a-z]+)", text, re.MULTILINE))
        assert commands, runbook
        assert commands <= COMMANDS.keys(), runbook
        assert named(text) <= exported(), runbook


def test_monitoring_describes_every_metric_of_ours() -> None:
    ours = {name for name in exported() if name.startswith(("kafka_", "vacancy_")) and not name.endswith("_created")}
    assert {name for name in ours if name not in named(MONITORING)} == set()
    assert named(MONITORING) <= exported() | {"vacancy_cache_answers"}
