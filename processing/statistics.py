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
_COSINE_QUANTUM: Final = 65536.0
_PIECE: Final = 250
"""Seconds that stay in the processor's cache; no power of two, whose rows would push each other out of it."""


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


# A wave of k quarter hertz turns by k quarters of a circle a second: turned back by the second's own number, waves of
# neighbouring seconds can simply be added.
_QUARTERS: Final = np.rint(WAVE_HZ * 4).astype(np.int64)[None, :] * np.arange(4)[:, None] % 4
_TURN_COS: Final = np.array([1.0, 0.0, -1.0, 0.0])[_QUARTERS]
_TURN_SIN: Final = np.array([0.0, 1.0, 0.0, -1.0])[_QUARTERS]
_STEP_HZ: Final = np.array([1.5, 1.75, 2.0, 2.25])
_STEPS: Final = _steps()
_COSINES: Final = _cosines()
_WAVES: Final = _waves()
_TURNED: Final = np.concatenate(
    [
        _WAVES[:, : len(WAVE_HZ)] * _TURN_COS[:, None] - _WAVES[:, len(WAVE_HZ) :] * _TURN_SIN[:, None],
        _WAVES[:, : len(WAVE_HZ)] * _TURN_SIN[:, None] + _WAVES[:, len(WAVE_HZ) :] * _TURN_COS[:, None],
    ],
    axis=2,
)
_PARTS: Final = np.ascontiguousarray(np.concatenate([np.ones((RATE_HZ, 1)), _COSINES, _STEPS], axis=1).T)


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
    xyz = np.ascontiguousarray(xyz_g.reshape(n, 3 * RATE_HZ).T)  # seconds last: long rows for every sum
    parts = (_PARTS @ xyz.reshape(RATE_HZ, 3 * n)).reshape(len(_PARTS), 3, n)
    xyz = xyz.reshape(RATE_HZ, 3, n)
    mean = np.rint(parts[0] * (_COSINE_QUANTUM * 16 / RATE_HZ))
    mean *= 1.0 / (_COSINE_QUANTUM * 16)
    size2 = mean * mean
    up = mean / np.maximum(np.sqrt(size2[0] + size2[1] + size2[2]), 1e-6)
    cosines = parts[1:RATE_HZ]
    cosines *= _COSINE_QUANTUM
    np.rint(cosines, out=cosines)
    cosines *= 1.0 / _COSINE_QUANTUM
    pulled = parts[1:] * up
    along = pulled[:, 0] + pulled[:, 1]
    along += pulled[:, 2]
    push = _push(parts[RATE_HZ:], along[RATE_HZ - 1 :])
    energy = np.empty((RATE_HZ - 1, 2, n))
    np.multiply(along[: RATE_HZ - 1], along[: RATE_HZ - 1], out=energy[:, 0])
    cosines *= cosines
    np.add(cosines[:, 0], cosines[:, 1], out=energy[:, 1])
    energy[:, 1] += cosines[:, 2]
    squares = xyz * xyz
    norm = squares[:, 0] + squares[:, 1]
    norm += squares[:, 2]
    np.sqrt(norm, out=norm)
    norm *= _COSINE_QUANTUM
    np.rint(norm, out=norm)
    norm *= 1.0 / _COSINE_QUANTUM
    columns = np.zeros((COLUMNS, n))
    columns[COVERED] = covered
    columns[GRAVITY] = mean
    bands = columns[VERTICAL.start : TOTAL.stop].reshape(2, len(BANDS), n)
    for band, (a, b) in enumerate(BANDS):
        bands[:, band] = row_sum(energy[a - 1 : b - 1])
    deviation = norm - norm.sum(axis=0) / RATE_HZ
    columns[MAD] = row_sum(np.abs(deviation, out=deviation)) / RATE_HZ
    columns[FLAT] = _flat_axes(xyz)
    columns[PUSH] = push
    if not covered.all():
        columns[:, ~covered] = 0.0
    return np.ascontiguousarray(columns.T), _turned(norm, first)


def _turned(norm: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Waves of the norm of each second, shape (25, n), turned back by its number; gives shape (n, 44)."""
    n = norm.shape[1]
    if n == 1:
        return np.asarray(norm.T @ _TURNED[first % 4])
    turned = np.empty((n, 2 * len(WAVE_HZ)))
    for k in range(min(4, n)):
        turned[k::4] = norm[:, k::4].T @ _TURNED[(first + k) % 4]
    return turned


def _flat_axes(xyz: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of axes of each second, shape (25, 3, n), whose samples are all the same."""
    same = (xyz[0] == xyz[RATE_HZ // 2]) & (xyz[0] == xyz[-1])
    if same.any():
        same[same] = (xyz[:, same] == xyz[0, same]).all(axis=0)
    return np.asarray(same.sum(axis=0), dtype=np.int64)


def _push(parts: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each axis follows the vertical one by a quarter period, at the frequencies of steps.

    The trunk slows down as the foot lands and gains speed as it rises, so forward runs a quarter period apart from
    up, to the same side in everyone, while sideways moves at half the frequency (measured: the sum over a walk
    points forward within 15 degrees in 17 of 21 people of HARTH and HAR70+ and in all five of the chest recordings).
    `parts` has shape (8, 3, n), its part `along` up (8, n): cosines, then sines, at each of the four frequencies.
    """
    count = len(_STEP_HZ)
    follows = along[count:, None] * parts[:count]
    follows -= along[:count, None] * parts[count:]
    return row_sum(follows)


def row_sum(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum rows in halves: the same additions for one second as for many (a library may not promise that)."""
    while len(part) > 1:
        half = len(part) // 2
        folded = part[:half] + part[half : 2 * half]
        if len(part) % 2:
            folded[0] += part[-1]
        part = folded
    return np.asarray(part[0])
