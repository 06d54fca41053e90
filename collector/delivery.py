"""Whether a wearable delivers what it was asked for, and what helps when it does not.

A wearable that has restarted and kept its link goes on at the rate that it has by itself; another never heard what it
was asked. Telling it once more is cheap, connecting anew costs some seconds; a link that is truly too slow is mended by
neither and must stay up. So each is tried in turn, and after both have failed, less and less often.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

WINDOW_NS: Final = 10 * 10**9
"""Delivered rate is judged over ten seconds."""
SLOW_LINK, FAST = 0.9, 1.1
"""Sensors' own rates are within a few percent of nominal; less than nine tenths is the link, or another rate."""
PERSISTS: Final = 2
"""So many windows in a row, 20 s: whoever walks to the next room and back is left alone."""
REST_NS, LONGEST_REST_NS = 5 * 60 * 10**9, 60 * 60 * 10**9
"""When nothing has helped, the next attempt waits so long, and twice as long each time."""
_PAUSE_NS: Final = 250_000_000
"""Connection events are at most 100 ms apart. A longer silence is a loss or a stall, which others see to."""


class Remedy(Enum):
    """What shall be tried."""

    ASK_AGAIN = auto()
    CONNECT_AGAIN = auto()


class Delivery:
    """Watches one wearable's rate, over its reconnections."""

    def __init__(self) -> None:
        self.delivered_hz: float | None = None
        """Samples a second over the last ten seconds, or None."""
        self.notices: list[str] = []
        """Sentences for people since they were last taken."""
        self.remedy: Remedy | None = None
        """What to try now; whoever does takes it away."""
        self._nominal_hz = 0.0
        self._pause_ns = 0
        self._began_ns: int | None = None
        self._last_ns = 0
        self._spoken_ns = 0
        self._n = 0
        self._off = self._fine = 0
        self._slow = False
        self._next = Remedy.ASK_AGAIN
        self._rest_ns = REST_NS
        self._rests_until_ns = 0

    def begin(self, rate_hz: float, packet_samples: int) -> None:
        """Begin a stream at that nominal rate."""
        self._nominal_hz = rate_hz
        self._pause_ns = max(_PAUSE_NS, round(3e9 * packet_samples / rate_hz))
        self._began_ns = None
        self._off = self._fine = 0

    def add(self, n: int, arrival_ns: int) -> None:
        """Take a packet of n samples."""
        if self._began_ns is None:
            self._began_ns = self._last_ns = arrival_ns
            self._n = self._spoken_ns = 0
            return
        self._n += n
        self._spoken_ns += min(arrival_ns - self._last_ns, self._pause_ns)
        self._last_ns = arrival_ns
        elapsed_ns = arrival_ns - self._began_ns
        if elapsed_ns < WINDOW_NS:
            return
        self.delivered_hz = self._n * 1e9 / elapsed_ns
        self._judge(self._n * 1e9 / max(self._spoken_ns, 1), arrival_ns)
        self._began_ns, self._n, self._spoken_ns = arrival_ns, 0, 0

    def _judge(self, spoken_hz: float, now_ns: int) -> None:
        delivered_hz, nominal_hz = self.delivered_hz or 0.0, self._nominal_hz
        slow = delivered_hz < SLOW_LINK * nominal_hz
        if slow and not self._slow:
            self.notices.append(f"link too slow: {delivered_hz:.0f} of {nominal_hz:.0f} Hz")
        self._slow = slow
        if SLOW_LINK * nominal_hz <= spoken_hz <= FAST * nominal_hz:
            self._off, self._fine = 0, self._fine + 1
            if self._fine >= PERSISTS:  # what was tried has helped
                self._next, self._rest_ns = Remedy.ASK_AGAIN, REST_NS
            return
        self._off, self._fine = self._off + 1, 0
        if self._off >= PERSISTS and now_ns >= self._rests_until_ns:
            self._off = 0
            self._try(delivered_hz, now_ns)

    def _try(self, delivered_hz: float, now_ns: int) -> None:
        self.remedy = self._next
        doing = "asking it again" if self._next is Remedy.ASK_AGAIN else "connecting again"
        self.notices.append(f"sends {delivered_hz:.0f} Hz instead of {self._nominal_hz:.0f}; {doing}")
        if self._next is Remedy.ASK_AGAIN:
            self._next = Remedy.CONNECT_AGAIN
            return
        self._next = Remedy.ASK_AGAIN
        self._rests_until_ns = now_ns + self._rest_ns
        self._rest_ns = min(2 * self._rest_ns, LONGEST_REST_NS)
