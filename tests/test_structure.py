"""The directions of imports, and where the packages come from (design 1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: What each package may import of ours, beside itself.
MAY = {
    "config": set(),
    "domain": {"streams.events"},
    "streams": {"config"},
    "tables": {"streams", "domain"},
    "agents": {"tables", "domain", "streams", "adapters", "config"},
    "adapters": {"config", "streams.events"},
    "projections": {"config", "domain", "streams", "tables"},
    "web": {"streams", "domain", "tables", "adapters", "config", "projections"},
    "cli": {"agents", "adapters", "config", "domain", "projections", "streams", "tables", "web"},
    # Named in the table of commands, imported by nobody; what is measured is all of it.
    "bench": {"agents", "adapters", "cli", "config", "domain", "streams", "tables", "web"},
}
FILES = [path for package in MAY for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_only_where_they_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = [name for name in imported(path) if name.split(".")[0] in MAY and name.split(".")[0] != package]
    allowed = tuple(MAY[package])
    wrong = [name for name in ours if not any(name == each or name.startswith(f"{each}.") for each in allowed)]
    assert wrong == []


def test_events_are_models_and_nothing_else() -> None:
    for path in (ROOT / "streams" / "events").glob("*.py"):
        ours = [name for name in imported(path) if name.split(".")[0] in MAY]
        assert all(name.startswith("streams.events") for name in ours), path


@pytest.mark.parametrize("package", [*MAY, "tests"])
def test_packages_are_those_of_this_repository(package: str) -> None:
    module = import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / package


def test_no_module_is_longer_than_a_sitting() -> None:
    long = {str(path.relative_to(ROOT)): lines for path in FILES if (lines := len(path.read_text().splitlines())) > 250}
    assert long == {}
