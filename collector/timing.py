"""From a wearable's sample count to UTC.

Each packet gives one pair: the index of its last sample, and when it arrived on our monotonic clock. `SegmentClock`
fits the sampling period and phase to them by the lower hull (`collector/hull.py`); `Timeline` lays the samples on UTC
so that times only rise and are even within a batch. Wearables with a clock of their own use it to count what was lost
on the way (`collector/sequence.py`), so that the index stays true.

What cannot be known one-way: the least delay that every packet has (4 to 11 ms were seen with connection intervals of
30 to 50 ms). The error that is published with each batch allows for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from collector.hull import LowerHull

NOMINAL_ERROR: Final = 0.02
"""One standard deviation of a nominal rate: sensors' own oscillators are trimmed to a few percent."""
CRYSTAL_ERROR: Final = 50e-6
"""One standard deviation between two quartz clocks, drift with temperature included (20 ppm pairs are usual)."""
WINDOW_NS: Final = 20 * 60 * 10**9
"""A line is fitted to the last 10 to 20 minutes: longer, and temperature bends it."""
_MIN_PACKETS: Final = 8
"""Two points always lie on a line; so many show whether more do."""
_SMALL_SLEW, _LARGE_SLEW, _LARGE_NS = 0.005, 0.05, 50_000_000
"""How much a batch's spacing may differ from the period to catch up: 5 ms a second, or 50 when far."""
STEP_NS: Final = 10**9
"""A wall clock that is off by more than this against the monotonic one was stepped (or the machine slept)."""


@dataclass(frozen=True, slots=True)
class Line:
    """When samples were taken, on the monotonic clock: sample `i` at ``at_ns + (i - index) * period_ns``.

    `spread_ns` is the mean lateness of packets above the line, `rate_error` one standard deviation of the period.
    """

    index: int
    at_ns: float
    period_ns: float
    spread_ns: float
    rate_error: float

    def time_ns(self, index: int) -> float:
        """Monotonic time of a sample, ns."""
        return self.at_ns + (index - self.index) * self.period_ns


class SegmentClock:
    """Fits one unbroken stretch of samples.

    Parameters
    ----------
    period_ns, rate_error
        What is known of the sampling period beforehand, and its relative standard deviation.
    """

    def __init__(self, period_ns: float, rate_error: float) -> None:
        self._prior_ns = period_ns
        self._prior_error = rate_error
        self._hull: LowerHull | None = None
        self._younger: LowerHull | None = None
        self._origin = (0, 0)
        self._younger_origin = (0, 0)

    def learn(self, period_ns: float, rate_error: float) -> None:
        """Know the period better beforehand, as from the wearable's own clock."""
        self._prior_ns, self._prior_error = period_ns, rate_error

    def add(self, index: int, arrival_ns: int) -> None:
        """Take a packet: the index of its last sample, rising, and its arrival on the monotonic clock."""
        if self._hull is None:
            self._hull, self._origin = LowerHull(index, arrival_ns), (index, arrival_ns)
            return
        self._hull.add(index, arrival_ns)
        age_ns = arrival_ns - self._origin[1]
        if self._younger is not None:
            self._younger.add(index, arrival_ns)
            if age_ns >= WINDOW_NS:
                self._hull, self._origin = self._younger, self._younger_origin
                self._younger = None
        elif age_ns >= WINDOW_NS // 2:
            self._younger, self._younger_origin = LowerHull(index, arrival_ns), (index, arrival_ns)

    def line(self) -> Line:
        """Give the best line for now. Needs one packet."""
        hull, (index, arrival_ns) = self._hull, self._origin
        if hull is None:
            raise ValueError("no packet yet")
        period_ns, error = self._prior_ns, self._prior_error
        if hull.n >= _MIN_PACKETS:
            fitted_ns = hull.slope()
            late_ns = hull.mean_distance(fitted_ns)
            # Of n delays with mean m the smallest is about m / n above the floor; two such, half the span apart,
            # carry the line. The factor was checked against simulated radios (tests/unit/test_timing.py).
            fit_error = 6.0 * late_ns / (hull.n * hull.span * fitted_ns) if fitted_ns > 0 else 1.0
            weight = error**2 / (error**2 + fit_error**2) if error > 0 or fit_error > 0 else 1.0
            period_ns += weight * (fitted_ns - period_ns)
            error = (1.0 - weight) * error + weight * fit_error
        spread_ns = hull.mean_distance(period_ns)
        return Line(index, arrival_ns + hull.below(period_ns), period_ns, spread_ns, error)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a batch lies: its first sample, its spacing, and how far both may be from the truth."""

    t0_ns: int
    dt_ns: int
    error_ns: int


class Timeline:
    """Lays batches on UTC: one after the other, never backwards, never jumping within a segment."""

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        self._end_ns: int | None = None
        self._continuing = False
        self.held_ns = 0
        """How far the wall clock has gone back behind the times that are given out; 0 when it has not."""

    @property
    def end_ns(self) -> int | None:
        """End of what has been laid so far, UTC."""
        return self._end_ns

    def follow(self, offset_ns: int) -> bool:
        """Take the present difference between UTC and monotonic time; tell whether UTC jumped forward.

        A jump forward (a corrected clock, a machine that slept) is followed, and the segment must break. A jump back
        is not: times would repeat. The old difference is kept until the wall clock comes back or the stream begins
        anew, and `held_ns` tells how far it is off. Less than a second is followed by slewing.
        """
        if self._offset_ns is None:
            self._offset_ns = offset_ns
            return False
        step_ns = offset_ns - self._offset_ns
        self.held_ns = max(0, -step_ns) if -step_ns > STEP_NS else 0
        if not self.held_ns:
            self._offset_ns = offset_ns
        return step_ns > STEP_NS

    def break_off(self) -> None:
        """Start the next batch where its own line says, not where the last one ended."""
        self._continuing = False

    def skip(self, samples: int, line: Line) -> None:
        """Leave room for samples that are known to be lost."""
        if self._end_ns is not None:
            self._end_ns += round(samples * line.period_ns)

    def place(self, line: Line, first: int, n: int) -> Placed:
        """Lay samples ``first .. first + n - 1`` of the line."""
        offset_ns = self._offset_ns or 0
        t0_ns = round(line.time_ns(first)) + offset_ns
        if self._end_ns is not None and (self._continuing or t0_ns < self._end_ns):
            t0_ns = self._end_ns
        due_ns = round(line.time_ns(first + n)) + offset_ns  # whole numbers: a float near 2e18 has steps of 256 ns
        behind_ns = due_ns - t0_ns - n * line.period_ns
        slew = _LARGE_SLEW if abs(behind_ns) > _LARGE_NS else _SMALL_SLEW
        most_ns = slew * n * line.period_ns
        dt_ns = max(1, round(line.period_ns + min(most_ns, max(-most_ns, behind_ns)) / n))
        self._end_ns = t0_ns + n * dt_ns
        self._continuing = True
        off_ns = abs(due_ns - self._end_ns)
        error_ns = round(off_ns + line.spread_ns + line.rate_error * n * line.period_ns) + self.held_ns
        return Placed(t0_ns, dt_ns, error_ns)
