"""Which way is ahead: the plane in which a walking trunk repeats itself with every step.

Up and down and forward and back, the trunk does the same with each step; from side to side it does the opposite, since
the other leg carries it then. Half a stride later, what moves forward and back is thus alike, what moves sideways is
reversed (harmonic ratios: Menz et al. 2003, Gait Posture 18:35; autocorrelation at a step and at a stride:
Moe-Nilssen and Helbostad 2004, J Biomech 37:121). So the products of the horizontal motion with itself a step later
are greatest along forward and least across it. They do not tell forward from backward: that, `statistics.PUSH` does.

Against the documented axes of 21 people of HARTH and HAR70+ (S009's clip lay back to front) the push alone is off by
more than 27 degrees in one of ten, with the swing by more than 17; both by 7 in the median, as clips are taped on by
hand. In the chest recordings of Daily and Sports Activities the median falls from 4 to 2 degrees. A limp makes the two
sides unlike, and the swing says less.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import borrowing, compiled
from processing.grid import RATE_HZ

WINDOW_S: Final = 3
"""Seconds of walking in a row that are looked at together: two strides and more."""

SHORTEST: Final = 8
LONGEST: Final = 30
"""Samples of the grid between which a step may last: 188 down to 50 steps a minute."""

_N: Final = WINDOW_S * RATE_HZ
_ALIKE: Final = 0.4  # how like itself the rise and fall must be a step later
_AS_LIKE: Final = 0.7  # the first peak so near the highest one is the step; the highest may be the stride
_QUANTUM: Final = 2.0**20  # sums of such parts are exact in any order
_EPS: Final = 1e-12
Room = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
_PUSH_COUNTS: Final = 1.0  # the push's direction counts like the swing of one window at best


@compiled
def add(xyz_g: NDArray[np.float64], at: int, swing: NDArray[np.float64]) -> None:
    """Add what the three seconds that end with one of walking say.

    Parameters
    ----------
    xyz_g
        Shape (n, 25, 3): samples on the grid, sensor axes.
    at
        Row of the newest of the three; nothing is added where the first of them is not among the samples.
    swing
        Shape (3, 3), symmetric: sum of the horizontal motion's products with itself a step later, each window's
        divided by its energy. Added to in place.
    """
    add_in(xyz_g, at, swing, room())


@compiled
def room() -> Room:
    """Make what `add_in` works in."""
    return np.zeros(_N + LONGEST), np.empty((_N, 3)), np.empty(LONGEST + 1)


@borrowing
def add_in(xyz_g: NDArray[np.float64], at: int, swing: NDArray[np.float64], room: Room) -> None:
    """Do as `add` in the room that is there already."""
    if at < WINDOW_S - 1:
        return
    along, across, like = room
    energy, level = _apart(xyz_g[at - WINDOW_S + 1 : at + 1].reshape((_N, 3)), along, across)
    lag = _step_lag(along, like) if energy > _EPS and level > _EPS else 0
    if not lag:
        return
    share = _N / ((_N - lag) * energy)
    for a in range(3):
        for b in range(a + 1):
            total = 0.0
            for k in range(_N - lag):
                total += across[k, a] * across[k + lag, b] + across[k, b] * across[k + lag, a]
            part = np.rint(0.5 * total * share * _QUANTUM) / _QUANTUM
            swing[a, b] += part
            swing[b, a] = swing[a, b]


@borrowing
def _apart(xyz_g: NDArray[np.float64], along: NDArray[np.float64], across: NDArray[np.float64]) -> tuple[float, float]:
    """Part a window's motion, shape (75, 3), into that along its mean force and that across; give the latter's energy.

    Loops over samples.
    """
    x, y, z = 0.0, 0.0, 0.0
    for k in range(_N):
        x += xyz_g[k, 0]
        y += xyz_g[k, 1]
        z += xyz_g[k, 2]
    x, y, z = x / _N, y / _N, z / _N
    size = math.sqrt(x * x + y * y + z * z)
    up_x, up_y, up_z = x / size, y / size, z / size
    energy = 0.0
    for k in range(_N):
        dx, dy, dz = xyz_g[k, 0] - x, xyz_g[k, 1] - y, xyz_g[k, 2] - z
        v = dx * up_x + dy * up_y + dz * up_z
        dx, dy, dz = dx - v * up_x, dy - v * up_y, dz - v * up_z
        along[k] = v
        across[k, 0], across[k, 1], across[k, 2] = dx, dy, dz
        energy += dx * dx + dy * dy + dz * dz
    return energy, size


@borrowing
def _step_lag(along: NDArray[np.float64], like: NDArray[np.float64]) -> int:
    """Samples after which the rise and fall, with zeros after it, repeats itself first; 0 where it does not."""
    energy = 0.0
    for lag in range(len(like)):
        like[lag] = 0.0
    for k in range(_N):
        here, later = along[k], along[k:]  # a view: an index that is a sum would keep lags from running side by side
        energy += here * here
        for lag in range(len(like)):
            like[lag] += here * later[lag]
    for lag in range(len(like)):
        like[lag] = like[lag] * _N / ((_N - lag) * max(energy, _EPS))
    best, found = _ALIKE / _AS_LIKE, 0
    for lag in range(SHORTEST + 1, LONGEST):
        best = max(best, like[lag] if _peak(like, lag) else 0.0)
    for lag in range(LONGEST - 1, SHORTEST, -1):
        found = lag if _peak(like, lag) and like[lag] >= _AS_LIKE * best else found
    return found


@borrowing
def _peak(like: NDArray[np.float64], lag: int) -> bool:
    return bool(like[lag] >= like[lag - 1] and like[lag] >= like[lag + 1])


@borrowing
def forward(
    push: NDArray[np.float64], swing: NDArray[np.float64], up: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Write the horizontal direction in which the swing is greatest, on the side to which the push points.

    Parameters
    ----------
    push, up
        Shape (3,), of any length; `up` may be NaN, and so is the result then.
    swing
        Shape (3, 3), from `add`.
    out
        Shape (3,), unit length; NaN where no forward is known.
    """
    size = math.sqrt(_dot(up, up))
    ux, uy, uz = up[0] / size, up[1] / size, up[2] / size
    rise = push[0] * ux + push[1] * uy + push[2] * uz
    px, py, pz = push[0] - rise * ux, push[1] - rise * uy, push[2] - rise * uz
    size = math.sqrt(px * px + py * py + pz * pz)
    px, py, pz = px / size, py / size, pz / size  # NaN where there is none
    sx, sy, sz = uy * pz - uz * py, uz * px - ux * pz, ux * py - uy * px
    along = _form(swing, px, py, pz, px, py, pz) - _form(swing, sx, sy, sz, sx, sy, sz) + _PUSH_COUNTS
    aside = 2.0 * _form(swing, px, py, pz, sx, sy, sz)
    c = along / math.sqrt(along * along + aside * aside)  # cosine of twice the angle from the push
    cos, sin = math.sqrt(max(0.5 + 0.5 * c, 0.0)), math.sqrt(max(0.5 - 0.5 * c, 0.0))
    sin = -sin if aside < 0.0 else sin
    out[0], out[1], out[2] = cos * px + sin * sx, cos * py + sin * sy, cos * pz + sin * sz


@borrowing
def _form(swing: NDArray[np.float64], ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> float:
    return float(
        ax * (swing[0, 0] * bx + swing[0, 1] * by + swing[0, 2] * bz)
        + ay * (swing[1, 0] * bx + swing[1, 1] * by + swing[1, 2] * bz)
        + az * (swing[2, 0] * bx + swing[2, 1] * by + swing[2, 2] * bz)
    )


@borrowing
def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
