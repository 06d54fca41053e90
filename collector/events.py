"""Bluetooth's connection events, found again in when packets arrive.

A wearable may only send at connection events, and those follow the central's clock at an even interval (Bluetooth Core
5.4, Vol 6 Part B, 4.5.1). The interval is not told to programs; but the arrivals show it: taken modulo the right
interval they all lie at one phase. That is sought as in astronomy, by the length of the mean phase vector (Lord
Rayleigh's test), and then kept by a lower hull over event numbers, since a packet comes after its event and never
before.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.hull import RecentHull

_SHORTEST_NS, _LONGEST_NS = 7.5e6, 100e6
"""The specification allows 7.5 ms to 4 s; whoever streams asks for less than 100 ms (Linux: 30 to 50)."""
_HEADS: Final = 64
"""So many events are looked at to find an interval: chance reaches a mean vector of 0.45 with that, no more."""
_SURE: Final = 0.8
"""Mean phase vector that makes an interval believed; a jitter of a tenth of the interval leaves so much."""
_AS_GOOD: Final = 0.005
"""Half and third of the interval fit as well: of those that fit about as well, the longest is meant."""
_ROUGH: Final = 0.05
"""So much the test loses, at the most, between two of its frequencies."""
_SHARP_NS: Final = 3e6
"""Packets come so near after their events, mostly; what scatters more is the packets' own pattern, not events."""
_ALIKE: Final = 0.95
"""Where nearly all packets are the same number of intervals apart, that is their pattern too, ..."""
_BURSTS: Final = 0.1
"""... unless so many come in bursts: then there is one in every event."""
_EARLY, _LATE = 0.125, 0.25
"""Share of the interval by which an arrival may be before and after its event."""
_PATIENCE: Final = 0.4
"""With more of the newest arrivals off the grid, the interval has changed (wearables ask for another now and then)."""
_HELD_UP: Final = 1.6
"""An arrival after so much more than the longest usual pauses comes from a host that was busy: at any time."""
_RARELY: Final = 16
_FAR, _LEAST_JITTER_NS = 3.0, 10e3
_AGREE, _AGREE_WITHIN = 16, 128
"""Arrivals before their events, by more than the usual jitter, count when so many of so many events have them."""
_WINDOW_NS: Final = 600 * 10**9


