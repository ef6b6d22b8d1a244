"""What an audit prints: a table of the promises and the findings below it, or the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.audit.findings import SHOWN, Verdict, clean

_STYLE = {"ok": "green", "FAILED": "bold red", "not applicable": "dim"}


def as_json(verdicts: Sequence[Verdict], records: int, seconds: float) -> dict[str, Any]:
    return {
        "ok": clean(verdicts),
        "records": records,
        "seconds": round(seconds, 3),
        "promises": [verdict.as_json() for verdict in verdicts],
    }


def show(console: Console, verdicts: Sequence[Verdict], records: int, seconds: float) -> None:
    """Prints the table, and at most 20 findings of each promise."""
    table = Table("", "promise", "checked", "open", "aged", "verdict")
    for verdict in verdicts:
        counts = (verdict.checked, verdict.open, verdict.aged)
        state = Text(verdict.state, style=_STYLE.get(verdict.state, "yellow"))
        table.add_row(
            verdict.promise, verdict.title, *(f"{count:,}" if verdict.applicable else "" for count in counts), state
        )
    console.print(table)
    for verdict in verdicts:
        if verdict.note:
            console.print(f"{verdict.promise} {verdict.note}", style="dim", markup=False)
    for verdict in verdicts:
        style = "yellow" if verdict.excepted else "red"
        for finding in verdict.findings[:SHOWN]:
            console.print(f"{verdict.promise} {finding.subject}: {finding.what}", style=style, markup=False)
        if len(verdict.findings) > SHOWN:
            console.print(f"{verdict.promise} and {len(verdict.findings) - SHOWN} more")
    said = "nothing found" if clean(verdicts) else "promises are broken"
    console.print(f"{records:,} records read in {seconds:.1f} s: {said}")
