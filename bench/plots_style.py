"""How all plots look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import BarContainer

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
GREY = "#8C8C8C"
SERVICES = {
    "gateway": SKY,
    "booking": BLUE,
    "availability": GREEN,
    "payment": PURPLE,
    "provider": ORANGE,
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vacancy",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "legend.frameon": False,
    "legend.fontsize": 10,
}


def plain(value: float, position: int | None = None) -> str:
    """A number on an axis or beside a bar: 180,000, 12, 0.8."""
    if abs(value) >= 10 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2g}"


def label_bars(axes: Axes, bars: BarContainer, values: Sequence[float]) -> None:
    """Each bar's value at its end."""
    axes.bar_label(bars, [plain(value) for value in values], padding=6, fontsize=10)
