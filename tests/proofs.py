"""Which test proves which requirement: read from the tests' sources, by their `proves` markers and their docstrings."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ID = re.compile(r"\b(?:(?:CAMP|ORD|HTL|CAT|CLN)-\d\d|C\d{1,2})\b")
_RANGE = re.compile(r"\b((?:CAMP|ORD|HTL|CAT|CLN)-)(\d\d)\.\.(\d\d)\b")


def ids_in(text: str) -> set[str]:
    """The ids a text names; "CAT-02..05" is four of them, and "CAT-16, 18" only the first."""
    found = {
        f"{prefix}{number:02}"
        for prefix, first, last in _RANGE.findall(text)
        for number in range(int(first), int(last) + 1)
    }
    return found | set(ID.findall(text))


def requirements() -> dict[str, str]:
    """Every id of docs/requirements.md with what it demands, in the document's order."""
    demands: dict[str, str] = {}
    for line in (ROOT / "docs" / "requirements.md").read_text("utf-8").splitlines():
        item = re.match(r"- ((?:CAMP|ORD|HTL|CAT|CLN)-\d\d .*)", line)
        row = re.match(r"\|(C\d+)\|([^|]*)\|", line)
        if item:
            # One line may hold several: "CAT-08 payment.payment.failed and CAT-09 payment.payment.refunded: ...".
            parts = re.split(r"(?=\b(?:CAMP|ORD|HTL|CAT|CLN)-\d\d\b)", item[1])
            demands |= {part.split(" ", 1)[0]: part.split(" ", 1)[1].strip() for part in parts if " " in part}
        elif row:
            demands[row[1]] = row[2].strip()
    return demands


def proofs() -> dict[str, list[str]]:
    """The tests that prove each id, as "tests/path.py::test_name"."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        module = _marked_as_a_whole(tree)
        for test in _tests(tree):
            for requirement in sorted(_named_by(test) | module):
                found[requirement].append(f"{path.relative_to(ROOT)}::{test.name}")
    return dict(found)


def gaps() -> set[str]:
    """The ids that docs/gaps.md gives a reason for."""
    return ids_in((ROOT / "docs" / "gaps.md").read_text("utf-8"))


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _named_by(test: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    named = ids_in(ast.get_docstring(test) or "")
    for decorator in test.decorator_list:
        named |= _marked(decorator)
    return named


def _marked(node: ast.expr) -> set[str]:
    """The ids in `pytest.mark.proves(...)`, alone or within the marks of a parameter."""
    named: set[str] = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "proves":
            named |= {str(each.value) for each in call.args if isinstance(each, ast.Constant)}
    return named


def _marked_as_a_whole(tree: ast.Module) -> set[str]:
    """The ids in `pytestmark = pytest.mark.proves(...)`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            return _marked(node.value)
    return set()
