"""How often somebody may ask: a count by the minute."""

from __future__ import annotations

from typing import Final

from spineclip.contract.clock import Clock

MOST_KNOWN: Final = 4096
"""So many askers are remembered; the one not heard of for longest is forgotten first."""


class Pace:
    """Allows each asker so many requests in each window of time.

    Parameters
    ----------
    most
        Requests allowed in a window.
    window_s
        Its length.
    """

    def __init__(self, clock: Clock, most: int, window_s: float = 60.0) -> None:
        self._clock = clock
        self._most = most
        self._window_ns = round(window_s * 1e9)
        self._counts: dict[str, tuple[int, int]] = {}

    def allows(self, who: str) -> bool:
        """Count a request and tell whether it is within bounds."""
        window = self._clock.monotonic_ns() // self._window_ns
        known, count = self._counts.pop(who, (window, 0))
        count = count + 1 if known == window else 1
        self._counts[who] = (window, count)
        while len(self._counts) > MOST_KNOWN:
            del self._counts[next(iter(self._counts))]
        return count <= self._most
