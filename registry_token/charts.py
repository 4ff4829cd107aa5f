"""Bars over time, as numbers for an SVG: where each thing stands. Pure.

Each outcome has a panel and a scale of its own below the others: they can be told apart without
colour, and a few refusals can be seen beside many tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH = 960
_LEFT, _RIGHT = 56, 14
_TOP, _PANEL, _GAP, _BOTTOM = 20, 84, 30, 24
_LEAST = 1.5  # the height of a bar that is not empty
_LABELS = 12  # on the axis of time, at most
_NARROWEST = 52  # between two labels of marks


@dataclass(frozen=True, slots=True)
class Value:
    """What a bar shows: a number for each panel, and for each where it leads to."""

    begin: datetime
    label: str
    numbers: Sequence[int]
    urls: Sequence[str]
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A moment to mark."""

    at: datetime
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Coordinates are text: SVG knows the point alone, whatever the language."""

    x: str
    y: str
    width: str
    height: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The bars of one outcome. `scale` is what its upper edge stands for."""

    name: str
    label: str
    total: int
    scale: int
    top: int
    base: int
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Mark:
    """A label with a line through all panels."""

    x: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label of the axis."""

    x: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All of it."""

    panels: list[Panel]
    marks: list[Mark]
    ticks: list[Tick]
    gaps: list[Bar]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    width: int = WIDTH

    @property
    def height(self) -> int:
        """Of the whole."""
        return self.panels[-1].base + _BOTTOM

    @property
    def axis(self) -> int:
        """Where the labels of the axis stand."""
        return self.height - 8


def scale_of(most: int) -> int:
    """A round number that is not less, and not much more."""
    power = 1
    while power * 10 < most:
        power *= 10
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= most)


def chart_of(
    values: Sequence[Value],
    names: Sequence[tuple[str, str]],
    events: Sequence[Event],
    time_label: Callable[[datetime], str],
    end: datetime,
) -> Chart:
    """Of at least one value, in the order of time; `names` are the panels' names and labels, and
    `end` is when the last value ends.
    """
    step = (WIDTH - _LEFT - _RIGHT) / len(values)
    xs = [_LEFT + step * number for number in range(len(values))]
    panels = [
        _panel(place, name, label, values, xs, step) for place, (name, label) in enumerate(names)
    ]
    gaps = [
        Bar(_text(x), str(_TOP), _text(step), str(panels[-1].base - _TOP), value.label, "")
        for x, value in zip(xs, values, strict=True)
        if not value.is_known
    ]
    each = -(-len(values) // _LABELS)
    ticks = [
        Tick(_text(x + step / 2), time_label(value.begin))
        for x, value in list(zip(xs, values, strict=True))[(len(values) - 1) % each :: each]
    ]
    begin = values[0].begin
    pixels = (WIDTH - _LEFT - _RIGHT) / (end - begin).total_seconds()
    marks = [(_LEFT + (event.at - begin).total_seconds() * pixels, event) for event in events]
    return Chart(panels, _marks(marks), ticks, gaps)


def _panel(
    place: int, name: str, label: str, values: Sequence[Value], xs: list[float], step: float
) -> Panel:
    top = _TOP + _GAP + place * (_PANEL + _GAP)
    base = top + _PANEL
    scale = scale_of(max(value.numbers[place] for value in values))
    bars = []
    for x, value in zip(xs, values, strict=True):
        if number := value.numbers[place]:
            height = max(number / scale * _PANEL, _LEAST)
            title = f"{value.label}: {label} {number:,}"
            margin = min(step * 0.12, 3)
            at = _text(x + margin), _text(base - height)
            size = _text(step - 2 * margin), _text(height)
            bars.append(Bar(*at, *size, title, value.urls[place]))
    total = sum(value.numbers[place] for value in values)
    return Panel(name, label, total, scale, top, base, bars)


def _marks(events: list[tuple[float, Event]]) -> list[Mark]:
    """One for events that are too near each other for a label each; it leads to the newest."""
    groups: list[list[tuple[float, Event]]] = []
    for x, event in events:
        if groups and x - groups[-1][0][0] < _NARROWEST:
            groups[-1].append((x, event))
        else:
            groups.append([(x, event)])
    marks = []
    for group in groups:
        (x, first), (_x, last) = group[0], group[-1]
        label = f"r{first.number}" if first is last else f"r{first.number}–{last.number}"
        marks.append(Mark(_text(x), label, last.url))
    return marks


def _text(pixels: float) -> str:
    return f"{pixels:.1f}"
