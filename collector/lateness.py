"""How late packets come after their samples, and what that tells where no number and no time in them does.

A wearable without counter that lost a packet goes on with a count that is too small: from then on all seems late, by
as much as what was lost. A host that is busy makes packets late, too: each by something else, and not for long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from collector.timing import Line

_LOOK_AHEAD_NS: Final = 500_000_000
"""A host that was busy hands a burst over afterwards; a loss stays. So long after a jump we wait to tell them apart."""
_EVEN_NS: Final = 1_000_000
_EARLY_NS: Final = 250_000_000
"""Nothing comes before it is made; by so much, the count runs faster than we think."""
_FLOORS: Final = 8
_YOUNG_NS: Final = 120_000_000
"""In a segment's first batch nothing shows yet what is usual: so late is a packet that missed the connection event
after its own twice."""


@dataclass(frozen=True, slots=True)
class Packet:
    """Samples that came together: the index of the first, and the clocks at their arrival."""

    first: int
    counts: NDArray[np.int16]
    scale_g: float
    arrival_ns: int
    offset_ns: int

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.counts)

    @property
    def last(self) -> int:
        """Index of the last sample."""
        return self.first + self.n - 1

    def late_ns(self, line: Line) -> float:
        """How much later than at the earliest it came, ns."""
        return self.arrival_ns - line.earliest_ns(self.last)


class Lateness:
    """What is usual in one segment, and what is not."""

    def __init__(self) -> None:
        self._typical_ns: float | None = None
        self._floors: list[float] = []
        self._n = 1

    def note(self, packets: list[Packet], line: Line) -> None:
        """Take the packets of a batch."""
        self._n = max(packet.n for packet in packets)
        late_ns = sorted(packet.late_ns(line) for packet in packets)
        median_ns = late_ns[len(late_ns) // 2]
        if self._typical_ns is None:
            self._typical_ns = median_ns
            return
        self._typical_ns += (median_ns - self._typical_ns) / 8
        self._floors = [*self._floors[-(_FLOORS - 1) :], late_ns[0]]

    def first_raised(self, packets: list[Packet], line: Line) -> int | None:
        """Find the first packet from which on all are later than honest delays make them, or None."""
        usual_ns = _YOUNG_NS if self._typical_ns is None else 6.0 * self._typical_ns
        limit_ns = max(self._least_ns(line), usual_ns)
        found = None
        for at in range(len(packets) - 1, -1, -1):
            if packets[at].late_ns(line) <= limit_ns:
                break
            found = at
        return found

    def is_loss(self, packets: list[Packet], line: Line) -> bool:
        """Tell whether raised packets are a loss for certain: for long enough, and evenly, see `is_even`."""
        return packets[-1].arrival_ns - packets[0].arrival_ns >= _LOOK_AHEAD_NS and self.is_even(packets, line)

    def is_even(self, packets: list[Packet], line: Line) -> bool:
        """Tell whether packets are late as a loss makes them: all by as much. A host that is busy makes them uneven."""
        late_ns = [packet.late_ns(line) for packet in packets]
        least_ns = min(late_ns)
        return max(late_ns) - least_ns <= max(_EVEN_NS, 6.0 * (self._typical_ns or 0.0), least_ns / 2)

    def first_early(self, packets: list[Packet], line: Line) -> int | None:
        """Find the first packet from which on all come before their time: the rate has risen; or None."""
        newest = packets[-1]
        if len(self._floors) < _FLOORS:  # the line is young: it is bent, not broken
            return None
        if line.time_ns(newest.last) - newest.arrival_ns < _EARLY_NS:
            return None
        early = [packet.arrival_ns < line.time_ns(packet.last) for packet in packets]
        return len(early) - next((k for k, one in enumerate(reversed(early)) if not one), len(early))

    def is_up(self, line: Line) -> bool:
        """Notice a few lost samples by the floor of lateness, which stays up for seconds."""
        if len(self._floors) < _FLOORS:
            return False
        up_ns = min(self._floors)
        limit_ns = max(self._least_ns(line), 0.75 * (self._typical_ns or 0.0))
        return up_ns > limit_ns and max(self._floors) <= 2 * up_ns

    def _least_ns(self, line: Line) -> float:
        """What is lost is whole packets: give what the loss of one cannot fall short of."""
        return 0.6 * self._n * line.period_ns
