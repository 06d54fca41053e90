"""What is said of a second to the classifier: quantities that do not change with the way the clip was put on.

All are made from the table of seconds up to a minute before and three seconds after (see `processing.windows`), and
rounded to 2**-10, so that the classifier's sums are exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics, windows
from processing.windows import AROUND, GRAVITY, LONG, NEXT, NOW, PAST, SHORT, SQUARE, TOTAL, VERTICAL, Windows

RHYTHM: Final = (
    "rhythm_log",
    *(f"rhythm_{hz:.2f}" for hz in statistics.WAVE_HZ),
    "rhythm_peak",
    "rhythm_peak_hz",
    *(f"{part}_{window}s_{band}" for window in (4,) for part in ("vertical", "across") for band in range(4)),
)
"""Features that need no knowledge of up: they tell walking."""

NAMES: Final = (
    *RHYTHM,
    *(f"{part}_{window}s_{band}" for window in (16, 64) for part in ("vertical", "across") for band in range(4)),
    *(f"total_1s_{band}" for band in range(4)),
    *(f"sway_{window}s" for window in (4, 16, 64)),
    "turned_16s",
    "turned_64s",
    "turning",
    "walk_now",
    "walk_16s",
    "walk_64s",
    "since_walk",
    "known",
    "tilt_1s",
    "tilt_4s",
    "tilt_16s",
    "tilt_64s",
    "tilt_last_walk",
    "tilt_change",
)
"""All features, in order."""

TURNING: Final = NAMES.index("turning")
"""Column of how far gravity turns around the second, in units of 20 degrees."""

_QUANTUM: Final = 1024.0
_LIMIT: Final = 16.0
_FLOOR_G2: Final = 1e-6
_BAND_FLOORS_G2: Final = (2e-6, 4e-6, 1e-5, 1.5e-5)
_SINCE_CAP_S: Final = 120.0
_PER_20_DEG: Final = 9.0 / np.pi
_N_WAVES: Final = len(statistics.WAVE_HZ)
_N_RHYTHM: Final = len(RHYTHM)
_ENERGIES: Final = slice(0, 16)
_NOW: Final = slice(16, 20)
_SWAY: Final = slice(20, 23)
_LOGS: Final = slice(0, 23)
_TURNS: Final = slice(23, 25)
_WALKS: Final = slice(26, 29)
_SINCE: Final = 29
_KNOWN: Final = 30
_TILTS: Final = slice(31, 35)
_LAST_TILT: Final = 35
_TILT_CHANGE: Final = 36
"""Rows of the features after `RHYTHM`, as in `NAMES`."""


def _column(*parts: tuple[float, int]) -> NDArray[np.float64]:
    return np.concatenate([np.full((times, 1), value) for value, times in parts])


# What is added before logarithms are taken; what each feature is multiplied by, and what is added then, to have it in
# whole quanta.
_RHYTHM_FLOOR: Final = np.array([_FLOOR_G2, *[1e-3] * _N_WAVES, *_BAND_FLOORS_G2 * 2])[:, None]
_RHYTHM_SCALE: Final = _column((_QUANTUM, 1 + _N_WAVES), (4 * _QUANTUM, 1), (_QUANTUM, 9))
_RHYTHM_OFFSET: Final = _QUANTUM * _column((3.0, 1), (1.5, _N_WAVES), (-2.0, 2), (3.5, 8))
_FLOOR: Final = np.array([*_BAND_FLOORS_G2 * 5, *[_FLOOR_G2] * 3])[:, None]
_ANGLE: Final = _QUANTUM * _PER_20_DEG
_SCALE: Final = _column(
    (_QUANTUM, 23), (_ANGLE, 3), (_QUANTUM, 1), (_QUANTUM / 16, 1), (_QUANTUM / 64, 1),
    (_QUANTUM / 2, 1), (_QUANTUM / 4, 1), (_ANGLE, 6),
)  # fmt: skip
_OFFSET: Final = _QUANTUM * _column((3.5, 23), (0.0, 7), (0.25, 1), (0.0, 6))


def rhythm(
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
    start: int,
    stop: int,
    *,
    near: Windows | None = None,
) -> NDArray[np.float64]:
    """Features of `RHYTHM` for the rows ``[start, stop)``, shape (stop - start, 33), rounded.

    `near` are the rows' windows, where they are known already.
    """
    n = stop - start
    near = near or windows.around(table, start, stop)
    power = _four(windows.columns(waves, start - 1, stop + 2, _N_WAVES * 2), n)
    power *= power
    power = power[:_N_WAVES] + power[_N_WAVES:]
    power *= 0.125
    four, count = near.sums[AROUND], near.count[AROUND]
    size2 = windows.dot(four[GRAVITY]) / (count * count)
    size2 = size2.clip(0.25, 2.25, out=size2)
    total = statistics.row_sum(power)
    out = np.empty((_N_RHYTHM, n))
    logs, energies = out[: 1 + _N_WAVES], out[3 + _N_WAVES :]
    np.divide(total, size2, out=logs[0])
    np.divide(power, total + _FLOOR_G2, out=logs[1:])
    out[1 + _N_WAVES] = np.maximum.reduce(logs[1:])
    out[2 + _N_WAVES] = statistics.WAVE_HZ[logs[1:].argmax(axis=0)]
    _energies(energies.reshape(2, 4, n), four, 1.0 / (count * size2))
    logs += _RHYTHM_FLOOR[: 1 + _N_WAVES]
    energies += _RHYTHM_FLOOR[1 + _N_WAVES :]
    np.log10(logs, out=logs)
    np.log10(energies, out=energies)
    return _rounded(out, _RHYTHM_SCALE, _RHYTHM_OFFSET).T


def features(
    table: NDArray[np.float64],
    rhythms: NDArray[np.float64],
    held: NDArray[np.float64],
    start: int,
    stop: int,
    *,
    near: Windows | None = None,
) -> NDArray[np.float64]:
    """All features of the rows ``[start, stop)``, shape (stop - start, len(NAMES)), rounded.

    `table` has the walk-likeness in its column `WALK` for all rows before `stop`; `rhythms` and `held` belong to the
    rows ``[start, stop)``, and so do their windows `near`, where they are known already.
    """
    n = stop - start
    near = near or windows.around(table, start, stop)
    means = near.means()
    known = np.isfinite(held[:, orientation.REFERENCE.start])
    all_known = bool(known.all())
    vectors = _vectors(means, held, None if all_known else ~known)
    sizes2 = vectors * vectors
    sizes2 = sizes2[:, 0] + sizes2[:, 1] + sizes2[:, 2]
    size2 = sizes2[SHORT].clip(0.25, 2.25)
    out = np.empty((len(NAMES), n))
    out[:_N_RHYTHM] = rhythms.T
    made = out[_N_RHYTHM:]
    scale = 1.0 / (near.count[SHORT:] * size2)
    for window in (SHORT, LONG):
        part = made[_ENERGIES].reshape(2, 2, 4, n)[window - SHORT]
        _energies(part, near.sums[window], scale[window - SHORT])
    np.divide(near.sums[NOW, TOTAL], size2, out=made[_NOW])
    sway = made[_SWAY]
    np.subtract(means[AROUND, SQUARE], sizes2[AROUND], out=sway[0])
    np.subtract(means[SHORT:, SQUARE], sizes2[SHORT:_LAST_WALK], out=sway[1:])
    sway.clip(0.0, np.inf, out=sway)
    sway /= size2
    logs = made[_LOGS]
    logs += _FLOOR
    np.log10(logs, out=logs)
    angles = _angles(vectors, sizes2)
    made[_TURNS], made[_TURNS.stop] = angles[:2], angles[3]
    walk = table[:, statistics.WALK]
    made[_WALKS.start] = walk[start:stop]
    made[_WALKS.start + 1], made[_WALKS.start + 2] = windows.past_sums(walk, start, stop)
    held[:, orientation.SINCE_WALK].clip(0.0, _SINCE_CAP_S, out=made[_SINCE])
    made[_KNOWN] = held[:, orientation.STRENGTH]
    made[_SINCE : _KNOWN + 1] += 1.0
    np.log2(made[_SINCE : _KNOWN + 1], out=made[_SINCE : _KNOWN + 1])
    made[_TILTS].reshape(2, 2, n)[:] = angles[4:].reshape(3, 2, n)[::2]
    made[_LAST_TILT] = angles[2]
    np.subtract(angles[4 + NEXT], angles[4 + PAST], out=made[_TILT_CHANGE])
    _rounded(made, _SCALE, _OFFSET)
    if not all_known:
        made[_KNOWN, ~known] = 0.0
    return out.T


_LAST_WALK: Final = LONG + 1
_REFERENCE: Final = LONG + 2


def _vectors(
    means: NDArray[np.float64], held: NDArray[np.float64], unknown: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Mean specific force in the six windows, that of the last walk and the upright of walking: shape (8, 3, n)."""
    vectors = np.empty((_REFERENCE + 1, 3, len(held)))
    vectors[:_LAST_WALK] = means[:, GRAVITY]
    vectors[_LAST_WALK], vectors[_REFERENCE] = held[:, orientation.LAST_WALK].T, held[:, orientation.REFERENCE].T
    if unknown is not None:
        vectors[_LAST_WALK:, :, unknown] = 0.0
    return vectors


