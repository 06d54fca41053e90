"""What is kept of a second: some seventy numbers that everything later is made from.

A second's 25 samples are laid out in cosines (DCT-II) and, for the rhythm of steps, in waves from 0.5 to 5.75 Hz.
Both are products with small tables of rounded numbers; since the samples are rounded too (see `processing.grid`),
the products are exact, whatever the library and the cutting. Nothing is filtered over time, so nothing rings after
a gap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import rows
from processing.grid import RATE_HZ, Seconds

BANDS: Final = ((1, 2), (2, 7), (7, 17), (17, 25))
"""Cosine numbers (half Hz each) of the four bands: 0.5, 1-3, 3.5-8 and 8.5-12 Hz."""

WAVE_HZ: Final = np.arange(2, 24) * 0.25
"""Frequencies of the rhythm, a quarter Hz apart: whole periods in four seconds."""

COVERED: Final = 0
GRAVITY: Final = slice(1, 4)
VERTICAL: Final = slice(4, 8)
TOTAL: Final = slice(8, 12)
MAD: Final = 12
FLAT: Final = 13
WALK: Final = 14
PUSH: Final = slice(15, 18)
COLUMNS: Final = 18
"""Columns of the table of seconds: measured at all; mean specific force (3); energy along it by band (4); energy of
all axes by band (4), g2; mean amplitude deviation of the norm, g; largest value of any axis, g; number of axes that
did not change at all."""

_TABLE_QUANTUM: Final = 16384.0
_SAMPLE_QUANTUM: Final = 65536.0
"""Samples are whole multiples of 1 / this, g; so are cosines and the norm, once rounded."""
_MEAN_QUANTUM: Final = 16 * _SAMPLE_QUANTUM
_ENERGY_QUANTUM: Final = 1.0 / _SAMPLE_QUANTUM**2
_PIECE: Final = 300
"""Seconds that stay in the processor's cache, and on one core (see `processing.products`); no power of two, whose rows
would push each other out of the cache."""


def _cosines() -> NDArray[np.float64]:
    n, k = np.arange(RATE_HZ)[:, None], np.arange(1, RATE_HZ)[None, :]
    table = np.sqrt(2.0) / RATE_HZ * np.cos(np.pi * (n + 0.5) * k / RATE_HZ)
    return np.asarray(np.rint(table * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _waves() -> NDArray[np.float64]:
    t = (np.arange(RATE_HZ) + 0.5)[:, None] / RATE_HZ
    turn = 2.0 * np.pi * WAVE_HZ[None, :] * t
    table = np.concatenate([np.cos(turn), np.sin(turn)], axis=1) / RATE_HZ
    return np.asarray(np.rint(table * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _steps() -> NDArray[np.float64]:
    t = (np.arange(RATE_HZ) + 0.5)[:, None] / RATE_HZ
    turn = 2.0 * np.pi * _STEP_HZ[None, :] * t
    table = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    table -= table.mean(axis=0)
    return np.asarray(np.rint(table / RATE_HZ * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _turned_waves() -> NDArray[np.float64]:
    """Tabulate waves, shape (4, 25, 44), turned back by the second's number, for samples in whole quanta.

    A wave of k quarter hertz turns by k quarters of a circle a second: turned back by the second's own number, waves
    of neighbouring seconds can simply be added.
    """
    waves, count = _waves() / _SAMPLE_QUANTUM, len(WAVE_HZ)
    quarters = np.rint(WAVE_HZ * 4).astype(np.int64)[None, :] * np.arange(4)[:, None] % 4
    cos, sin = np.array([1.0, 0.0, -1.0, 0.0])[quarters], np.array([0.0, 1.0, 0.0, -1.0])[quarters]
    real, imag = waves[:, :count], waves[:, count:]
    return np.concatenate(
        [real * cos[:, None] - imag * sin[:, None], real * sin[:, None] + imag * cos[:, None]], axis=2
    )


def _parts() -> NDArray[np.float64]:
    """Tabulate the sum, the cosines and the waves of steps, shape (33, 25)."""
    table = np.concatenate([np.ones((RATE_HZ, 1)), _cosines(), _steps() / _SAMPLE_QUANTUM], axis=1)
    return np.ascontiguousarray(table.T)


_STEP_HZ: Final = np.array([1.5, 1.75, 2.0, 2.25])
_TURNED: Final = _turned_waves()
_PARTS: Final = _parts()


def statistics(seconds: Seconds) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take the numbers of each second.

    Returns
    -------
    table
        Shape (n, `COLUMNS`); zero in a second that is not covered.
    waves
        Shape (n, 2 x 22): cosine and sine part of the norm at each of `WAVE_HZ`, g, in one phase for all seconds.
    """
    n = len(seconds)
    if n <= _PIECE:
        return _piece(seconds.xyz_g, seconds.covered, seconds.first)
    table, waves, covered = np.empty((n, COLUMNS)), np.empty((n, 2 * len(WAVE_HZ))), seconds.covered
    for a in range(0, n, _PIECE):
        here = slice(a, a + _PIECE)
        table[here], waves[here] = _piece(seconds.xyz_g[here], covered[here], seconds.first + a)
    return table, waves


