"""Charts as SVG in the pages' own styles: nothing in them runs or styles, and each has its table beside it. Pure.

Sizes are those of the drawing; browsers scale it. Shares are from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

LEFT, RIGHT, TOP, BOTTOM = 36.0, 436.0, 12.0, 168.0
LABELS = 186.0
WIDTH, HEIGHT = 440.0, 192.0
GAP = 0.36
"""Part of a column's place that stays empty."""

CELL, CELL_LEFT, CELL_BELOW = 34.0, 192.0, (40.0, 5.0)
"""Of a matrix: the side of a cell, and the room for names beside and below, the latter at least and for each letter; in
the larger letters of phones."""

LONGEST_NAME = 22
FAINTEST, STRONGEST = 0.08, 0.5
"""Of cells: the number in one is read on the strongest, too."""

STEPS = (1, 2, 5)
MOST_LINES = 5

_DRAWING = Markup('<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>')
_LINE = Markup('<path class="grid" d="M{:.0f} {:.1f}H{:.0f}"/><text class="ax end" x="30" y="{:.1f}">{}</text>')
_LABEL = Markup('<text class="ax mid" x="{:.1f}" y="{:.0f}">{}</text>')
_GOAL = Markup('<path class="goal" d="M{:.0f} {:.1f}L{:.0f} {:.1f}"/>')
_BOX = Markup('<rect class="s{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
_CELL = Markup(
    '<g><title>{}</title><rect class="s1" x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}" fill-opacity="{:.2f}"/>'
    '<text class="in mid" x="{:.0f}" y="{:.0f}">{}</text></g>'
)
_ROW = Markup('<text class="ax end" x="{:.0f}" y="{:.0f}"><title>{}</title>{}</text>')
_COLUMN = Markup('<text class="ax end" transform="translate({:.0f} {:.0f}) rotate(-45)"><title>{}</title>{}</text>')
_SPARK = Markup(
    '<svg class="spark" viewBox="0 0 80 20" width="80" height="20" role="img" aria-label="{}"><path d="M{}"/>'
    '<circle cx="{:.1f}" cy="{:.1f}" r="2"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Point:
    """A share with its interval, None where there is none to show; `title` is read out."""

    label: str
    title: str
    share: float | None = None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Column:
    """Counts on top of each other."""

    label: str
    title: str
    counts: tuple[int, ...]


def height(value: float, low: float, high: float) -> float:
    """Return where on the drawing a value lies between the lowest and the highest one."""
    return BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)


def places(count: int) -> list[float]:
    """Return the middle of each of so many columns."""
    width = (RIGHT - LEFT) / max(count, 1)
    return [LEFT + width * (place + 0.5) for place in range(count)]


def lines(highest: int) -> list[int]:
    """Return round numbers from 0 to at least the highest count, few enough to be read."""
    step, power = 1, 1
    while highest > step * MOST_LINES:
        following = STEPS.index(step // power) + 1
        power = power * 10 if following == len(STEPS) else power
        step = power * STEPS[following % len(STEPS)]
    return [number * step for number in range(max(-(-highest // step), 1) + 1)]


def intervals(points: Sequence[Point], label: str, goal: float | None = None, diagonal: bool = False) -> Markup:
    """Draw shares with their intervals, and the one that is asked for, or the diagonal where place and share agree."""
    shown = [point for point in points if point.share is not None]
    lowest = min([0.5, goal or 0.5, *(point.low for point in shown)])
    low = 0.0 if diagonal else int(lowest * 10) / 10
    tenths = range(round(low * 10), 11, 1 if low else 2)
    parts = [_grid(height(tenth / 10, low, 1.0), f"{tenth * 10}") for tenth in tenths]
    if goal is not None:
        at = height(goal, low, 1.0)
        parts.append(_GOAL.format(LEFT, at, RIGHT, at))
    if diagonal:
        parts.append(_GOAL.format(LEFT, BOTTOM, RIGHT, TOP))
    for x, point in zip(places(len(points)), points, strict=True):
        if point.share is not None:
            ends = height(point.low, low, 1.0), height(point.high, low, 1.0)
            band = Markup('<path class="band" d="M{:.1f} {:.1f}V{:.1f}"/>').format(x, *ends)
            dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4"/>').format(x, height(point.share, low, 1.0))
            parts.append(Markup('<g class="pt"><title>{}</title>{}{}</g>').format(point.title, band, dot))
        parts.append(_below(x, point.label))
    return _drawing(parts, label)


def stacks(columns: Sequence[Column], label: str, figure: Callable[[int], str] = str) -> Markup:
    """Draw columns of counts, written by `figure`; the first lies at the bottom."""
    marks = lines(max((sum(column.counts) for column in columns), default=0))
    top = float(marks[-1])
    parts = [_grid(height(mark, 0.0, top), figure(mark)) for mark in marks]
    width = (RIGHT - LEFT) / max(len(columns), 1) * (1 - GAP)
    for x, column in zip(places(len(columns)), columns, strict=True):
        boxes, below = [], 0
        for number, count in enumerate(column.counts, 1):
            ends = height(below + count, 0.0, top), height(below, 0.0, top)
            boxes.append(_BOX.format(number, x - width / 2, ends[0], width, ends[1] - ends[0]))
            below += count
        parts.append(Markup("<g><title>{}</title>{}</g>").format(column.title, Markup("").join(boxes)))
        parts.append(_below(x, column.label))
    return _drawing(parts, label)


def matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    label: str,
    figure: Callable[[int], str] = str,
) -> Markup:
    """Draw how often each row went with each column: the more often, the stronger its cell."""
    most = max(counts.values(), default=0) or 1
    parts = []
    for y, row in enumerate(rows):
        at = y * CELL
        parts.append(_ROW.format(CELL_LEFT - 8, at + CELL / 2 + 4, row, _short(row)))
        for x, column in enumerate(columns):
            if count := counts.get((row, column), 0):
                left, strength = CELL_LEFT + x * CELL, FAINTEST + (STRONGEST - FAINTEST) * count / most
                box = left + 1, at + 1, CELL - 2, CELL - 2, strength, left + CELL / 2, at + CELL / 2 + 4
                parts.append(_CELL.format(f"{row} → {column}: {figure(count)}", *box, figure(count)))
    low = len(rows) * CELL
    for x, column in enumerate(columns):
        parts.append(_COLUMN.format(CELL_LEFT + (x + 0.5) * CELL, low + 14, column, _short(column)))
    width = CELL_LEFT + len(columns) * CELL + 8
    below = CELL_BELOW[0] + CELL_BELOW[1] * max((len(_short(column)) for column in columns), default=0)
    return _DRAWING.format(max(width, WIDTH), low + below, label, Markup("\n").join(parts))


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def spark(shares: Sequence[float], highest: float, label: str) -> Markup:
    """Draw a small line of shares on a scale that several of them have in common."""
    step = 76.0 / max(len(shares) - 1, 1)
    at = [(2 + step * place, 18 - share / (highest or 1.0) * 16) for place, share in enumerate(shares)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
    return _SPARK.format(label, path, *at[-1]) if at else Markup("")


def _grid(y: float, text: str) -> Markup:
    return _LINE.format(LEFT, y, RIGHT, y + 4, text)


def _below(x: float, text: str) -> Markup:
    return _LABEL.format(x, LABELS, text)


def _drawing(parts: Sequence[Markup], label: str) -> Markup:
    return _DRAWING.format(WIDTH, HEIGHT, label, Markup("\n").join(parts))
