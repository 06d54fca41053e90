"""Where the axes of a clip's sensor point on its wearer, by name: ``{"x": "up", "y": "left", "z": "backward"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from spineclip.contract.errors import SettingsError

DIRECTIONS: Final = ("up", "down", "left", "right", "forward", "backward")
"""Where an axis can point; each direction stands beside its opposite."""
_EXAMPLE: Final = "x=up,y=left,z=backward"


def check_axes(axes: Mapping[str, str], told: str) -> None:
    """Check that a sensor can point so; axes that nobody has told are left out.

    Parameters
    ----------
    told
        What the reader has written, for the message.

    Raises
    ------
    SettingsError
        If an axis or a direction does not exist, or two axes lie along one line of the body.
    """
    if not (axes.keys() <= set("xyz") and set(axes.values()) <= set(DIRECTIONS)):
        raise SettingsError(
            f"{told} does not say where a sensor's axes point",
            advice=f"Write {_EXAMPLE}, with directions out of {', '.join(DIRECTIONS)}",
        )
    if len({DIRECTIONS.index(direction) // 2 for direction in axes.values()}) < len(axes):
        raise SettingsError(f"{told} names one line of the body twice", advice=f"Write {_EXAMPLE}")
