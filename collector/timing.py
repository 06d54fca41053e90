"""From a wearable's sample count to UTC.

Each packet gives one pair: the index of its last sample, and when it arrived on our monotonic clock. `SegmentClock`
fits the sampling period and phase to them: between two hulls where the arrivals show Bluetooth's connection events
(`collector/events.py`, `collector/strip.py`), else along the lower hull of the arrivals alone (`collector/hull.py`).
`Timeline` lays the samples on UTC so that times only rise and are even within a batch. Wearables with a clock of their
own use it to count what was lost on the way (`collector/sequence.py`), so that the index stays true.

What cannot be known one-way: how long a packet takes at the least from being ready to being heard, beyond the waiting
for its connection event. The error that is published with each batch allows for some milliseconds of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from collector.bounds import PacketBounds
from collector.hull import RecentHull

NOMINAL_ERROR: Final = 0.02
"""One standard deviation of a nominal rate: sensors' own oscillators are trimmed to a few percent."""
CRYSTAL_ERROR: Final = 50e-6
"""One standard deviation between two quartz clocks, drift with temperature included (20 ppm pairs are usual)."""
SAME_WEARABLE_ERROR: Final = 2e-6
"""How much a wearable's rate, as measured earlier, may have changed since: some degrees of temperature. Believed only
as far as the packets agree (`collector/strip.py`)."""
WINDOW_NS: Final = 20 * 60 * 10**9
"""A line is fitted to the last 10 to 20 minutes: longer, and temperature bends it."""
_STRIP_WINDOW_NS: Final = 12 * 60 * 10**9
"""A strip is sure of itself sooner: where temperature bends the line by 2 ppm in 20 minutes, it is off by 0.2 ms."""
LEAST_DELAY_NS: Final = 5_000_000
"""What even the fastest packet may need on air and through the host: some packets of 1.2 ms before it, a wake-up."""
_SHORTEST_NS: Final = 7_500_000
_STEP_OF_INTERVAL_NS: Final = 1_250_000
"""Connection intervals are multiples of this (Bluetooth Core, Vol 6 Part B, 4.5.1)."""
_INTERVAL_NS: Final = 50_000_000
"""The longest usual connection interval."""
_MIN_PACKETS: Final = 8
"""Two points always lie on a line; so many show whether more do."""
_EVEN_NS: Final = 500_000
"""Packets that come this evenly say by themselves when they were made."""
_REFIT, _MOST_BETWEEN = 0.05, 1000
"""A line is fitted anew when there are so many more packets, as a share: often at first; and after so many at most."""
_OTHER: Final = 4.0
"""Two measures of a rate that are further apart than so many of their errors are of two rates."""
_DIFFERS, _LASTS_NS = 0.1, 500_000_000
"""A rate is another than the one that was asked for by a tenth at least, and for longer than a burst."""
_LEARNED, _SURER = 0.9, 10.0
"""A strip from which nothing was learned of the rate, where the hull is so much surer, stands on events that are none:
packets that come evenly by themselves can look like it for a while."""
_SMALL_SLEW, _LARGE_SLEW, _LARGE_NS = 0.005, 0.05, 50_000_000
"""How much a batch's spacing may differ from the period to catch up: 5 ms a second, or 50 when far."""
STEP_NS: Final = 10**9
"""A wall clock that is off by more than this against the monotonic one was stepped (or the machine slept)."""


