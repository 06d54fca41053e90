"""What is said of a second to the classifier: quantities that do not change with the way the clip was put on.

All are made from the table of seconds up to a minute before and three seconds after (see `processing.windows`), and
rounded to 2**-10, so that the classifier's sums are exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, rows, statistics, windows
from processing.rows import Row
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


def _column(*parts: tuple[float, int]) -> NDArray[np.float64]:
    return np.concatenate([np.full((times, 1), value) for value, times in parts])


# What each feature is multiplied by, and what is added then, to have it in whole quanta.
_RHYTHM_SCALE: Final = _column((_QUANTUM, 1 + _N_WAVES), (4 * _QUANTUM, 1), (_QUANTUM, 9))
_RHYTHM_OFFSET: Final = _QUANTUM * _column((3.0, 1), (1.5, _N_WAVES), (-2.0, 2), (3.5, 8))
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
    waved = _four(windows.columns(waves, start - 1, stop + 2, _N_WAVES * 2), n)
    waved *= waved
    powers = waved[:_N_WAVES] + waved[_N_WAVES:]
    powers *= 0.125
    four, count = near.rows(AROUND), near.seconds(AROUND)
    gravity = four[GRAVITY]
    size2 = rows.between(rows.dot(gravity, gravity) / (count * count), 0.25, 2.25)
    total = rows.summed(powers)
    all_power = total + _FLOOR_G2
    shares = [power / all_power for power in rows.unpacked(powers)]
    peak, peak_at = rows.largest(shares)
    logs = [total / size2 + _FLOOR_G2, *(share + 1e-3 for share in shares), *_energies(four, 1.0 / (count * size2))]
    logs = rows.unpacked(np.log10(rows.packed(logs)))
    at = 1 + _N_WAVES
    made = [*logs[:at], peak, statistics.WAVE_HZ[peak_at], *logs[at:]]
    return _rounded(rows.packed(made), _RHYTHM_SCALE, _RHYTHM_OFFSET).T


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
    near = near or windows.around(table, start, stop)
    sums, count = [near.rows(window) for window in range(LONG + 1)], [near.seconds(w) for w in range(LONG + 1)]
    vectors = [[part / count[w] for part in sums[w][GRAVITY]] for w in range(LONG + 1)]
    sizes2 = [rows.dot(vector, vector) for vector in vectors]
    last, reference, since, strength, known = _mounting(held)
    size2 = rows.between(sizes2[SHORT], 0.25, 2.25)
    logs = _energies(sums[SHORT], 1.0 / (count[SHORT] * size2)) + _energies(sums[LONG], 1.0 / (count[LONG] * size2))
    logs += [part / size2 + floor for part, floor in zip(sums[NOW][TOTAL], _BAND_FLOORS_G2, strict=True)]
    for window in (AROUND, SHORT, LONG):
        spread = rows.at_least(sums[window][SQUARE] / count[window] - sizes2[window], 0.0)
        logs.append(spread / size2 + _FLOOR_G2)
    upright2 = rows.dot(reference, reference)
    cosines = [
        *(rows.cosine(vectors[AROUND], vectors[w], sizes2[AROUND] * sizes2[w]) for w in (SHORT, LONG)),
        rows.cosine(vectors[PAST], vectors[NEXT], sizes2[PAST] * sizes2[NEXT]),
        *(rows.cosine(vectors[w], reference, sizes2[w] * upright2) for w in (NOW, AROUND, SHORT, LONG)),
        rows.cosine(vectors[AROUND], last, sizes2[AROUND] * rows.dot(last, last)),
        *(rows.cosine(vectors[w], reference, sizes2[w] * upright2) for w in (NEXT, PAST)),
    ]
    angles = rows.unpacked(np.arccos(rows.packed(cosines)))
    ages = rows.unpacked(np.log2(rows.packed([1.0 + rows.between(since, 0.0, _SINCE_CAP_S), 1.0 + strength])))
    walk = table[:, statistics.WALK]
    short, long = windows.past_sums(walk, start, stop)
    walks = rows.unpacked(np.array([walk[start:stop], short, long]))
    made = rows.unpacked(np.log10(rows.packed(logs))) + angles[:3] + walks + ages + angles[3:8]
    made.append(angles[8] - angles[9])
    out = np.concatenate([rhythms.T, _rounded(rows.packed(made), _SCALE, _OFFSET)])
    if not known.all():
        out[NAMES.index("known"), ~known] = 0.0
    return out.T


def _mounting(held: NDArray[np.float64]) -> tuple[list[Row], list[Row], Row, Row, NDArray[np.bool_]]:
    """Gravity of the last walk and upright of walking (0 where not known), how long ago, how much; known at all."""
    known = np.isfinite(held[:, orientation.REFERENCE.start])
    columns = held.T if known.all() else np.where(known, held.T, 0.0)
    since, strength = rows.unpacked(held[:, [orientation.SINCE_WALK, orientation.STRENGTH]].T)
    found = rows.unpacked(columns)
    return found[orientation.LAST_WALK], found[orientation.REFERENCE], since, strength, known


def _four(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray((values[:, :n] + values[:, 1 : n + 1]) + (values[:, 2 : n + 2] + values[:, 3 : n + 3]))


def _energies(sums: list[Row], scale: Row) -> list[Row]:
    """Energies by band of a window, along gravity and across it, scaled and with a floor."""
    vertical = sums[VERTICAL]
    across = [rows.at_least(total - along, 0.0) for total, along in zip(sums[TOTAL], vertical, strict=True)]
    return [part * scale + floor for part, floor in zip(vertical + across, _BAND_FLOORS_G2 * 2, strict=True)]


def _rounded(
    values: NDArray[np.float64], scale: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    values *= scale
    values += offset
    np.rint(values, out=values)
    values *= 1.0 / _QUANTUM
    return values.clip(-_LIMIT, _LIMIT, out=values)
