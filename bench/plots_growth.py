"""The plot of growth: what becomes of speed and recovery with more rows, more workers, hotter resources."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from bench.plots_style import BLUE, GREEN, ORANGE, label_bars, plain

#: Above the highest point, as a share of the whole.
_ROOM = 0.15

Records = Sequence[Mapping[str, Any]]


def growth(found: Mapping[str, Any]) -> Figure | None:
    """A panel for each kind of growth that was measured."""
    panels = [(draw, found[key]) for key, draw in _PANELS if found.get(key)]
    if not panels:
        return None
    rows = (len(panels) + 1) // 2
    figure = Figure(figsize=(10, 3.4 * rows), layout="constrained")
    places = list(figure.subplots(rows, 2, squeeze=False).flat)
    for axes, (draw, records) in zip(places, panels, strict=False):
        draw(axes, records)
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    return figure


def _recovery(axes: Axes, tables: Records) -> None:
    rows = [table["rows"] for table in tables]
    for key, colour, marker in (("cold_s", BLUE, "o"), ("warm_s", GREEN, "s")):
        _with_ends(axes, rows, [table[key] for table in tables], key.removesuffix("_s"), colour, marker)
    axes.set(xscale="log", yscale="log", xlabel="rows in the table", ylabel="seconds")
    axes.set_title("Recovery")
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend()


def _decisions(axes: Axes, tables: Records) -> None:
    measured = [table for table in tables if table.get("decisions_per_s")]
    speeds = [table["decisions_per_s"] for table in measured]
    _with_ends(axes, [table["rows"] for table in measured], speeds, "decisions", BLUE, "o")
    axes.set(xscale="log", xlabel="rows in the table", ylabel="holds a second")
    axes.margins(y=_ROOM)
    axes.set_ylim(bottom=0)
    axes.set_title("Decisions on a growing table")
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_major_formatter(FuncFormatter(plain))


def _workers(axes: Axes, drains: Records) -> None:
    axes.plot([each["workers"] for each in drains], [each["bookings_per_s"] for each in drains], "o-", color=BLUE)
    axes.set(xlabel="worker processes", ylabel="bookings a second")
    axes.margins(y=_ROOM)
    axes.set_ylim(bottom=0)
    axes.set_title("Workers, drained from the log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _hot(axes: Axes, drains: Records) -> None:
    speeds = [each["bookings_per_s"] for each in drains]
    cases = [textwrap.fill(each["case"], 16) for each in drains]
    label_bars(axes, axes.barh(cases, speeds, color=ORANGE, height=0.6), speeds)
    axes.set(xlim=(0, max(speeds) * 1.2), xlabel="bookings a second")
    axes.set_title("A hot resource, drained from the log")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)


def _larger(axes: Axes, drains: Records) -> None:
    sizes = [each["row_bytes"] / 1024 for each in drains]
    axes.plot(sizes, [each["bookings_per_s"] for each in drains], "o-", color=BLUE)
    axes.set(xlabel="size of a booking's row (KiB)", ylabel="bookings a second")
    axes.margins(y=_ROOM)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title("Larger rows, drained from the log")


def _with_ends(axes: Axes, over: Sequence[float], spreads: Records, label: str, colour: str, marker: str) -> None:
    """Medians as a line, with the least and the most of the runs."""
    middles = [each["median"] for each in spreads]
    ends = [[each["median"] - each["min"] for each in spreads], [each["max"] - each["median"] for each in spreads]]
    axes.errorbar(over, middles, yerr=ends, fmt=f"{marker}-", color=colour, label=label, capsize=3)


_PANELS: tuple[tuple[str, Callable[[Axes, Records], None]], ...] = (
    ("tables", _recovery),
    ("tables", _decisions),
    ("workers", _workers),
    ("hot", _hot),
    ("bookings", _larger),
)
