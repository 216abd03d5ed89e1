"""The evaluation report as one HTML page that needs nothing else."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

__all__ = ["page"]


def page(report: dict[str, Any]) -> str:
    """The page for what `evaluate.run` found."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    from detectors.evaluation import plots

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "number": _number, "span": _span, "share_span": _share_span}
    text = files("detectors.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    labels = report["labels"]
    drawn = [
        {
            "sources": Markup(plots.sources(condition["sources"], labels)),  # noqa: S704  # escaped by matplotlib
            "histogram": Markup(plots.histogram(condition["scores"], labels)),  # noqa: S704
            "reliability": Markup(plots.reliability(condition["reliability"])),  # noqa: S704
            "curve": Markup(plots.curve(condition["risk_coverage"])),  # noqa: S704
        }
        for condition in report["conditions"]
    ]
    controls = Markup(plots.controls(report["controls"])) if report["controls"] else ""  # noqa: S704
    template = environment.from_string(text)
    return template.render(report=report, first=report["conditions"][0], drawn=drawn, controls=controls)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}\u00a0%"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _span(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.2f} – {bounds[1]:.2f}"


def _share_span(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{100 * bounds[0]:.0f} – {100 * bounds[1]:.0f} %"
