"""The plots of an evaluation report, each as SVG to stand inside a page."""

from __future__ import annotations

import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["controls", "curve", "histogram", "reliability", "sources"]

_BAD, _GOOD, _INK, _PALE = "#c2412d", "#1f6f8b", "#333a44", "#c9d1d9"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": _PALE,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eceff3",
}


def sources(rows: list[dict[str, Any]], labels: list[str]) -> str:
    """The share that is flagged of each source, with its interval: low is good above the line between the
    classes, high below it."""
    with matplotlib.rc_context(_STYLE):
        shown = [row for row in rows if row["flagged"] is not None]
        figure, axes = _new(8.4, 1.0 + 0.3 * max(1, len(shown)))
        _bars(axes, shown, [_GOOD if row["positive"] else _BAD for row in shown])
        axes.set(
            xlabel=f"share flagged in %, red: '{labels[0]}' (false alarms), blue: '{labels[1]}' (caught)"
        )
        return _svg(figure, "sources")


def controls(rows: list[dict[str, Any]]) -> str:
    """The share of innocent items that is flagged after each harmless change."""
    with matplotlib.rc_context(_STYLE):
        shown = [row for row in rows if row["flagged"] is not None]
        figure, axes = _new(8.4, 1.0 + 0.3 * max(1, len(shown)))
        _bars(axes, shown, [_BAD] * len(shown))
        axes.axvline(10, color=_INK, linewidth=1, linestyle="--")
        axes.set(xlabel="false alarms in %; the dashed line is the 10 % that none should exceed")
        return _svg(figure, "controls")


def _bars(axes: Axes, rows: list[dict[str, Any]], colours: list[str]) -> None:
    places = np.arange(len(rows))
    shares = np.array([100 * row["flagged"] for row in rows])
    bounds = 100 * np.array([row["interval"] for row in rows]).reshape(-1, 2)
    axes.barh(places, shares, color=colours, height=0.62, alpha=0.85)
    axes.hlines(places, bounds[:, 0], bounds[:, 1], color=_INK, linewidth=1.4)
    axes.set(yticks=places, yticklabels=[_plain(row["name"]) for row in rows], xlim=(0, 100))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


def _plain(name: str) -> str:
    """A name as matplotlib shows it: a dollar sign would begin a formula."""
    return (name if len(name) <= 32 else f"{name[:31]}…").replace("$", r"\$")


def histogram(scores: dict[str, list[int]], labels: list[str]) -> str:
    """How scores spread in each class."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _new(4.1, 3.0)
        edges = np.linspace(0, 1, 21)
        for name, label, colour in (("negative", labels[0], _BAD), ("positive", labels[1], _GOOD)):
            total = sum(scores[name]) or 1
            share = [100 * count / total for count in scores[name]]
            axes.stairs(share, edges, fill=True, alpha=0.35, color=colour)
            axes.stairs(share, edges, color=colour, linewidth=1.5, label=_plain(label))
        axes.set(xlabel="score", ylabel="% of the class", xlim=(0, 1))
        axes.legend(frameon=False)
        return _svg(figure, "histogram")


def reliability(rows: list[tuple[float, float, float]]) -> str:
    """What share of items is positive at each score, at even odds; on the diagonal, scores mean what they
    say."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _new(4.1, 3.0)
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1.2)
        means, shares, masses = np.array(rows).reshape(-1, 3).T
        axes.plot(means, shares, color=_GOOD, linewidth=1.2)
        axes.scatter(means, shares, s=20 + 300 * masses, color=_GOOD, alpha=0.8)
        axes.set(xlabel="score", ylabel="share positive", xlim=(0, 1), ylim=(-0.03, 1.03))
        return _svg(figure, "reliability")


def curve(points: list[tuple[float, float]]) -> str:
    """The risk of being wrong as the detector speaks of ever more items, its surest answers first."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _new(4.1, 3.0)
        coverage, risk = 100 * np.array(points).reshape(-1, 2).T
        axes.plot(coverage, risk, color=_GOOD, linewidth=1.8)
        axes.set(xlabel="answers let through, % of all items", ylabel="wrong, %", xlim=(0, 100))
        axes.set_ylim(0, max(10.0, 1.1 * float(risk.max(initial=0))))
        return _svg(figure, "curve")


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    return figure, figure.add_subplot()


def _svg(figure: Figure, salt: str) -> str:
    """The drawing without the head of a file of its own. What the labels say is escaped by matplotlib."""
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    drawn = file.getvalue()
    return drawn[drawn.index("<svg") :]