def _four(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray((values[:, :n] + values[:, 1 : n + 1]) + (values[:, 2 : n + 2] + values[:, 3 : n + 3]))


def _energies(out: NDArray[np.float64], sums: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
    """Energies by band of a window, along gravity and across it, scaled: shape (2, 4, n)."""
    out[0] = sums[VERTICAL]
    np.subtract(sums[TOTAL], out[0], out=out[1])
    out[1].clip(0.0, np.inf, out=out[1])
    out *= scale


def _angles(vectors: NDArray[np.float64], sizes2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between pairs of vectors, radians.

    Of the four seconds around against 16, against 64 and against the last walk; of those before against those after;
    of the six windows against the upright of walking.
    """
    n = sizes2.shape[1]
    product, size = np.empty((10, 3, n)), np.empty((10, n))
    for values, out in ((vectors, product), (sizes2, size)):
        np.multiply(values[AROUND], values[SHORT:_REFERENCE], out=out[:3])
        np.multiply(values[PAST], values[NEXT], out=out[3])
        np.multiply(values[:_LAST_WALK], values[_REFERENCE], out=out[4:])
    cos = product[:, 0] + product[:, 1]
    cos += product[:, 2]
    np.sqrt(size, out=size)
    none = size <= 1e-9
    size[none] = 1.0
    cos /= size
    cos[none] = 1.0
    cos.clip(-1.0, 1.0, out=cos)
    return np.asarray(np.arccos(cos, out=cos))


def _rounded(
    values: NDArray[np.float64], scale: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    values *= scale
    values += offset
    np.rint(values, out=values)
    values *= 1.0 / _QUANTUM
    return values.clip(-_LIMIT, _LIMIT, out=values)
