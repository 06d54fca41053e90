"""How the clip sits on the body: which way its axes point, and what its sensor makes of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DIRECTIONS: Final = {
    "up": (1.0, 0.0, 0.0),
    "down": (-1.0, 0.0, 0.0),
    "right": (0.0, 1.0, 0.0),
    "left": (0.0, -1.0, 0.0),
    "forward": (0.0, 0.0, 1.0),
    "backward": (0.0, 0.0, -1.0),
}
Matrix = NDArray[np.float64]

AXES: Final[Mapping[str, str]] = {"x": "up", "y": "left", "z": "backward"}
"""How a clip is worn unless said otherwise (as in the IMU Sitting Postures Dataset)."""


@dataclass(frozen=True)
class Mount:
    """One way of wearing the clip.

    Attributes
    ----------
    rotation
        Shape (3, 3): rows are the sensor's x, y, z in the body's (up, right, forward).
    gain, offset_g
        Per axis: what the sensor reads is ``gain * truth + offset``.
    noise_g
        SD of the sensor's own white noise.
    """

    rotation: Matrix
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset_g: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise_g: float = 0.004

    @staticmethod
    def named(axes: Mapping[str, str] = AXES, **sensor: object) -> Mount:
        """Wear it with named axes, such as ``{"x": "up", "y": "left", "z": "backward"}``.

        Raises
        ------
        ValueError
            If the directions are not three at right angles, or mirror the body.
        """
        rows = np.array([_DIRECTIONS[axes[axis]] for axis in "xyz"])
        if not np.isclose(np.linalg.det(rows), 1.0):
            raise ValueError(f"no sensor can have its axes at {dict(axes)}")
        return Mount(rows, **sensor)  # type: ignore[arg-type]

    @staticmethod
    def turned(seed: int, **sensor: object) -> Mount:
        """Wear it turned in any way at all."""
        return Mount(random_rotation(np.random.default_rng([seed, 11])), **sensor)  # type: ignore[arg-type]

    def reclipped(self, seed: int, times: int, *, turned: bool) -> Mount:
        """Wear the same clip after it was taken off and put on anew for the `times`-th time.

        It lies flat again, some degrees off; `turned` otherwise than before, or else as the wearer is used to.
        """
        rng = np.random.default_rng([seed, 17, times])
        spin = about(2, float(rng.uniform(60.0, 300.0) if turned else rng.normal(0.0, 4.0)))
        tilt = about(1, float(rng.normal(0.0, 5.0))) @ about(0, float(rng.normal(0.0, 5.0)))
        return Mount(self.rotation @ tilt @ spin, self.gain, self.offset_g, self.noise_g)

    def read(self, body_g: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn body axes (up, right, forward), shape (n, 3), into what the sensor reads (noise is not added here)."""
        columns = [
            (body_g[:, 0] * row[0] + body_g[:, 1] * row[1] + body_g[:, 2] * row[2]) * gain + offset
            for row, gain, offset in zip(self.rotation, self.gain, self.offset_g, strict=True)
        ]
        return np.stack(columns, axis=1)


def about(axis: int, degrees: float) -> Matrix:
    """Make the rotation about body axis 0 (up), 1 (right) or 2 (forward) by the right-hand rule."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def random_rotation(rng: np.random.Generator) -> Matrix:
    """Draw a rotation uniformly (QR of a normal matrix: Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q)
