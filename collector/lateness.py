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
_SURE_NS: Final = 40_000_000
"""A line that is less sure knows nothing of events: packets of it may wait for up to 100 ms, and suddenly for none."""
_EXACT_NS: Final = 1_000
"""No radio and no host hands on packets as evenly as this; a recording that is played does, and nothing waits there."""
_LONG_NS: Final = 120_000_000
"""So late is a packet that missed the connection event after its own twice: usual, as long as nothing shows better."""


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
        self._exact = True
        self._n = 1

    def note(self, packets: list[Packet], line: Line) -> None:
        """Take the packets of a batch."""
        self._n = max(packet.n for packet in packets)
        late_ns = sorted(packet.late_ns(line) for packet in packets)
        median_ns = late_ns[len(late_ns) // 2]
        self._exact = self._exact and late_ns[-1] - late_ns[0] < _EXACT_NS
        if self._typical_ns is None:
            self._typical_ns = median_ns
            return
        self._typical_ns += (median_ns - self._typical_ns) / 8
        self._floors = [*self._floors[-(_FLOORS - 1) :], late_ns[0]]

    def first_raised(self, packets: list[Packet], line: Line, *, at_the_end: bool = False) -> int | None:
        """Find the first packet from which on all are later than honest delays make them, or None.

        A line that is not sure of itself calls nothing late that may have waited: where packets slide along the
        events, all wait for the same time, until one misses its event. Nor does any line `at_the_end` of a connection:
        nothing will come that tells such a packet from a loss.
        """
        limit_ns = self._limit_ns(packets, line, 6.0)
        if self._typical_ns is None or at_the_end:
            limit_ns = max(limit_ns, _LONG_NS)
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

    def is_up(self, packets: list[Packet], line: Line) -> bool:
        """Notice a few lost samples by the floor of lateness, which stays up for seconds."""
        if len(self._floors) < _FLOORS:
            return False
        up_ns = min(self._floors)
        return up_ns > self._limit_ns(packets, line, 0.75) and max(self._floors) <= 2 * up_ns

    def _limit_ns(self, packets: list[Packet], line: Line, times: float) -> float:
        """Give what is late: more than the loss of one packet, and so many times what is usual, if the line is sure."""
        typical_ns = self._typical_ns or 0.0
        limit_ns = max(self._least_ns(line), times * typical_ns)
        sure_ns = min(_SURE_NS, max(self._least_ns(line), typical_ns))
        sure = self._exact or line.doubt_ns(packets[-1].last) <= sure_ns
        return limit_ns if sure else max(limit_ns, _LONG_NS)

    def _least_ns(self, line: Line) -> float:
        """What is lost is whole packets: give what the loss of one cannot fall short of."""
        return 0.6 * self._n * line.period_ns
