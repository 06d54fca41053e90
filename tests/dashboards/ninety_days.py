"""Three generated patients over ninety days with a change of the clock, as the core's own day counting tells them.

p-1 wears the clip every day, p-2 every third day, p-3 for a single hour. Seconds are made up, everything that is
stored of them is what `processing.days` makes of them; clips, diary and nudges are written beside.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from processing import days, slots
from processing.epochs import EPOCH_NS, Epochs, Posture, State
from processing.metrics import Point
from spineclip.contract.config import Goals, PatientConfig

ZONE = "Europe/Berlin"
NOW = dt.datetime(2025, 11, 20, 20, 0, tzinfo=dt.UTC)
"""Ninety days back from here lies 2025-10-26, a day of 25 hours."""
DAYS = 90
ACTIVITY_DAYS = 4
"""For so many days the 5 s points are written, too; a panel shows one day of them unless it is asked for more."""
CONFIG = PatientConfig(
    time_zone=ZONE,
    goals=(Goals(since="2025-08-01", walking_min=20.0, walking_step_min=2.0, walking_ceiling_min=40.0),),
)
_TIMES_S = {State.SITTING: 1500, State.STANDING: 240, State.WALKING: 420, State.ACTIVE: 120, State.LYING: 900}
NOW_NS = int(NOW.timestamp()) * EPOCH_NS


def patients() -> dict[str, list[Point]]:
    """Return all points of the three patients."""
    return {
        "p-1": _patient("p-1", range(DAYS)),
        "p-2": _patient("p-2", range(2, DAYS, 3)),
        "p-3": _patient("p-3", [DAYS - 1], hours=1),
    }


def _patient(name: str, worn: range | list[int], hours: int = 24) -> list[Point]:
    rng = np.random.default_rng(int(name[-1]))
    state, found = days.begin(), []
    first = NOW.astimezone(ZoneInfo(ZONE)).date() - dt.timedelta(days=DAYS - 1)
    for k in worn:
        begin = dt.datetime.combine(first + dt.timedelta(days=k), dt.time(), ZoneInfo(ZONE))
        end = dt.datetime.combine(first + dt.timedelta(days=k + 1), dt.time(), ZoneInfo(ZONE))
        start_s, end_s = int(begin.timestamp()), min(int(end.timestamp()), int(NOW.timestamp()))
        if hours < 24:
            start_s = end_s - hours * 3600
        seconds = _seconds(rng, start_s, end_s)
        state, out = days.step(state, seconds, name, CONFIG)
        found += out.points
        if k >= DAYS - ACTIVITY_DAYS and len(out.seconds):
            found += slots.points(slots.summarise(out.seconds), name)
        found += _beside(rng, name, begin, start_s, end_s)
    return [*found, *days.finish(state, name, CONFIG).points]


def _seconds(rng: np.random.Generator, start_s: int, end_s: int) -> Epochs:
    """Return a day: at night the clip lies on a table, by day one thing follows the other."""
    n = end_s - start_s
    codes = np.full(n, State.NOT_WORN.code, dtype=np.int8)
    at, evening = min(7 * 3600 + int(rng.integers(3600)), n), min(22 * 3600, n)
    at = 0 if n <= 3600 else at
    kinds = list(_TIMES_S)
    while at < evening:
        kind = kinds[int(rng.integers(len(kinds)))]
        length = int(_TIMES_S[kind] * rng.uniform(0.3, 1.7))
        codes[at : at + length] = kind.code
        at += length
    codes[evening:] = State.NOT_WORN.code
    codes[rng.random(n) < 0.002] = State.UNKNOWN.code
    return _epochs(rng, start_s, codes)


def _epochs(rng: np.random.Generator, start_s: int, codes: NDArray[np.int8]) -> Epochs:
    n = len(codes)
    walking = codes == State.WALKING.code
    resting = (codes == State.SITTING.code) | (codes == State.STANDING.code)
    upright = np.repeat(rng.random(n // 300 + 1) < 0.6, 300)[:n]
    posture = np.where(resting, np.where(upright, Posture.UPRIGHT.code, Posture.SLOUCHED.code), Posture.UNKNOWN.code)
    cadence = np.where(walking, rng.uniform(85, 120, n).round(1), np.nan)
    return Epochs(
        start_ns=(start_s + np.arange(n, dtype=np.int64)) * EPOCH_NS,
        state=codes,
        posture=posture.astype(np.int8),
        flexion_deg=np.where(resting, rng.normal(5, 3, n), np.nan),
        lateral_deg=np.where(resting, rng.normal(0, 2, n), np.nan),
        walking_s=walking.astype(np.float64),
        cadence_spm=cadence,
        steps=np.nan_to_num(cadence) / 60,
        intensity_mg=np.where(walking, 150.0, 5.0),
        confidence=rng.uniform(0.6, 1.0, n),
        coverage=np.ones(n),
    )


def _beside(rng: np.random.Generator, name: str, day: dt.datetime, start_s: int, end_s: int) -> list[Point]:
    patient, clip = {"patient": name}, {"patient": name, "device": "witmotion-c0ffee000001"}
    minutes = range(start_s, end_s, 300)  # the core writes one a minute; a fifth of them is enough to be asked for
    points = [
        Point("device", second * EPOCH_NS, clip, {
            "battery_pct": float(100 - 50 * k / len(minutes)), "rssi_dbm": -60.0, "rate_hz": 49.5, "nominal_hz": 50.0,
            "drift_ppm": 12.5, "clock_error_ms": 4.0, "reconnects": k // 60, "duplicates": 0, "rejected": 0,
            "placement": "upper-back",
        })
        for k, second in enumerate(minutes)
    ]  # fmt: skip
    noon = min(start_s + 12 * 3600, end_s - 1) * EPOCH_NS
    points.append(Point("diary", noon, patient, {"pain": int(rng.integers(0, 8)), "exercises": True, "nsaid": False}))
    points.append(Point("gap", noon, clip, {"dur_s": float(rng.integers(5, 600)), "reason": "out-of-range"}))
    points.append(Point("nudge", noon, patient, {"cause": "sedentary", "text": "Time to get up?", "reason": "46 min"}))
    if day.weekday() == 0:
        fault = {"stage": "collector", "reason": "stall", "text": "No data for ten seconds", "count": 1}
        points.append(Point("fault", noon, clip, fault))
    return points
