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
    table = np.zeros((n, COLUMNS))
    xyz = np.ascontiguousarray(seconds.xyz_g.transpose(2, 0, 1))
    covered = seconds.covered
    mean = np.rint(xyz.sum(axis=2) * (_COSINE_QUANTUM * 16 / RATE_HZ)) / (_COSINE_QUANTUM * 16)
    size = np.sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    up = mean / np.maximum(size, 1e-6)
    parts = xyz.reshape(3 * n, RATE_HZ) @ _COSINES
    np.multiply(parts, _COSINE_QUANTUM, out=parts)
    np.rint(parts, out=parts)
    np.multiply(parts, 1.0 / _COSINE_QUANTUM, out=parts)
    parts = parts.reshape(3, n, RATE_HZ - 1)
    along = parts[0] * up[0][:, None]
    along += parts[1] * up[1][:, None]
    along += parts[2] * up[2][:, None]
    along *= along
    parts *= parts
    whole = parts[0] + parts[1]
    whole += parts[2]
    for band, (a, b) in enumerate(BANDS):
        table[:, VERTICAL.start + band] = _row_sum(along, a - 1, b - 1)
        table[:, TOTAL.start + band] = _row_sum(whole, a - 1, b - 1)
    norm = xyz[0] * xyz[0]
    norm += xyz[1] * xyz[1]
    norm += xyz[2] * xyz[2]
    np.sqrt(norm, out=norm)
    np.rint(norm * _COSINE_QUANTUM, out=norm)
    norm *= 1.0 / _COSINE_QUANTUM
    table[:, COVERED] = covered
    table[:, GRAVITY] = mean.T
    deviation = norm - (norm.sum(axis=1) / RATE_HZ)[:, None]
    table[:, MAD] = _row_sum(np.abs(deviation, out=deviation), 0, RATE_HZ) / RATE_HZ
    table[:, FLAT] = _flat_axes(xyz)
    table[:, PUSH] = _push(xyz, up)
    table[~covered] = 0.0
    waves = norm @ _WAVES
    count = len(WAVE_HZ)
    phase = (seconds.first + np.arange(n)) % 4
    cos, sin = _TURN_COS[phase], _TURN_SIN[phase]
    turned = np.empty_like(waves)
    turned[:, :count] = waves[:, :count] * cos - waves[:, count:] * sin
    turned[:, count:] = waves[:, :count] * sin + waves[:, count:] * cos
    return table, turned


def _flat_axes(xyz: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of axes of each second whose samples are all the same."""
    same = (xyz[:, :, 0] == xyz[:, :, RATE_HZ // 2]) & (xyz[:, :, 0] == xyz[:, :, -1])
    maybe = np.nonzero(same)
    if len(maybe[0]):
        rows = xyz[maybe]
        same[maybe] = (rows == rows[:, :1]).all(axis=1)
    return np.asarray(same.sum(axis=0), dtype=np.int64)


def _push(xyz: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each axis follows the vertical one by a quarter period, at the frequencies of steps.

    The trunk slows down as the foot lands and gains speed as it rises, so forward runs a quarter period apart from
    up, to the same side in everyone, while sideways moves at half the frequency (measured: the sum over a walk
    points forward within 15 degrees in 19 of 21 people of HARTH and HAR70+ and in all five of the chest recordings).
    """
    n, count = xyz.shape[1], len(_STEP_HZ)
    parts = (xyz.reshape(3 * n, RATE_HZ) @ _STEPS).reshape(3, n, 2 * count)
    along = parts[0] * up[0][:, None] + parts[1] * up[1][:, None] + parts[2] * up[2][:, None]
    cos, sin = along[:, :count], along[:, count:]
    return np.stack([_row_sum(sin * axis[:, :count] - cos * axis[:, count:], 0, count) for axis in parts], axis=1)


def _row_sum(values: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Sum columns in halves: the same additions for one row as for many (a library may not promise that)."""
    part = values[:, start:stop]
    while part.shape[1] > 1:
        half = part.shape[1] // 2
        folded = part[:, :half] + part[:, half : 2 * half]
        if part.shape[1] % 2:
            folded[:, 0] += part[:, -1]
        part = folded
    return part[:, 0]
