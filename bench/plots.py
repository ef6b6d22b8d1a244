"""The plots of docs/performance.md as SVG: one function a plot, each drawn where its figures are there.

Colours are Okabe and Ito's, which differ for colour-blind eyes too; text stays text; the same figures give the same
file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bench.plots_growth import growth
from bench.plots_style import BLUE, GREY, ORANGE, SERVICES, STYLE, VERMILION, label_bars, plain
from bench.report_journey import whole

Results = Mapping[str, Any]


def draw(directory: Path, results: Results) -> list[str]:
    """Draws what was measured; the names of the plots. Those of figures that are no more are deleted."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    with mpl.rc_context(STYLE):
        for name, (part, plot) in PLOTS.items():
            file = directory / f"{name}.svg"
            figure = plot(results[part]) if part in results else None
            if figure is None:
                file.unlink(missing_ok=True)
                continue
            # Without date and program version: the same figures, the same file.
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
            drawn.append(name)
    return drawn


def systems(found: Results) -> Figure | None:
    """Events a second and CPU seconds of every system, ours first, side by side."""
    measured = found["systems"]
    if not measured:
        return None
    names = sorted(measured, key=lambda name: -float(measured[name]["events_per_second"]["median"]))
    figure = Figure(figsize=(10, 1.2 + 0.5 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, key, title in (
        (left, "events_per_second", "Events a second: more is better"),
        (right, "cpu_seconds_per_million", "CPU s per million: less is better"),
    ):
        spreads = [measured[name][key] for name in names]
        middles = [each["median"] for each in spreads]
        ends = [[each["median"] - each["min"] for each in spreads], [each["max"] - each["median"] for each in spreads]]
        colours = [BLUE if name.startswith("vacancy") else GREY for name in names]
        bars = axes.barh(names, middles, color=colours, xerr=ends, error_kw={"elinewidth": 1, "capsize": 2})
        label_bars(axes, bars, middles)
        axes.set_title(title)
        axes.set_xlim(0, max(each["max"] for each in spreads) * 1.25)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(plain))
        axes.grid(axis="y", visible=False)
    left.invert_yaxis()
    return figure


def latency(found: Results) -> Figure | None:
    """Accept and confirm over the rate, of all loads and probes; hollow where the rate was not held."""
    loads = [load for load in (*whole(found), *found["probes"]) if load["accept_ms"] and load["confirm_ms"]]
    if not loads:
        return None
    loads.sort(key=lambda load: load["rate"])
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    bounds = found["bounds"]
    for key, bound, colour, marker in (
        ("confirm_ms", bounds["confirm_p95_ms"], BLUE, "o"),
        ("accept_ms", bounds["accept_p95_ms"], ORANGE, "s"),
    ):
        name = key.removesuffix("_ms")
        for share, line in (("p95", "-"), ("p50", ":")):
            axes.plot(
                [load["rate"] for load in loads],
                [load[key][share] for load in loads],
                line,
                color=colour,
                label=f"{name} {share}",
            )
        for is_held in (True, False):
            points = [load for load in loads if load["held"] is is_held]
            axes.plot(
                [load["rate"] for load in points],
                [load[key]["p95"] for load in points],
                marker,
                color=colour,
                markerfacecolor=colour if is_held else "white",
            )
        axes.axhline(bound, color=colour, linewidth=0.8, linestyle="--")
        axes.annotate(f" bound of {name} p95", (0, bound), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
    axes.plot([], [], "o", color=GREY, label="held")
    axes.plot([], [], "o", color=GREY, markerfacecolor="white", label="not held")
    axes.set(xscale="log", yscale="log", xlabel="bookings a second", ylabel="milliseconds")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(plain))
        axis.set_minor_formatter(FuncFormatter(_some))
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def waterfall(found: Results) -> Figure | None:
    """Each hop from where it begins (median) for as long as it takes (median), a line to its 95th percentile."""
    loads = [load for load in whole(found) if load.get("waterfall")]
    if not loads:
        return None
    count = len(loads[0]["waterfall"]["hops"])
    figure = Figure(figsize=(10, len(loads) * (1.1 + 0.34 * count)), layout="constrained")
    for axes, load in zip(figure.subplots(len(loads), 1, squeeze=False)[:, 0], loads, strict=True):
        _gantt(axes, load["waterfall"]["hops"])
        total = load["waterfall"]["whole"]
        axes.set_title(
            f"{plain(load['rate'])} bookings a second: request to confirmed "
            f"p50 {plain(total['p50_ms'])} ms, p95 {plain(total['p95_ms'])} ms"
        )
        axes.set_xlabel("milliseconds since the gateway took the request")
    return figure


def _gantt(axes: Axes, hops: Sequence[Mapping[str, Any]]) -> None:
    names = [f"{hop['hop']} · {hop['by']}" for hop in hops]
    begins = [hop["begins_ms"] for hop in hops]
    takes = [hop["p50_ms"] for hop in hops]
    axes.barh(names, takes, left=begins, color=[SERVICES.get(hop["by"], GREY) for hop in hops], height=0.62)
    for name, hop in zip(names, hops, strict=True):
        end = hop["begins_ms"] + hop["p50_ms"]
        late = hop["begins_ms"] + hop["p95_ms"]
        axes.plot([end, late], [name, name], color=VERMILION, linewidth=1.2)
        axes.annotate(
            f"{plain(hop['p50_ms'])} / {plain(hop['p95_ms'])} ms",
            (max(end, late), name),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.invert_yaxis()
    axes.set_xlim(0, max(hop["begins_ms"] + hop["p95_ms"] for hop in hops) * 1.15 + 1)
    axes.grid(axis="y", visible=False)


def _some(value: float, position: int | None = None) -> str:
    """Labels between the powers of ten, only at 2 and 5."""
    return plain(value) if f"{value:e}"[0] in "25" else ""


#: name: (the part it is of, how it is drawn)
PLOTS: dict[str, tuple[str, Callable[[Results], Figure | None]]] = {
    "systems": ("micro", systems),
    "latency": ("journey", latency),
    "waterfall": ("journey", waterfall),
    "growth": ("growth", growth),
}
