"""The body now, as the page gets it: whoever runs the page puts the newest live message here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from spineclip.contract.clock import Clock
from spineclip.contract.live import Live

STALE_S: Final = 10.0
"""A body that was last heard of so long ago is not shown as its present one (live messages come once a second)."""


@dataclass(frozen=True, slots=True)
class Received:
    """A live message and how many seconds ago it came."""

    live: Live
    age_s: float


class LiveFeed(Protocol):
    """All that the page asks of whoever brings the live messages."""

    def latest(self, patient: str) -> Received | None:
        """Return a patient's newest live message, or None when none has come yet."""
        ...


class LatestFeed:
    """A feed that remembers the newest message of each patient.

    Parameters
    ----------
    clock
        The clock of the reader's own patience (real time, even where the wearable's time is driven).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: dict[str, tuple[Live, int]] = {}

    def put(self, patient: str, live: Live) -> None:
        """Take a message; one that is older than the present one (delivered twice, or late) is let go.

        A present one that has gone stale gives way to anything: the wearable's clock may have been set back.
        """
        known = self.latest(patient)
        if known is None or known.age_s > STALE_S or live.time_ns >= known.live.time_ns:
            self._latest[patient] = (live, self._clock.monotonic_ns())

    def latest(self, patient: str) -> Received | None:
        """Return a patient's newest live message, or None when none has come yet."""
        known = self._latest.get(patient)
        return None if known is None else Received(known[0], (self._clock.monotonic_ns() - known[1]) / 1e9)
