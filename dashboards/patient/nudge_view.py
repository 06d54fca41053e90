"""The nudge that stands right now: what it says and why. It goes by itself when the person moves."""

from __future__ import annotations

from html import escape
from typing import Final

from processing.metrics import Point

SHOWN_S: Final = 1800.0
"""A nudge that nobody followed for half an hour has been read, or never will be."""


def nudge_html(newest: Point | None, now_ns: int) -> str:
    """Write the newest ``nudge`` point, or nothing when it is over, old, or was never told."""
    if newest is None or "ended_s" in newest.fields or newest.fields.get("told") is False:
        return ""
    age_s = (now_ns - newest.time_ns) / 1e9
    if not 0 <= age_s <= SHOWN_S:
        return ""
    text, reason = (escape(str(newest.fields.get(name, ""))) for name in ("text", "reason"))
    return f"<p><strong>{text}</strong></p><p>{reason}</p>"
