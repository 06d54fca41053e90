"""Today as a strip of coloured stretches, from the stored 5 s points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from processing.epochs import State
from processing.metrics import Point

MISSING: Final = "missing"
"""The name of a stretch of which the store knows nothing."""
POINT_NS: Final = 5 * 10**9
_BIN_NS: Final = 60 * 10**9
_HOUR_NS: Final = 3600 * 10**9
_EARLIEST_HOUR, _LATEST_HOUR = 6, 22


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part ``[start_ns, end_ns)`` of the day in one state."""

    state: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class TodayView:
    """The card "today".

    Attributes
    ----------
    start_ns, end_ns
        What the strip shows: at least from six to ten in the evening, more where the clip was worn.
    stretches
        In order, without holes from the first measured minute to the last; those before or after what is shown too.
    totals_s
        Seconds by state, longest first, without what was not measured.
    """

    start_ns: int
    end_ns: int
    stretches: tuple[Stretch, ...]
    totals_s: Mapping[str, float]


class Reel:
    """The points of one local day, added as they come; a point of the same time replaces the earlier one."""

    def __init__(self, start_ns: int, end_ns: int) -> None:
        self.start_ns, self.end_ns = start_ns, end_ns
        self._states: dict[int, str] = {}

    def add(self, points: Iterable[Point]) -> None:
        """Take points of ``activity``."""
        for point in points:
            if self.start_ns <= point.time_ns < self.end_ns:
                self._states[point.time_ns] = str(point.fields.get("state", State.UNKNOWN))

    @property
    def newest_ns(self) -> int:
        """Time of the newest point, or the start of the day."""
        return max(self._states, default=self.start_ns)

    def view(self) -> TodayView:
        """Show the day by the minute: each minute in the state that fills most of it."""
        bins: dict[int, Counter[str]] = {}
        for time_ns, state in self._states.items():
            bins.setdefault((time_ns - self.start_ns) // _BIN_NS, Counter())[state] += 1
        stretches = _merge(
            Stretch(_most(bins[k]) if k in bins else MISSING, *self._bounds(k))
            for k in range(min(bins, default=0), max(bins, default=-1) + 1)
        )
        counts = Counter(self._states.values())
        totals = {state: n * POINT_NS / 1e9 for state, n in counts.most_common()}
        worn = [stretch for stretch in stretches if stretch.state not in (MISSING, State.NOT_WORN)]
        first = worn[0].start_ns if worn else self.end_ns
        last = worn[-1].end_ns if worn else self.start_ns
        left = min(self.start_ns + _EARLIEST_HOUR * _HOUR_NS, first - (first - self.start_ns) % _HOUR_NS)
        right = max(self.start_ns + _LATEST_HOUR * _HOUR_NS, last + (self.start_ns - last) % _HOUR_NS)
        return TodayView(left, min(right, self.end_ns), stretches, totals)

    def _bounds(self, k: int) -> tuple[int, int]:
        start_ns = self.start_ns + k * _BIN_NS
        return start_ns, min(start_ns + _BIN_NS, self.end_ns)


def _most(counts: Counter[str]) -> str:
    # Ties go to the state that is higher in the list, so that the picture does not depend on the order of arrival.
    order = [str(state) for state in State]
    return max(counts, key=lambda state: (counts[state], -order.index(state) if state in order else -len(order)))


def _merge(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    merged: list[Stretch] = []
    for stretch in stretches:
        if merged and merged[-1].state == stretch.state and merged[-1].end_ns == stretch.start_ns:
            merged[-1] = Stretch(stretch.state, merged[-1].start_ns, stretch.end_ns)
        else:
            merged.append(stretch)
    return tuple(merged)