class EventGrid:
    """Finds the connection events behind arrivals, which come in rising order (ns, one clock)."""

    def __init__(self) -> None:
        self._heads: deque[int] = deque(maxlen=_HEADS)
        self._strays: deque[bool] = deque(maxlen=_HEADS)
        self._waiting = _HEADS
        self._tries = 0
        self._found: RecentHull | None = None
        self._origin_ns = 0
        self._interval_ns = 0.0
        self._phase_ns = 0.0
        self._last = 0
        self._fresh = True
        self._early: list[int] = []
        self._jitter_ns = 0.0
        self._followers = 0
        self.events = 0
        """Arrivals that may have been the first of their event."""
        self.since_ns: int | None = None
        """First arrival that the present grid explains; None when there is no grid."""

    def add(self, arrival_ns: int) -> bool:
        """Take an arrival; tell whether it may be the first of its event."""
        if self._heads and arrival_ns - self._heads[-1] < 0.95 * _SHORTEST_NS:
            self._followers += 1
            return False
        self.events += 1
        self._heads.append(arrival_ns)
        if self._found is None:
            self._waiting -= 1
            if self._waiting <= 0:
                self._seek()
            return True
        if self._found.n % 16 == 0:
            self._fit()
        since_ns = arrival_ns - self._origin_ns
        turns = (since_ns - self._phase_ns) / self._interval_ns
        number = int(np.floor(turns + _EARLY))
        late_ns = (turns - number) * self._interval_ns
        self._strays.append(late_ns >= _LATE * self._interval_ns)
        if self._strays[-1]:
            if len(self._strays) == _HEADS and sum(self._strays) > _PATIENCE * _HEADS:
                self._give_up()
        elif number > self._last:
            self._last = number
            self._keep(self._found, number, since_ns, late_ns)
        return True

    def _keep(self, found: RecentHull, number: int, since_ns: int, late_ns: float) -> None:
        """Take an arrival into the grid; one before its event only when others agree."""
        self._early = [old for old in self._early if number - old < _AGREE_WITHIN]
        self._jitter_ns *= 1.02 if abs(late_ns) > self._jitter_ns else 1 / 1.02  # goes to the median
        if late_ns >= -_FAR * max(self._jitter_ns, _LEAST_JITTER_NS):
            found.add(number, since_ns)
        else:  # a host that was busy hands on at any time; by chance that is just before an event
            self._early.append(number)
            if len(self._early) < _AGREE:
                return
            found.add(number, since_ns)
        self._fresh = False

    def _fit(self) -> None:
        if self._fresh or self._found is None:
            return
        hull = self._found.hull
        if hull is not None and hull.n > 1:
            self._interval_ns = hull.slope()
            self._phase_ns = hull.start[1] + hull.below(self._interval_ns) - hull.start[0] * self._interval_ns
        self._fresh = True

    def bounds(self, arrivals_ns: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bound when the packets behind first arrivals were ready: not after, and usually not before, ns.

        A packet that was ready leaves at the next event: not after the event at which it came, and, unless it had to
        be sent again, not before the one ahead of that. An arrival off the grid was surely held up on its way:
        nothing says for how long (-inf).
        """
        self._fit()
        since = (arrivals_ns - self._origin_ns).astype(np.float64) - self._phase_ns
        number = np.floor(since / self._interval_ns + _EARLY)
        late_ns = since - number * self._interval_ns
        stray = late_ns >= _LATE * self._interval_ns
        event = arrivals_ns - late_ns
        latest = np.where(stray, arrivals_ns, np.minimum(arrivals_ns, event))
        return latest, np.where(stray, -np.inf, event - self._interval_ns)

    def _seek(self) -> None:
        """Look for an interval in the newest arrivals; after a failure less and less often."""
        self._tries += 1
        self._waiting = _HEADS * min(self._tries, _RARELY)
        times = np.array(self._heads, dtype=np.int64)
        gaps = np.diff(times, prepend=times[0])
        times = times[gaps <= _HELD_UP * np.percentile(gaps[1:], 90)]
        since = (times - times[0]).astype(np.float64)
        whole = since[-1]
        # Frequencies so close that phases shift by an eighth of a turn from one to the next over all arrivals.
        frequencies = np.arange(1 / _LONGEST_NS, 1 / _SHORTEST_NS, 1 / (8 * whole))
        vectors = np.abs(np.exp(2j * np.pi * frequencies[:, None] * since).mean(axis=1))
        best = float(vectors.max())
        if best < _SURE:
            return
        interval = 1 / _longest(frequencies, vectors, since)
        phases = np.exp(2j * np.pi * since / interval)
        middle = np.angle(phases.mean()) / (2 * np.pi)
        turns = since / interval - middle
        numbers = np.rint(turns).astype(np.int64)
        fine = np.abs(turns - numbers) < _LATE
        if np.count_nonzero(fine) < _SURE * len(times):
            return
        for _ in range(3):  # leave out what a busy host handed on late
            line = np.polyfit(numbers[fine], since[fine], 1)
            off_ns = np.abs(since - np.polyval(line, numbers))
            self._jitter_ns = float(np.median(off_ns[fine]))
            fine = off_ns <= _FAR * max(self._jitter_ns, _LEAST_JITTER_NS)
        steps = np.diff(numbers)
        alike = np.count_nonzero(steps == np.median(steps)) >= _ALIKE * len(steps)
        bursts = self._followers > _BURSTS * self.events
        if self._jitter_ns > _SHARP_NS or (alike and not bursts):
            return
        self._found, self._origin_ns = RecentHull(_WINDOW_NS), int(times[0])
        self._last = int(numbers[fine][0]) - 1
        for number, ns in zip(numbers[fine].tolist(), since[fine].astype(np.int64).tolist(), strict=True):
            if number > self._last:
                self._found.add(number, ns)
                self._last = number
        self._fresh = False
        self._fit()
        self._strays.clear()
        self._early = []
        self.since_ns = int(times[0])

    def _give_up(self) -> None:
        self._found, self.since_ns = None, None
        self._heads.clear()
        self._strays.clear()
        self._waiting, self._tries = _HEADS, 0


def _longest(frequencies: NDArray[np.float64], vectors: NDArray[np.float64], since: NDArray[np.float64]) -> float:
    """Give the lowest frequency that fits about as well as the best one."""
    tops = 1 + np.flatnonzero((vectors[1:-1] >= vectors[:-2]) & (vectors[1:-1] >= vectors[2:]))
    tops = tops[vectors[tops] > vectors.max() - _ROUGH]
    if not len(tops):
        return float(frequencies[int(np.argmax(vectors))])
    step = frequencies[1] - frequencies[0]
    near = frequencies[tops, None] + np.linspace(-step, step, 33)
    fine = np.abs(np.exp(2j * np.pi * near[:, :, None] * since).mean(axis=2))
    first = int(np.argmax(fine.max(axis=1) >= fine.max() - _AS_GOOD))
    return float(near[first, int(np.argmax(fine[first]))])