@dataclass(frozen=True, slots=True)
class Line:
    """When samples were taken, on the monotonic clock: sample `i` at ``at_ns + (i - index) * period_ns``.

    `phase_error_ns` and `rate_error` are one standard deviation of `at_ns` and, relative, of the period. `lead_ns` is
    how much later than its sample's time a packet comes at the least. `delay_ns` is what no packet shows, see above.
    """

    index: int
    at_ns: float
    period_ns: float
    phase_error_ns: float
    rate_error: float
    lead_ns: float = 0.0
    delay_ns: float = 0.0

    def time_ns(self, index: int) -> float:
        """Monotonic time of a sample, ns."""
        return self.at_ns + (index - self.index) * self.period_ns

    def earliest_ns(self, index: int) -> float:
        """When a packet that ends with this sample can arrive at the earliest, ns."""
        return self.time_ns(index) + self.lead_ns

    def doubt_ns(self, index: int) -> float:
        """How far a sample's time may be from what packets can show of it, ns: two standard deviations."""
        far_ns = abs(index - self.index) * self.period_ns
        return 2.0 * math.hypot(self.phase_error_ns, self.rate_error * far_ns)

    def error_ns(self, index: int) -> float:
        """How far a sample's time may be from the truth, ns: what packets can show, and what no packet does."""
        return self.doubt_ns(index) + self.delay_ns


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
        self._hull = RecentHull(WINDOW_NS // 2)
        self._bounds = PacketBounds(_STRIP_WINDOW_NS)
        self._line: Line | None = None
        self._n = 0
        self._due = 0

    def learn(self, period_ns: float, rate_error: float) -> None:
        """Know the period from the wearable's own clock: taken when it says more, or other, than what was known."""
        other = abs(period_ns / self._prior_ns - 1.0) > _OTHER * (rate_error + self._prior_error)
        if rate_error < self._prior_error or other:
            self._prior_ns, self._prior_error = period_ns, rate_error

    def add(self, index: int, arrival_ns: int) -> None:
        """Take a packet: the index of its last sample, rising, and its arrival on the monotonic clock."""
        self._hull.add(index, arrival_ns)
        self._bounds.add(index, arrival_ns)
        self._n += 1
        if self._line is not None and arrival_ns < self._line.time_ns(index):
            self._due = self._n  # earlier than can be

    def line(self) -> Line:
        """Give the best line for now. Needs one packet."""
        hull, even = self._hull_line()
        if even:
            self._line = None
            return hull
        if self._n >= self._due or self._line is None:
            self._due = self._n + min(_MOST_BETWEEN, max(_MIN_PACKETS, round(_REFIT * self._n)))
            self._line = self._strip_line(hull)
        return hull if self._line is None else self._line

    def expected(self) -> Line:
        """Give the highest line below all packets that has the rate that was known before. Needs one packet."""
        hull = self._hull.hull
        if hull is None:
            raise ValueError("no packet yet")
        index, arrival_ns = hull.start
        at_ns = arrival_ns + hull.below(self._prior_ns)
        return Line(index, at_ns, self._prior_ns, _INTERVAL_NS / 2, self._prior_error, delay_ns=LEAST_DELAY_NS)

    def _strip_line(self, hull: Line) -> Line | None:
        prior = self._prior_ns, self._prior_error * self._prior_ns
        before = hull if self._line is None else self._line
        half = 6.0 * min(before.rate_error, self._prior_error) * before.period_ns
        found = self._bounds.line(prior, before.period_ns, half)
        if found is None:
            return None
        strip, index, base_ns = found
        error = strip.slope_error / strip.slope
        if error > _LEARNED * self._prior_error and hull.rate_error < error / _SURER:
            return None
        return Line(
            index + round(strip.x),
            base_ns + strip.height,
            strip.slope,
            strip.height_error,
            error,
            strip.lead,
            LEAST_DELAY_NS,
        )

    def _is_other(self, fitted_ns: float, fit_error: float, for_ns: float) -> bool:
        """Tell whether packets come at a rate that is not the one that was known: one that nobody has asked for."""
        differs = max(fitted_ns / self._prior_ns, self._prior_ns / fitted_ns) - 1.0 if fitted_ns > 0 else 0.0
        return differs > max(_OTHER * (fit_error + self._prior_error), _DIFFERS) and for_ns > _LASTS_NS

    def _hull_line(self) -> tuple[Line, bool]:
        """Give the line below all arrivals, and whether they come evenly."""
        hull = self._hull.hull
        if hull is None:
            raise ValueError("no packet yet")
        index, arrival_ns = hull.start
        period_ns, error = self._prior_ns, self._prior_error
        if hull.n >= _MIN_PACKETS:
            fitted_ns = hull.slope()
            late_ns = hull.mean_distance(fitted_ns)
            # Of n delays with mean m the smallest is about m / n above the floor; two such, half the span apart,
            # carry the line. The factor was checked against simulated radios (tests/unit/test_timing.py). Packets of
            # one burst had one delay.
            delays = hull.n * min(1.0, self._bounds.events / self._n)
            fit_error = 14.0 * late_ns / (delays * hull.span * fitted_ns) if fitted_ns > 0 else 1.0
            for_ns = hull.span * fitted_ns
            if late_ns <= _EVEN_NS and fitted_ns > 0:
                # It may be the rate of events, along which the wearable's packets slide. It is no burst's for certain.
                fit_error = max(fit_error, self._wait_ns(fitted_ns) / 2 / for_ns)
                for_ns = math.inf
            weight = error**2 / (error**2 + fit_error**2) if error > 0 or fit_error > 0 else 1.0
            if self._is_other(fitted_ns, fit_error, for_ns):
                weight = 1.0
            period_ns += weight * (fitted_ns - period_ns)
            error = (1.0 - weight) * error + weight * fit_error
        late_ns = hull.mean_distance(period_ns)
        at_ns = arrival_ns + hull.below(period_ns)
        if late_ns <= _EVEN_NS and hull.n >= _MIN_PACKETS:
            wait_ns = self._wait_ns(hull.slope())
            delay_ns = LEAST_DELAY_NS if wait_ns else 0.0
            return Line(index, at_ns, period_ns, max(late_ns, wait_ns / 2), error, delay_ns=delay_ns), True
        # As long as no interval shows, all packets may have waited for the same part of one.
        return Line(index, at_ns, period_ns, max(late_ns, _INTERVAL_NS / 2), error, delay_ns=LEAST_DELAY_NS), False

    def _wait_ns(self, slope_ns: float) -> float:
        """Say how long each packet may have waited for its event, all the same time: for a while nobody can see it.

        None has, where they come more often than events may, or at an interval that Bluetooth does not have.
        """
        hull = self._hull.hull
        if hull is None or hull.n < 2 or slope_ns <= 0:
            return 0.0
        spacing_ns = hull.span * slope_ns / (hull.n - 1)
        off_ns = abs(spacing_ns - round(spacing_ns / _STEP_OF_INTERVAL_NS) * _STEP_OF_INTERVAL_NS)
        doubt_ns = 2e-4 * spacing_ns + 2 * hull.mean_distance(slope_ns) / (hull.n - 1)
        fits = spacing_ns > _SHORTEST_NS - doubt_ns and off_ns <= doubt_ns
        return min(spacing_ns, _INTERVAL_NS) if fits else 0.0


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
        error_ns = round(off_ns + line.error_ns(first)) + self.held_ns
        return Placed(t0_ns, dt_ns, error_ns)
