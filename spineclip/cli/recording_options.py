"""What is told about recordings on the command line, the same for ``analyze`` and ``replay``."""

from __future__ import annotations

from spineclip.contract.axes import check_axes
from spineclip.contract.errors import SettingsError


def columns_of(text: str) -> tuple[str, ...]:
    """Read names of columns, separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def axes_of(text: str) -> dict[str, str]:
    """Read where the axes point, such as ``x=up,y=left,z=backward``.

    Raises
    ------
    SettingsError
        If it cannot be so.
    """
    told = f"--axes {text!r}"
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip().lower() for pair in text.split(","))):
        axis, _, direction = pair.partition("=")
        if axis in found:
            raise SettingsError(f"{told} names {axis} twice", advice="Write x=up,y=left,z=backward")
        found[axis] = direction
    check_axes(found, told)
    return found


def stretch_of(text: str) -> tuple[float, float] | None:
    """Read a stretch ``FROM:TO`` in seconds; None for nothing.

    Raises
    ------
    SettingsError
        If it is not one.
    """
    if not text:
        return None
    start, _, end = text.partition(":")
    try:
        stretch = float(start), float(end)
    except ValueError:
        stretch = (0.0, 0.0)
    if not 0 <= stretch[0] < stretch[1]:
        raise SettingsError(f"--neutral cannot be {text!r}", advice="Write FROM:TO in seconds, such as 0:30")
    return stretch
