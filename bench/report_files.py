"""DIR/performance.json and what is written from it: the page, and the plots where they can be drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.parts import PARTS
from bench.report import page, steps

#: A list without lists or objects in it, which stands on one line: curves have hundreds.
_INNERMOST = re.compile(r"\[[^\[\]{}\"]*\]")


class Unreadable(Exception):
    """There is a performance.json that is none; the text names it."""


def read(directory: Path) -> dict[str, Any]:
    """The parts measured so far; none where there is no file, or one of version 0.1. Raises Unreadable."""
    file = directory / "performance.json"
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Unreadable(f"{file}: {error}") from None
    parts = found.get("parts", {}) if isinstance(found, dict) else {}
    return dict(parts)


def write(directory: Path, measured: Mapping[str, Any]) -> list[str]:
    """Replaces the measured parts, keeps all others, writes everything anew; the names of the plots. Unreadable."""
    parts = {**read(directory), **measured}
    text = json.dumps({"parts": {name: parts[name] for name in (*PARTS, *parts) if name in parts}}, indent=2)
    ordered = json.loads(text)["parts"]  # the page tells what the file holds, which has no tuples
    text = _INNERMOST.sub(lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text)
    (directory / "performance.json").write_text(text + "\n", "utf-8")
    plots = drawn(directory / "performance", {name: part["result"] for name, part in ordered.items()})
    (directory / "performance.md").write_text(page(ordered, steps(), plots), "utf-8")
    return plots


def drawn(directory: Path, results: Mapping[str, Any]) -> list[str]:
    """Draws what there is to draw into DIRECTORY; the names, none without matplotlib."""
    try:
        from bench.plots import draw
    except ImportError:
        return []
    return draw(directory, results)
