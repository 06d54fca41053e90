"""Units of a recording's axes: converted when named, never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spineclip.contract.errors import RecordingError, SettingsError

STANDARD_GRAVITY: Final = 9.80665
"""m/s2 in one g: CGPM 1901, resolution 2 (BIPM, SI brochure, 9th edition)."""
_G_PER: Final = {"g": 1.0, "mg": 1e-3, "m/s2": 1.0 / STANDARD_GRAVITY}


def to_g(values: NDArray[np.float64], units: str) -> NDArray[np.float64]:
    """Convert to g.

    Raises
    ------
    SettingsError
        If the unit is none of ``g``, ``mg``, ``m/s2``.
    """
    if units not in _G_PER:
        raise SettingsError(f"{units!r} is not a unit of acceleration", advice="Use g, mg or m/s2")
    return values if units == "g" else values * _G_PER[units]


def check_gravity(path: Path, values: NDArray[np.float64], units: str) -> None:
    """Check that what is measured most of the time is about one g in the unit that was named.

    A worn clip feels gravity all day long; cheap sensors read it as 0.75 to 1.06 g (HARTH recordings at rest), so that
    a median norm beyond a factor of two says that the unit is another one. An axis that reads 0 all the time is no
    question of units and passes.

    Parameters
    ----------
    path
        Named in the error.
    values
        As in the file, shape (n, 3), finite.
    units
        What they are said to be.

    Raises
    ------
    RecordingError
        If they look like another unit.
    """
    median = float(np.median(np.linalg.norm(values, axis=1)))
    in_g = median * _G_PER[units]
    if median == 0.0 or 0.5 <= in_g <= 2.0:
        return
    for other, factor in _G_PER.items():
        if 0.5 <= median * factor <= 2.0:
            raise RecordingError(
                f"{path}: the samples have a median length of {median:.4g}, which looks like {other}, not like {units}",
                advice=f"Read it with --units {other}",
            )
    if in_g > 4.0:
        raise RecordingError(
            f"{path}: the samples have a median length of {median:.4g} {units}, and a body at rest feels 1 g",
            advice="Raw counts have to be turned into g, mg or m/s2 first (see the sensor's counts per g)",
        )
    if in_g < 0.2:
        raise RecordingError(
            f"{path}: the samples have a median length of {median:.4g} {units}: gravity is not in them",
            advice="Export the raw acceleration, not one with gravity taken out (linear acceleration)",
        )
