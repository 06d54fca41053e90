"""One time grid for every wearable: 25 samples in each whole UTC second, from anything between 10 and 400 Hz.

Accuracy does not fall between 50 Hz and 25 Hz (measured on HARTH and HAR70+), and half the samples are half the
work. A second depends on the samples within it and on its two neighbours alone, so that the way in which a stream
was cut cannot change it. Values are rounded to 2**-16 g (15 microgram, far below any sensor's noise): sums and
products of such numbers are exact in float64, so that no library's order of summation can change a bit either.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.samples import Block

RATE_HZ: Final = 25
"""Grid samples a second."""

SECOND_NS: Final = 10**9
_HALF_STEP_NS: Final = SECOND_NS // (2 * RATE_HZ)

GAP_NS: Final = SECOND_NS // 2
"""Samples further apart than this have nothing between them: a gap is never bridged."""

ENOUGH: Final = 0.8
"""Share of a second that must have been measured for the second to be looked at."""

_QUANTUM: Final = 65536.0
_LIMIT_G: Final = 64.0
_REGULAR_MIN: Final = 2 * RATE_HZ


@dataclass(frozen=True, slots=True)
class GridState:
    """What is carried from block to block: the samples from the last one before `second` on.

    `second` is the next whole second to be finished (since 1970), None before the first sample.
    """

    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]
    second: int | None = None


@dataclass(frozen=True, slots=True)
class Seconds:
    """Finished seconds without a hole between them, from `first` (seconds since 1970).

    Attributes
    ----------
    xyz_g
        Shape (n, 25, 3), g; zero in a second that is not covered.
    coverage
        Shape (n,), share of the second that was measured.
    """

    first: int
    xyz_g: NDArray[np.float64]
    coverage: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of seconds."""
        return len(self.coverage)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which seconds were measured well enough to be looked at."""
        return self.coverage >= ENOUGH


def begin() -> GridState:
    """Return the state before the first sample."""
    return GridState(np.empty(0, dtype=np.int64), np.empty((0, 3)))


def step(state: GridState, block: Block, *, last: bool = False) -> tuple[GridState, Seconds]:
    """Take samples in and hand out the seconds that they finish; with `last`, the one that has begun as well."""
    t_ns, xyz_g = _usable(state, block)
    if not len(t_ns):
        return state, Seconds(state.second or 0, np.empty((0, RATE_HZ, 3)), np.empty(0))
    first = int(t_ns[0] // SECOND_NS) if state.second is None else state.second
    stop = int(t_ns[-1] // SECOND_NS) + (1 if last else 0)
    if stop <= first:
        return GridState(t_ns, xyz_g, first), Seconds(first, np.empty((0, RATE_HZ, 3)), np.empty(0))
    if stop == first + 1:
        low, high = t_ns.searchsorted([first * SECOND_NS, stop * SECOND_NS]).tolist()
        xyz, coverage = _one(t_ns, xyz_g, first, low, high)
    else:
        bounds = np.searchsorted(t_ns, np.arange(first, stop + 1, dtype=np.int64) * SECOND_NS)
        xyz, coverage = _fill(t_ns, xyz_g, first, bounds)
        high = int(bounds[-1])
    keep = max(high - 1, 0)
    return GridState(t_ns[keep:].copy(), xyz_g[keep:].copy(), stop), Seconds(first, xyz, coverage)


def _usable(state: GridState, block: Block) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Carried and new samples; new ones that are not numbers or not newer are left out."""
    t_ns, xyz_g = block.t_ns, block.xyz_g
    if len(t_ns) and not np.isfinite(np.sum(xyz_g)):
        good = np.isfinite(xyz_g).all(axis=1)
        t_ns, xyz_g = t_ns[good], xyz_g[good]
    held = len(state.t_ns)
    if not held or _holds(t_ns, xyz_g, state):
        return t_ns, xyz_g
    if len(t_ns) and int(t_ns[0]) <= int(state.t_ns[-1]):
        newer = int(np.searchsorted(t_ns, state.t_ns[-1], side="right"))
        t_ns, xyz_g = t_ns[newer:], xyz_g[newer:]
    return np.concatenate([state.t_ns, t_ns]), np.concatenate([state.xyz_g, xyz_g])


def _holds(t_ns: NDArray[np.int64], xyz_g: NDArray[np.float64], state: GridState) -> bool:
    """Tell whether new samples begin with the carried ones: then the two need not be copied into one array."""
    held = len(state.t_ns)
    return (
        len(t_ns) > held
        and int(t_ns[0]) == int(state.t_ns[0])
        and np.array_equal(t_ns[:held], state.t_ns)
        and np.array_equal(xyz_g[:held], state.xyz_g)
    )