def _piece(
    xyz_g: NDArray[np.float64], covered: NDArray[np.bool_], first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = len(xyz_g)
    xyz = np.empty((3, RATE_HZ, n))  # seconds last: long rows for every sum; in whole quanta: nothing to scale later
    np.copyto(xyz.transpose(2, 1, 0), xyz_g)
    xyz *= _SAMPLE_QUANTUM
    parts = np.matmul(_PARTS, xyz)
    gravity = np.rint(parts[:, 0] * (16 / RATE_HZ))
    gravity *= 1.0 / _MEAN_QUANTUM
    mean = rows.unpacked(gravity)
    size = rows.at_least(rows.root(rows.dot(mean, mean)), 1e-6)
    cosines, steps = parts[:, 1:RATE_HZ], parts[:, RATE_HZ:]
    np.rint(cosines, out=cosines)
    along = parts[0, 1:] * (mean[0] / size)
    pulled = parts[1, 1:] * (mean[1] / size)
    along += pulled
    along += np.multiply(parts[2, 1:], mean[2] / size, out=pulled)
    energy = np.empty((RATE_HZ - 1, 2, n))
    vertical, total = energy[:, 0], energy[:, 1]
    np.multiply(along[: RATE_HZ - 1], along[: RATE_HZ - 1], out=vertical)
    cosines *= cosines
    np.add(cosines[0], cosines[1], out=total)
    total += cosines[2]
    norm = _norm(xyz)
    deviation = norm - np.add.reduce(norm) / RATE_HZ
    columns = np.zeros((COLUMNS, n))
    columns[COVERED], columns[GRAVITY] = covered, gravity
    bands = columns[VERTICAL.start : TOTAL.stop].reshape(2, len(BANDS), n)
    for band, (a, b) in enumerate(BANDS):
        bands[:, band] = rows.halved(energy[a - 1 : b - 1])
    bands *= _ENERGY_QUANTUM
    columns[MAD] = rows.summed(np.abs(deviation, out=deviation)) / RATE_HZ * (1.0 / _SAMPLE_QUANTUM)
    columns[FLAT] = _flat_axes(xyz)
    columns[PUSH] = _push(steps, along[RATE_HZ - 1 :])
    if not covered.all():
        columns[:, ~covered] = 0.0
    return columns.T, _turned(norm, first)


def _norm(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of each sample, from shape (3, 25, n) to (25, n), in whole quanta."""
    squares = xyz * xyz
    norm = np.add(squares[0], squares[1], out=squares[0])
    norm += squares[2]
    np.sqrt(norm, out=norm)
    return np.asarray(np.rint(norm, out=norm))


def _turned(norm: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Waves of the norm of each second, shape (25, n), turned back by its number; gives shape (n, 44)."""
    n = norm.shape[1]
    if n == 1:
        return np.asarray(norm.T @ _TURNED[first % 4])
    turned = np.empty((n, 2 * len(WAVE_HZ)))
    seconds = np.ascontiguousarray(norm.T)
    for k in range(min(4, n)):
        np.matmul(seconds[k::4], _TURNED[(first + k) % 4], out=turned[k::4])
    return turned


def _flat_axes(xyz: NDArray[np.float64]) -> NDArray[np.int64] | int:
    """Number of axes of each second, shape (3, 25, n), whose samples are all the same."""
    same = xyz[:, 0] == xyz[:, RATE_HZ // 2]
    if not same.any():
        return 0
    axis, second = np.nonzero(same)
    same[axis, second] = (xyz[axis, :, second] == xyz[axis, 0, second][:, None]).all(axis=1)
    return np.asarray(np.add.reduce(same, dtype=np.int64))


def _push(steps: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each axis follows the vertical one by a quarter period, at the frequencies of steps.

    The trunk slows down as the foot lands and gains speed as it rises, so forward runs a quarter period apart from
    up, to the same side in everyone, while sideways moves at half the frequency (measured: the sum over a walk
    points forward within 15 degrees in 17 of 21 people of HARTH and HAR70+ and in all five of the chest recordings).
    `steps` has shape (3, 8, n), its part `along` up (8, n): cosines, then sines, at each of the four frequencies.
    """
    count = len(_STEP_HZ)
    follows = along[count:] * steps[:, :count]
    follows -= along[:count] * steps[:, count:]
    follows = follows[:, :2] + follows[:, 2:]
    return np.asarray(follows[:, 0] + follows[:, 1])
