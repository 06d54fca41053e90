"""A body seen from the side, at the tilt that was measured, and from behind, leaning as it leans.

The drawing of a pose never changes; how far it bends is in CSS variables outside of it, so that a browser turns the
trunk smoothly instead of drawing everything anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LIMIT_DEG: Final = 100.0
"""Nobody bends further; a reading beyond is drawn at the limit."""
_PLUMB_FROM_DEG: Final = 5.0
"""From this tilt on a dotted line shows where straight would be."""
_ROUND_LOW: Final = -0.35
"""In a round back the pelvis tips backwards while the chest comes forward; a look, not a measurement."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What to draw.

    Attributes
    ----------
    pose
        A state's name; anything without a drawing of its own is drawn standing and pale.
    flexion_deg, lateral_deg
        Trunk against neutral, forward and to the right positive; None when not known (drawn straight).
    round_back
        Whether the upper trunk bends more than the lower.
    sure
        False draws the body pale.
    """

    pose: str
    flexion_deg: float | None = None
    lateral_deg: float | None = None
    round_back: bool = False
    sure: bool = True

    @property
    def css(self) -> str:
        """Angles as CSS variables: lower trunk, upper trunk against the lower, and lean to the right."""
        flexion = _clamp(self.flexion_deg)
        low = _ROUND_LOW * flexion if self.round_back else flexion
        plumb = 0.7 if abs(flexion) >= _PLUMB_FROM_DEG else 0
        return (
            f"--low: {low:.0f}deg; --up: {flexion - low:.0f}deg; --lean: {_clamp(self.lateral_deg):.0f}deg; "
            f"--plumb: {plumb}"
        )

    @property
    def svg(self) -> str:
        """The drawing: the body from the side, and from behind where a lean is known."""
        body = _POSES.get(self.pose, _POSES["standing"])
        pale = "" if self.sure and self.pose in _POSES else " pale"
        behind = _BEHIND if self.lateral_deg is not None else ""
        return (
            f'<svg class="body{pale}" viewBox="0 0 260 232" aria-hidden="true" focusable="false">{body}{behind}</svg>'
        )


def _clamp(degrees: float | None) -> float:
    return 0.0 if degrees is None else max(-_LIMIT_DEG, min(_LIMIT_DEG, degrees))


def _trunk(x: int, y: int, hand: str) -> str:
    """Draw trunk, head and arm above a hip at (x, y); the upper part turns about the middle of the back."""
    waist, shoulder, head = y - 30, y - 62, y - 96
    return (
        f'<g class="low" style="transform-origin:{x}px {y}px">'
        f'<path class="limb trunk" d="M{x} {y}V{waist}"/>'
        f'<g class="up" style="transform-origin:{x}px {waist}px">'
        f'<path class="limb trunk" d="M{x} {waist}V{shoulder}"/>'
        f'<circle class="head" cx="{x + 3}" cy="{head}" r="17"/>'
        f'<path class="limb arm" d="M{x} {shoulder + 2}{hand}"/>'
        f'<rect class="clip" x="{x + 7}" y="{shoulder + 8}" width="9" height="14" rx="3"/>'
        "</g></g>"
    )


def _plumb(x: int, y: int) -> str:
    return f'<path class="plumb" d="M{x} {y - 6}V{y - 124}"/>'


_GROUND: Final = '<path class="thing" d="M20 224H180"/>'
_STANDING: Final = (
    f'{_GROUND}{_plumb(100, 136)}<path class="limb" d="M100 136V178V216h14"/>{_trunk(100, 136, "l-5 30 9 28")}'
)
_SITTING: Final = (
    f"{_GROUND}"
    '<path class="thing" d="M52 104l8 74M60 178h72M66 178l-8 46M126 178l4 46"/>'
    f"{_plumb(86, 156)}"
    f'<path class="limb" d="M86 158H142V216h14"/>{_trunk(86, 156, "l2 30 34 8")}'
)


def _striding(step: str) -> str:
    def leg(look: str, limb: str) -> str:
        turn = "transform-origin:100px 136px"
        return f'<g class="stride {look}" style="{turn}"><path class="limb{limb}" d="M100 136V178V214h13"/></g>'

    return _GROUND + leg(f"{step} back", " far") + leg(step, "") + _trunk(100, 136, "l-12 26 16 24")


_LYING: Final = (
    '<path class="thing" d="M14 214H214M24 214v10M204 214v10"/>'
    '<rect class="thing soft" x="14" y="196" width="38" height="16" rx="7"/>'
    '<circle class="head" cx="36" cy="178" r="17"/>'
    '<path class="limb trunk" d="M68 192H126"/><path class="limb" d="M130 195H168H206"/>'
    '<path class="limb arm" d="M72 192l30 -5 26 8"/><rect class="clip" x="80" y="177" width="14" height="9" rx="3"/>'
)
_CYCLING: Final = (
    f"{_GROUND}"
    '<g class="thing wheel"><circle cx="52" cy="194" r="29"/><circle cx="156" cy="194" r="29"/></g>'
    '<path class="thing" d="M52 194L86 150H140L104 194ZM156 194L138 136h12M80 146h16"/>'
    '<path class="limb" d="M88 142L122 164L106 200h12"/>'
    '<g style="transform:rotate(38deg);transform-origin:88px 140px">' + _trunk(88, 140, "l28 0 22 -18") + "</g>"
)
_NOT_WORN: Final = (
    '<path class="thing" d="M40 190H160M60 190v34M140 190v34"/>'
    '<rect class="clip" x="86" y="162" width="28" height="27" rx="8"/>'
    '<path class="thing" d="M94 162v-8h12v8"/>'
)
_BEHIND: Final = (
    '<g class="behind" transform="translate(178 88) scale(.6)">'
    '<path class="limb" d="M44 138V216M64 138V216"/>'
    '<g class="lean" style="transform-origin:54px 138px">'
    '<path class="limb trunk wide" d="M54 134V78"/>'
    '<path class="limb arm" d="M36 82l-6 54M72 82l6 54"/>'
    '<circle class="head" cx="54" cy="42" r="17"/></g></g>'
)
_POSES: Final = {
    "sitting": _SITTING,
    "standing": _STANDING,
    "active": _striding("calm"),
    "walking": _striding("walk"),
    "running": _striding("run"),
    "cycling": _CYCLING,
    "lying": _LYING,
    "not_worn": _NOT_WORN,
}
