"""Fields of stored points, where they are there."""

from __future__ import annotations

from processing.metrics import Point


def number(point: Point | None, name: str) -> float | None:
    """Return a field as a number; None where there is no point, no such field, or something else in it."""
    value = None if point is None else point.fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
