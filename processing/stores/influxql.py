"""Conditions of InfluxQL."""

from __future__ import annotations

from processing.metrics import Point


def quoted(text: str) -> str:
    """Write a text as InfluxQL does."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def exactly(point: Point) -> str:
    """Write the condition that one point alone meets, within its measurement."""
    tags = " AND ".join(f'"{tag}" = {quoted(value)}' for tag, value in sorted(point.tags.items()))
    return f"{tags} AND time = {point.time_ns:d}"