def _one(
    t_ns: NDArray[np.int64], xyz_g: NDArray[np.float64], first: int, low: int, high: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do as `_fill` for a single second, the samples ``[low, high)``, as a live stream brings them."""
    count = high - low
    if count >= _REGULAR_MIN and count % RATE_HZ == 0:
        apart = t_ns[low + 1 : high] - t_ns[low : high - 1]
        ideal = SECOND_NS // count
        if int(apart.max()) < ideal + ideal // 4 and int(apart.min()) > ideal - ideal // 4:
            return _averaged(xyz_g[low:high]), np.ones(1)
    return _fill(t_ns, xyz_g, first, np.array([low, high]))


def _fill(
    t_ns: NDArray[np.int64], xyz_g: NDArray[np.float64], first: int, bounds: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = len(bounds) - 1
    size = _regular(t_ns, bounds)
    starts = [0, *(np.flatnonzero(size[1:] != size[:-1]) + 1).tolist(), n]
    if len(starts) == 2 and size[0] > 0:
        return _averaged(xyz_g[bounds[0] : bounds[-1]], n), np.ones(n)
    xyz = np.zeros((n, RATE_HZ, 3))
    coverage = np.zeros(n)
    for a, b in pairwise(starts):
        if size[a] > 0:
            xyz[a:b], coverage[a:b] = _averaged(xyz_g[bounds[a] : bounds[b]], b - a), 1.0
        elif bounds[a] < bounds[b]:
            xyz[a:b], coverage[a:b] = _interpolated(t_ns, xyz_g, first + a, bounds[a : b + 1])
    return xyz, coverage


def _averaged(xyz_g: NDArray[np.float64], n: int = 1) -> NDArray[np.float64]:
    """Mean of the samples of each of 25 bins of `n` seconds whose samples fall evenly into them."""
    rows = xyz_g.reshape(n * RATE_HZ, -1, 3)
    total = np.empty((n * RATE_HZ, 3))
    for axis in range(3):  # long rows: a sum over three axes at a time is several times as slow
        np.add(rows[:, 0, axis], rows[:, 1, axis], out=total[:, axis])
        for i in range(2, rows.shape[1]):
            total[:, axis] += rows[:, i, axis]
    return _rounded(total, 1.0 / rows.shape[1]).reshape(n, RATE_HZ, 3)


def _regular(t_ns: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of samples of each second whose samples fall evenly into its 25 bins, else 0 (none) or -1."""
    count = np.diff(bounds)
    size = np.where(count > 0, -1, 0)
    even = np.flatnonzero((count >= _REGULAR_MIN) & (count % RATE_HZ == 0))
    if not len(even):
        return size
    apart = t_ns[1:] - t_ns[:-1]
    narrow, wide = int(apart.min()), int(apart.max())
    ideal = SECOND_NS // count[even]
    if wide < int(ideal.min()) + int(ideal.min()) // 4 and narrow > int(ideal.max()) - int(ideal.max()) // 4:
        size[even] = count[even]
        return size
    starts, stops = bounds[:-1][even], bounds[1:][even] - 1
    pairs = np.stack([starts, stops], axis=1).ravel()
    if pairs[-1] == len(apart):
        apart = np.append(apart, apart[-1])
    widest, closest = np.maximum.reduceat(apart, pairs)[::2], np.minimum.reduceat(apart, pairs)[::2]
    steady = (widest < ideal + ideal // 4) & (closest > ideal - ideal // 4)
    size[even[steady]] = count[even[steady]]
    return size


def _interpolated(
    t_ns: NDArray[np.int64], xyz_g: NDArray[np.float64], first: int, bounds: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each grid value as the mean of two points on the lines between neighbouring samples."""
    n = len(bounds) - 1
    low, high = max(int(bounds[0]) - 1, 0), min(int(bounds[-1]) + 1, len(t_ns))
    near, values = t_ns[low:high] - first * SECOND_NS, xyz_g[low:high]
    points = np.arange(2 * RATE_HZ * n, dtype=np.int64) * _HALF_STEP_NS + _HALF_STEP_NS // 2
    after = np.searchsorted(near, points)
    inside = (after > 0) & (after < len(near))
    right = np.minimum(after, len(near) - 1)
    left = np.maximum(right - 1, 0)
    apart = near[right] - near[left]
    good = inside & (apart <= GAP_NS) & (apart > 0)
    share = np.where(good, (points - near[left]) / np.maximum(apart, 1), 0.0)
    line = values[left] + (values[right] - values[left]) * share[:, None]
    seen = good.reshape(n, 2 * RATE_HZ)
    coverage = seen.sum(axis=1) / (2 * RATE_HZ)
    partly = np.flatnonzero((coverage < 1.0) & (coverage >= ENOUGH))
    line = line.reshape(n, 2 * RATE_HZ, 3)
    for row in partly.tolist():  # few: seconds at the edge of a gap hold their nearest measured value
        known = np.flatnonzero(seen[row])
        here = np.arange(2 * RATE_HZ)
        after_known = np.minimum(np.searchsorted(known, here), len(known) - 1)
        before_known = np.maximum(after_known - 1, 0)
        closer = np.abs(known[before_known] - here) < np.abs(known[after_known] - here)
        line[row] = line[row, known[np.where(closer, before_known, after_known)]]
    xyz = _rounded(line[:, 0::2] + line[:, 1::2], 0.5)
    xyz[coverage < ENOUGH] = 0.0
    return xyz, coverage


def _rounded(values: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Scale to multiples of 2**-16 g, held within +-64 g."""
    np.multiply(values, scale * _QUANTUM, out=values)
    np.rint(values, out=values)
    np.multiply(values, 1.0 / _QUANTUM, out=values)
    return values.clip(-_LIMIT_G, _LIMIT_G, out=values)
