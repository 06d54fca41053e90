"""The little of SVG that the charts need: text that is escaped, numbers that are short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

_INK, _SOFT, _NOW, _BEFORE, _PLAN = "#1c2a33", "#55646e", "#0b6e69", "#9db8c9", "#b4480f"
_FONT: Final = "DejaVu Sans, Noto Sans, Verdana, sans-serif"
_LOOK: Final[Mapping[str, Mapping[str, str | float]]] = {
    "now": {"fill": _NOW},
    "before": {"fill": _BEFORE},
    "thin": {"fill": "#ffffff", "stroke": "#7d8d97", "stroke_width": 0.8, "stroke_dasharray": "2 1.4"},
    "pale": {"fill": "#d0e0e1"},
    "rest": {"fill": "#e6ebee"},
    "grid": {"stroke": "#dde4e8", "stroke_width": 0.6},
    "divide": {"stroke": "#7d8d97", "stroke_width": 0.8, "stroke_dasharray": "3 2"},
    "plan": {"fill": "none", "stroke": _PLAN, "stroke_width": 1.8},
    "pain": {"fill": "none", "stroke": _PLAN, "stroke_width": 1},
    "dot": {"fill": _PLAN},
    "beforeline": {"fill": "none", "stroke": "#557a92", "stroke_width": 1.6},
    "small": {"font_size": 8, "font_family": _FONT, "fill": _SOFT},
    "label": {"font_size": 9.5, "font_family": _FONT, "fill": _INK},
    "inbar": {"font_size": 9.5, "font_family": _FONT, "fill": "#ffffff", "font_weight": "bold"},
    "inbefore": {"font_size": 9.5, "font_family": _FONT, "fill": _INK, "font_weight": "bold"},
}
"""How each kind of mark looks: as attributes, because WeasyPrint keeps a page's style sheet out of its SVG. Text keeps
a contrast of 4.5 to 1."""


def tag(name: str, attributes: Mapping[str, str | float], content: str = "") -> str:
    """Write an element; in attribute names ``_`` stands for ``-``."""
    words = " ".join(f'{key.replace("_", "-")}="{escape(number(value))}"' for key, value in attributes.items())
    return f"<{name} {words}>{content}</{name}>" if content else f"<{name} {words}/>"


def number(value: str | float) -> str:
    """Write a number with at most two decimals; text stays as it is."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def rect(x: float, y: float, size: tuple[float, float], kind: str, radius: float = 0.0) -> str:
    """Draw a rectangle of a kind; `size` is its width and height."""
    width, height = size
    return tag("rect", {"x": x, "y": y, "width": width, "height": max(height, 0.0), "rx": radius, **_LOOK[kind]})


def line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    """Draw a line of a kind."""
    return tag("line", {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1], **_LOOK[kind]})


def text(x: float, y: float, words: str, kind: str, anchor: str = "middle") -> str:
    """Write words at a place, as they are."""
    return tag("text", {"x": x, "y": y, "text_anchor": anchor, **_LOOK[kind]}, escape(words))


def circle(x: float, y: float, radius: float, kind: str) -> str:
    """Draw a dot of a kind."""
    return tag("circle", {"cx": x, "cy": y, "r": radius, **_LOOK[kind]})


def path(points: Iterable[tuple[float, float]], kind: str) -> str:
    """Draw straight lines from point to point."""
    steps = " ".join(f"{'M' if i == 0 else 'L'}{number(x)} {number(y)}" for i, (x, y) in enumerate(points))
    return tag("path", {"d": steps, **_LOOK[kind]}) if steps else ""


def chart(width: float, height: float, says: str, content: Iterable[str]) -> str:
    """Put a chart together; `says` is what it shows, for those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'aria-label="{escape(says)}">{"".join(content)}</svg>'
    )
