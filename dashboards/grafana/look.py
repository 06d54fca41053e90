"""Colours and words: the same in every panel.

The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any of the common
colour-blindnesses tell apart. Colour never stands alone: every state is written in words as well.
"""

from __future__ import annotations

from typing import Any, Final

from processing.epochs import Posture, State

INK: Final = "text"
"""Grafana's own name for the colour of its text: black on a light page, white on a dark one."""
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#9A9A9A"
FAINT: Final = "#D0D0D0"

_STATES: Final = {
    State.WALKING: ("walking", GREEN),
    State.RUNNING: ("running", YELLOW),
    State.CYCLING: ("cycling", PURPLE),
    State.ACTIVE: ("on the move", SKY),
    State.STANDING: ("standing", BLUE),
    State.SITTING: ("sitting", ORANGE),
    State.LYING: ("lying", VERMILION),
    State.NOT_WORN: ("not worn", GREY),
    State.UNKNOWN: ("not sure", FAINT),
}
_POSTURES: Final = {
    Posture.UPRIGHT: ("upright", GREEN),
    Posture.SLOUCHED: ("slouched", VERMILION),
    Posture.LEANING_FORWARD: ("leaning forward", ORANGE),
    Posture.LEANING_LEFT: ("leaning left", PURPLE),
    Posture.LEANING_RIGHT: ("leaning right", SKY),
    Posture.RECLINED: ("reclined", BLUE),
    Posture.UNKNOWN: ("not sure", FAINT),
}


def state_words() -> list[dict[str, Any]]:
    """Return the mapping of stored states to words and colours."""
    return _mapping({str(state): pair for state, pair in _STATES.items()})


def posture_words() -> list[dict[str, Any]]:
    """Return the mapping of stored postures to words and colours."""
    return _mapping({str(posture): pair for posture, pair in _POSTURES.items()})


def _mapping(words: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    options = {
        stored: {"text": text, "color": color, "index": at} for at, (stored, (text, color)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]
