"""The auditor shares no decision code with what it judges."""

from __future__ import annotations

import ast
from pathlib import Path

import cli.audit

_JUDGED = {"domain", "agents", "tables", "web"}
#: Starting the embedded brokers is all it takes from the platform.
_ALLOWED = {"streams.broker", "streams.cluster", "streams.java", "streams.kafka_files"}


def test_the_auditor_imports_nothing_that_decides() -> None:
    assert cli.audit.__file__ is not None
    imported = {name for file in Path(cli.audit.__file__).parent.glob("*.py") for name in _imports(file)}

    assert not {name for name in imported if name.split(".")[0] in _JUDGED}
    assert {name for name in imported if name.split(".")[0] == "streams"} <= _ALLOWED


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found
