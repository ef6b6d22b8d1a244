"""Figures as Markdown: numbers as people read them, tables, and a table for any result whose shape nobody described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: How the units at the end of a key are written.
_UNITS = {
    "_per_s": " a second",
    "_per_s_to_rest": " a second, to rest",
    "_ms": " (ms)",
    "_s": " (s)",
    "_us": " (µs)",
    "_mib": " (MiB)",
    "_bytes": " (bytes)",
}
_SPREAD = {"min", "median", "max", "runs"}
_NOTHING = "-"

Row = Mapping[str, Any]


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    if isinstance(value, int) or value == round(value):
        return f"{round(value):,}"
    return f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}" if abs(value) >= 1 else f"{value:.3g}"


def text(value: Any) -> str:
    """Any figure as the content of a cell; a spread as its median and, of several runs, its ends."""
    match value:
        case None:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case Mapping() if _is_spread(value):
            return spread(value)
        case Mapping():
            return ", ".join(f"{heading(str(name))} {text(each)}" for name, each in value.items()) or _NOTHING
        case list() | tuple():
            return ", ".join(text(each) for each in value) or _NOTHING
    return str(value).replace("|", "\\|")


def spread(found: Row) -> str:
    """A median, and between which values it lies."""
    middle = number(found["median"])
    return middle if found["runs"] == 1 else f"{middle} ({number(found['min'])} to {number(found['max'])})"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table of cells that are texts already, or figures."""
    lines = [head, ["---"] * len(head), *([text(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def heading(key: str) -> str:
    """A key of a result as people say it."""
    for ending in sorted(_UNITS, key=len, reverse=True):
        if key.endswith(ending):
            return _words(key.removesuffix(ending)) + _UNITS[ending]
    return _words(key)


def _words(key: str) -> str:
    return " ".join("CPU" if word == "cpu" else word for word in key.split("_"))


def generic(value: Any) -> str:
    """A table of a result: records below one another, a single one as a list of its figures."""
    if isinstance(value, list):
        return _records([row for each in value for row in _rows(each)])
    if all(isinstance(each, Mapping) and not _is_spread(each) for each in value.values()):
        return _records([row for name, each in value.items() for row in _rows(each, name)])
    return table(["", ""], [[heading(key), each] for key, each in value.items() if not _is_series(each)])


def _records(rows: Sequence[Row]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return table([heading(key) for key in keys], [[row.get(key) for key in keys] for row in rows])


def _rows(record: Row, name: str = "") -> Iterator[dict[str, Any]]:
    """A record as one row; one that holds records of its own as a row for each of these."""
    nested = {key: each for key, each in record.items() if _is_record(each)}
    flat = {key: each for key, each in record.items() if key not in nested and not _is_series(each)}
    named = {"of": name} if name else {}
    if not nested:
        yield {**named, **flat}
    for key, each in nested.items():
        for row in _rows(each, f"{name}, {key}" if name else key):
            yield {**flat, **row}


def _is_spread(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == _SPREAD


def _is_record(value: Any) -> bool:
    """Figures of several kinds, rather than one figure by name."""
    return isinstance(value, Mapping) and any(isinstance(each, Mapping) for each in value.values())


def _is_series(value: Any) -> bool:
    """Points of a curve: for a plot, and for whoever reads the JSON."""
    return isinstance(value, list) and any(isinstance(each, list | Mapping) for each in value)
