"""Where columns and values stand in a chart, its grid and its bars. Units of length are those of the SVG view boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashboards.report.svg import line, rect, text

LEFT: Final = 26.0
RIGHT: Final = 6.0
TOP: Final = 18.0
BOTTOM: Final = 20.0
"""Free space around what is drawn."""
ABOVE: Final = 8.0
"""Where the words above a chart stand."""


class Scale:
    """Where a column and a value stand in a chart."""

    def __init__(self, width: float, height: float, columns: int, top: float) -> None:
        self.width, self.height, self.columns, self.top = width, height, columns, top
        self.step = (width - LEFT - RIGHT) / columns

    def x(self, column: float) -> float:
        """Middle of a column."""
        return LEFT + (column + 0.5) * self.step

    def y(self, value: float) -> float:
        """Height of a value."""
        return self.height - BOTTOM - (self.height - BOTTOM - TOP) * value / self.top


def round_up(value: float, step: float) -> float:
    """Round a value up to a whole number of steps."""
    return step * -(-value // step)


def bar(scale: Scale, column: int, value: float, kind: str) -> str:
    """Draw a bar of a kind, cut off at the top."""
    wide = scale.step * 0.72
    y = scale.y(min(value, scale.top))
    return rect(scale.x(column) - wide / 2, y, (wide, scale.y(0) - y), kind, 1.5)


def grid(scale: Scale, values: Sequence[float]) -> list[str]:
    """Draw a line with its number for each value."""
    parts = []
    for value in values:
        parts.append(line((LEFT, scale.y(value)), (scale.width - RIGHT, scale.y(value)), "grid"))
        parts.append(text(LEFT - 4, scale.y(value) + 3, f"{value:.0f}", "small", "end"))
    return parts


def known_runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Split a row of values where one is not known: nothing is drawn across what nobody knows."""
    runs: list[list[tuple[int, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((i, value))
    return [run for run in runs if run]
