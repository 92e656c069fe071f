"""Small charts of the last runs: static SVG by pygal, in the colours of the page, without a script.

What pygal brings of its own (styles, a script, a box for tooltips) is left out: the page's policy
allows neither, and its style sheet knows light and dark. A run that did not end well is marked
below the axis, in colour and in shape, for it may have no bar at all.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from referential.change import ACTIONS
from referential.history import Run

BARS = 40
_LEAST = 16  # places for bars: two runs are two bars, not two walls
_WIDTH, _HEIGHT, _ROOM = 320, 150, 12  # _ROOM is for the marks
_NAMESPACE = "http://www.w3.org/2000/svg"
TONES = {
    "done": "good",
    "nothing-to-do": "good",
    "held": "warn",
    "partial": "warn",
    "refused": "warn",
    "running": "warn",
    "failed": "bad",
    "interrupted": "bad",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what it shows, for those who do not see it."""

    title: str
    says: str
    svg: Markup


def _entities(run: Run) -> float:
    return float(run.counts.get("found", 0))


def _changes(run: Run) -> float:
    plan = run.counts.get("plan", {})
    return float(sum(plan.get(action, 0) for action in ACTIONS))


def _seconds(run: Run) -> float:
    return (run.ended - run.started).total_seconds() if run.ended else 0.0


def _rejects(run: Run) -> float:
    return float(run.counts.get("rejects", 0))


_SERIES: tuple[tuple[str, str, Callable[[Run], float]], ...] = (
    ("Entities", "", _entities),
    ("Changes", "", _changes),
    ("Duration", " s", _seconds),
    ("Rejects", "", _rejects),
)


def charts_of(runs: Sequence[Run], current: str = "", names: Sequence[str] = ()) -> list[Chart]:
    """The history of one feed, oldest run first; `current` is the run that the page is about."""
    if not runs:
        return []
    shown = runs[-BARS:]
    return [
        _chart(title, unit, shown, [value(run) for run in shown], current)
        for title, unit, value in _SERIES
        if not names or title in names
    ]


@cache
def _pygal() -> Any:
    """The library, without the finder of modules that it leaves behind.

    That serves plugins of its own alone, and by an interface of which Python 3.11 warns at every
    import that fails.
    """
    import pygal  # type: ignore[import-untyped] # noqa: PLC0415 - a tenth of a second at each start

    fixers = [each for each in sys.meta_path if isinstance(each, pygal.PluginImportFixer)]
    for each in fixers:
        sys.meta_path.remove(each)
    return pygal


def _chart(
    title: str, unit: str, runs: Sequence[Run], values: Sequence[float], current: str
) -> Chart:
    pygal = _pygal()
    chart = pygal.Bar(
        width=_WIDTH,
        height=_HEIGHT,
        style=pygal.style.Style(label_font_size=11, major_label_font_size=11),
        css=(),
        js=(),
        no_prefix=True,
        explicit_size=False,
        show_legend=False,
        show_x_labels=False,
        margin=2,
        margin_bottom=_ROOM,
        spacing=4,
        min_scale=2,
        max_scale=3,
        include_x_axis=True,
        value_formatter=lambda value: _short(value, unit),
        range=(0, max(*values, 1.0)),
    )
    empty = max(0, _LEAST - len(values))
    chart.add("", [0.0] * empty + list(values))
    svg = _cleaned(chart.render_tree(), runs, values, unit, current)
    bad = sum(TONES[run.outcome] != "good" for run in runs)
    says = (
        f"{title} of the last {len(runs)} runs: {_exact(values[-1], unit)} in the last one, "
        f"{_exact(min(values), unit)} to {_exact(max(values), unit)}; {bad} did not end well"
    )
    svg.attrib |= {"role": "img", "aria-label": says, "class": "chart"}
    drawn = tostring(svg, encoding="unicode")  # escapes what is foreign
    return Chart(title, says, Markup(drawn))  # noqa: S704 - see above


def _cleaned(
    svg: Element, runs: Sequence[Run], values: Sequence[float], unit: str, current: str
) -> Element:
    """The tree that pygal made with bars and axes alone, each bar with its words and its tone."""
    plot = next(each for each in svg.iter("g") if each.get("class") == "plot")
    height = float(next(plot.iter("rect")).get("height", 0))
    root = Element("svg", {"xmlns": _NAMESPACE, "viewBox": f"0 0 {_WIDTH} {_HEIGHT}"})
    kept = SubElement(root, "g", {"transform": plot.get("transform", "")})
    for axis in plot.iter("g"):
        if axis.get("class", "").startswith("axis y"):
            kept.append(_axis(axis))
    bars = [each for each in plot.iter("g") if each.get("class") == "bar"]
    for bar, run, value in zip(bars[-len(runs) :], runs, values, strict=True):
        kept.append(_bar(bar, run, _exact(value, unit), height, current=run.id == current))
    return root


def _axis(axis: Element) -> Element:
    made = Element("g", {"class": "axis"})
    for each in axis.iter():
        if each.tag == "path":
            SubElement(made, "path", {"d": each.get("d", "")})
        elif each.tag == "text":
            SubElement(made, "text", {name: each.get(name, "") for name in "xy"}).text = each.text
    return made


def _bar(bar: Element, run: Run, value: str, height: float, *, current: bool) -> Element:
    rect = next(bar.iter("rect"))
    tone = TONES[run.outcome]
    made = Element("g", {"class": f"bar {tone}{' current' if current else ''}"})
    moment = f"{run.started.astimezone(UTC):%Y-%m-%d %H:%M}"
    SubElement(made, "title").text = f"{moment}: {value}, {run.outcome}"
    names = ("x", "y", "width", "height")
    SubElement(made, "rect", {name: f"{float(rect.get(name, 0)):.2f}" for name in names})
    middle = float(rect.get("x", 0)) + float(rect.get("width", 0)) / 2
    if tone != "good":
        drawn = "l3.5 6h-7z" if tone == "warn" else "m-3 0l6 6m0 -6l-6 6"
        SubElement(made, "path", {"class": "mark", "d": f"M{middle:.2f} {height + 3:.2f}{drawn}"})
    elif current:
        SubElement(made, "path", {"class": "mark", "d": f"M{middle:.2f} {height + 3:.2f}v5"})
    return made


def _short(value: Any, unit: str) -> str:
    """A figure at the axis, in few letters; nothing where it would be a fraction of one thing."""
    number = float(value)
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}{unit}"
    if number != int(number) and not unit:
        return ""
    return f"{number:g}{unit}"


def _exact(value: float, unit: str) -> str:
    return f"{value:,.1f}{unit}" if unit else f"{value:,.0f}"
