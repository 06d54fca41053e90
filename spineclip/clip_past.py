"""How the clip of a generated person did: a line a minute while it was worn, and once a day out of reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from firmware_sim.scenario import Day
from processing.epochs import EPOCH_NS, Epochs, State
from processing.metrics import Point, Value
from spineclip.contract.config import zone
from spineclip.contract.days import day_start_ns
from spineclip.contract.placement import Placement

_MINUTE_NS: Final = 60 * EPOCH_NS
_LENGTH_S: Final = (25, 150)
_DRAIN_PCT_H: Final = 3.2
"""A full battery lasts a day and some hours, as that of most small clips does."""
_FEWEST_PCT: Final = 5.0
_NOMINAL_HZ: Final = 50.0


@dataclass(frozen=True, slots=True)
class Lapse:
    """The time ``[start, end)`` of a day in which the clip was out of reach, UTC nanoseconds."""

    start_ns: int
    end_ns: int


def lapse_on(day: Day, *, tz: str) -> Lapse:
    """Make up when the clip was out of reach on a local day; the same day gives the same."""
    rng = np.random.default_rng([day.date.toordinal(), 7])
    hour = float(rng.uniform(day.worn_from_h + 1.0, day.worn_until_h - 1.0))
    start_ns = day_start_ns(day.date, zone(tz)) + round(hour * 3600) * EPOCH_NS
    return Lapse(start_ns, start_ns + int(rng.integers(*_LENGTH_S)) * EPOCH_NS)


def heard(epochs: Epochs, lapse: Lapse) -> Epochs:
    """Leave out the seconds in which the clip was out of reach."""
    first, end = np.searchsorted(epochs.start_ns, (lapse.start_ns, lapse.end_ns)).tolist()
    return Epochs.concat([epochs.slice(0, first), epochs.slice(end, len(epochs))])


def points(
    epochs: Epochs, lapse: Lapse, tags: Mapping[str, str], placement: Placement, *, lapses: int = 0
) -> list[tuple[int, Point]]:
    """Write down how the clip did, each point with the time at which it is known (UTC nanoseconds), in its order.

    Parameters
    ----------
    epochs
        What was heard of it on one local day, all of it.
    tags
        Patient and device.
    lapses
        How often it was out of reach on the days before.
    """
    worn = epochs.start_ns[epochs.state != State.NOT_WORN.code]
    if not len(worn):
        return []
    made = []
    rng = np.random.default_rng(int(worn[0] // EPOCH_NS))
    for minute_ns in np.unique(worn // _MINUTE_NS * _MINUTE_NS).tolist():
        if lapse.start_ns <= minute_ns < lapse.end_ns:
            continue
        hours = (minute_ns - int(worn[0])) / EPOCH_NS / 3600
        fields: dict[str, Value] = {
            "battery_pct": float(round(max(_FEWEST_PCT, 100.0 - _DRAIN_PCT_H * max(hours, 0.0)))),
            "rssi_dbm": float(round(-62.0 + rng.normal(0.0, 4.0))),
            "rate_hz": round(_NOMINAL_HZ - 0.2 + float(rng.normal(0.0, 0.1)), 2),
            "nominal_hz": _NOMINAL_HZ,
            "drift_ppm": round(14.0 + float(rng.normal(0.0, 1.5)), 2),
            "clock_error_ms": round(float(rng.uniform(2.0, 6.0)), 2),
            "reconnects": lapses + (minute_ns >= lapse.end_ns),
            "duplicates": 0,
            "rejected": 0,
            "placement": str(placement),
        }
        made.append((minute_ns, Point("device", minute_ns, tags, fields)))
    if int(worn[0]) < lapse.start_ns and int(worn[-1]) >= lapse.end_ns:
        out: dict[str, Value] = {"dur_s": (lapse.end_ns - lapse.start_ns) / 1e9, "reason": "link-lost"}
        made.append((lapse.end_ns, Point("gap", lapse.start_ns, tags, out)))
    return sorted(made, key=lambda one: one[0])
