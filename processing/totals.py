"""Minutes by local hour and local day: sums of whole numbers, so that no order of adding changes a bit."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.epochs import MEASURED, STATES, Epochs, Posture, State
from processing.frozen import frozen
from processing.local_time import Day, Hour
from processing.metrics import Point, Value

BRISK_SPM: Final = 100.0
"""Steps a minute that make walking moderate (3 MET) for adults of 21 to 85 years (CADENCE-Adults: Tudor-Locke et al.
2019, IJBNPA 16:8; 2021, 18:129)."""
RATE_FROM_S: Final = 600
"""Sedentary seconds from which on breaks an hour are told; below, the rate says nothing (our choice)."""
KEPT_DAYS: Final = 3
"""So many local days stay open for late data and for bouts that reach back over midnight."""
_MILLI: Final = 1000

HOUR_COLUMNS: Final = ("walking", "standing", "sitting", "lying", "cycling", "active", "not_worn", "unknown")
DAY_COLUMNS: Final = (
    "walking", "standing", "sitting", "lying", "cycling", "active", "not_worn", "unknown",
    "running", "brisk", "steps", "sedentary", "slouched", "upright", "posture_known", "coverage",
)  # fmt: skip
_AT: Final = {name: k for k, name in enumerate(DAY_COLUMNS)}
_N_HOUR, _N_DAY = len(HOUR_COLUMNS), len(DAY_COLUMNS)
_WALKED, _RUNNING, _BRISK, _STEPS = (_AT[name] for name in ("walking", "running", "brisk", "steps"))
_SEDENTARY, _SLOUCHED, _UPRIGHT = (_AT[name] for name in ("sedentary", "slouched", "upright"))
_POSTURE_KNOWN, _COVERAGE = _AT["posture_known"], _AT["coverage"]
_LIES, _SITS, _STANDS, _RUNS = (s.code for s in (State.LYING, State.SITTING, State.STANDING, State.RUNNING))
_IS_UNKNOWN, _IS_UPRIGHT, _SLOUCHES = (p.code for p in (Posture.UNKNOWN, Posture.UPRIGHT, Posture.SLOUCHED))


def _column(state: State) -> int:
    """Return where the seconds of a state are added that were not walked."""
    if state in (State.WALKING, State.RUNNING):
        return _AT["active"]
    return _AT[state.value]


_COLUMN_OF_STATE: Final = np.array([_column(state) for state in STATES])


@frozen
class HourTotals:
    """A local hour so far: its first second, number, the second it has come to, and thousandths of seconds (8,)."""

    start_s: int
    number: int
    day_start_s: int
    through_s: int
    values: NDArray[np.int64]


@frozen
class DayTotals:
    """A local day ``[start_s, end_s)`` so far; `values` has thousandths (of seconds, steps) by `DAY_COLUMNS`."""

    start_s: int
    end_s: int
    date: str
    through_s: int
    values: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(DAY_COLUMNS), dtype=np.int64))
    longest_walk_s: int = 0
    longest_sedentary_s: int = 0
    breaks: int = 0

    def value_s(self, name: str) -> float:
        """Return a column in seconds (or steps)."""
        return self.values.item(_AT[name]) / _MILLI

    @property
    def measured_s(self) -> float:
        """Seconds that were measured."""
        return float(sum(self.values[:_N_HOUR].tolist())) / _MILLI

    @property
    def worn_s(self) -> float:
        """Seconds that were measured with the clip worn."""
        return self.measured_s - self.value_s("not_worn")


def count(epochs: Epochs, *, night: bool) -> NDArray[np.int64]:
    """Add up what seconds give: thousandths by `DAY_COLUMNS`, shape (16,); at night lying is not sedentary."""
    total = np.zeros(_N_DAY, dtype=np.int64)
    _count(
        epochs.state, epochs.posture, epochs.walking_s, epochs.cadence_spm, epochs.steps, epochs.coverage, night, total
    )  # fmt: skip
    return total


@compiled
def _count(
    state: NDArray[np.int8],
    posture: NDArray[np.int8],
    walking_s: NDArray[np.float64],
    cadence_spm: NDArray[np.float64],
    steps: NDArray[np.float64],
    coverage: NDArray[np.float64],
    night: bool,
    total: NDArray[np.int64],
) -> None:
    """Go through seconds and add up."""
    for i in range(len(state)):
        measured = coverage[i] >= MEASURED
        walked = np.int64(np.rint(walking_s[i] * _MILLI)) if measured else 0
        rest = _MILLI - walked if measured else 0
        total[_COLUMN_OF_STATE[state[i]]] += rest
        total[_WALKED] += walked
        total[_STEPS] += np.int64(np.rint(steps[i] * _MILLI))
        total[_COVERAGE] += np.int64(np.rint(coverage[i] * _MILLI))
        if state[i] == _RUNS:
            total[_RUNNING] += walked
        if cadence_spm[i] >= BRISK_SPM:
            total[_BRISK] += walked
        if state[i] == _SITS or (state[i] == _LIES and not night):
            total[_SEDENTARY] += rest
        if state[i] == _SITS or state[i] == _STANDS:
            total[_SLOUCHED] += rest * (posture[i] == _SLOUCHES)
        if state[i] == _SITS:
            total[_UPRIGHT] += rest * (posture[i] == _IS_UPRIGHT)
            total[_POSTURE_KNOWN] += rest * (posture[i] != _IS_UNKNOWN)


def add(
    hours: tuple[HourTotals, ...],
    days: tuple[DayTotals, ...],
    hour: Hour,
    values: NDArray[np.int64],
    through_s: int,
) -> tuple[tuple[HourTotals, ...], tuple[DayTotals, ...]]:
    """Add what was counted within one local hour (see `count`); old hours and days are let go of."""
    hours = _add_hour(hours, hour, values, through_s)
    days = _add_day(days, hour.day, values, through_s)
    newest, oldest = days[-1].start_s, days[0].start_s
    if newest - oldest < KEPT_DAYS * 86_400 and hours[0].start_s >= oldest:
        return hours, days
    kept = [day for day in days if newest - day.start_s < KEPT_DAYS * 86_400]
    return tuple(h for h in hours if h.start_s >= kept[0].start_s), tuple(kept)


def amend(
    hours: tuple[HourTotals, ...], days: tuple[DayTotals, ...], hour: Hour, values: NDArray[np.int64]
) -> tuple[tuple[HourTotals, ...], tuple[DayTotals, ...]]:
    """Add what came late to an hour and its day, as far as they are still open."""
    return (
        tuple(
            replace(row, values=row.values + values[:_N_HOUR]) if row.start_s == hour.start_s else row for row in hours
        ),
        tuple(replace(row, values=row.values + values) if row.date == hour.day.date else row for row in days),
    )


def _add_hour(
    hours: tuple[HourTotals, ...], hour: Hour, values: NDArray[np.int64], through_s: int
) -> tuple[HourTotals, ...]:
    for k in range(len(hours) - 1, -1, -1):
        before = hours[k]
        if before.start_s == hour.start_s:
            new = HourTotals(
                before.start_s, before.number, before.day_start_s, max(before.through_s, through_s),
                before.values + values[:_N_HOUR],
            )  # fmt: skip
            return (*hours[:k], new, *hours[k + 1 :])
    new = HourTotals(hour.start_s, hour.number, hour.day.start_s, through_s, values[:_N_HOUR].copy())
    return tuple(sorted((*hours, new), key=lambda row: row.start_s))


def _add_day(days: tuple[DayTotals, ...], day: Day, values: NDArray[np.int64], through_s: int) -> tuple[DayTotals, ...]:
    for k, before in enumerate(days):
        # Who moves to another zone lives some date twice, or in two parts: it is one day all the same.
        if before.date == day.date:
            end_s, through_s = max(before.end_s, day.end_s), max(before.through_s, through_s)
            new = DayTotals(
                before.start_s, end_s, before.date, through_s, before.values + values,
                before.longest_walk_s, before.longest_sedentary_s, before.breaks,
            )  # fmt: skip
            return (*days[:k], new, *days[k + 1 :])
    new = DayTotals(day.start_s, day.end_s, day.date, through_s, values.copy())
    return tuple(sorted((*days, new), key=lambda row: row.start_s))


def hour_point(hour: HourTotals, patient: str) -> Point:
    """Write an hour; what of it has passed and was not measured is missing."""
    minutes: dict[str, Value] = {
        f"{name}_min": int(value) / _MILLI / 60
        for name, value in zip(HOUR_COLUMNS, hour.values.tolist(), strict=True)
    }  # fmt: skip
    missing_milli = (hour.through_s - hour.start_s) * _MILLI - int(hour.values.sum())
    minutes["missing_min"] = max(0, missing_milli) / _MILLI / 60
    return Point("hourly", hour.start_s * 10**9, {"patient": patient, "hour": f"{hour.number:02d}"}, minutes)


def day_totals(day: DayTotals, open_sedentary_s: int = 0) -> dict[str, float | int]:
    """Return a day's numbers under their names in ``daily``; `open_sedentary_s` is the bout that still runs."""
    sedentary_s, known_s = day.value_s("sedentary"), day.value_s("posture_known")
    totals: dict[str, float | int] = {
        "walking_min": day.value_s("walking") / 60,
        "brisk_min": day.value_s("brisk") / 60,
        "longest_walk_min": day.longest_walk_s / 60,
        "steps": day.value_s("steps"),
        "sedentary_min": sedentary_s / 60,
        "longest_sedentary_min": max(day.longest_sedentary_s, open_sedentary_s) / 60,
        "breaks": day.breaks,
        "standing_min": day.value_s("standing") / 60,
        "cycling_min": day.value_s("cycling") / 60,
        "running_min": day.value_s("running") / 60,
        "slouched_min": day.value_s("slouched") / 60,
        "worn_min": day.worn_s / 60,
        "unknown_min": day.value_s("unknown") / 60,
        "coverage": day.value_s("coverage") / max(1, day.through_s - day.start_s),
    }
    if sedentary_s >= RATE_FROM_S:
        totals["breaks_per_hour"] = day.breaks / (sedentary_s / 3600)
    if known_s > 0:
        totals["upright_pct"] = 100 * day.value_s("upright") / known_s
    return totals
