"""What the core keeps beside a patient while it serves: what waits, what was told, when to look at the day again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from processing.flood import Allowance
from processing.local_time import day_at
from processing.patient import Patient
from spineclip.contract.wire import Record

CLOSE_AFTER_S: Final = 300
"""Seconds after local midnight at which a day without data is written as one."""
LOOK_NS: Final = 3600 * 10**9
"""So often it is looked again, since a time zone may change."""


@dataclass(slots=True)
class Desk:
    """One patient's place."""

    patient: Patient
    inbox: deque[Record] = field(default_factory=deque)
    allowance: Allowance = field(default_factory=Allowance)
    told_live_s: float = float("-inf")
    look_ns: int = 0

    def close_days(self, now_ns: int) -> None:
        """Write the days that are over and of which nothing came, unless something waits that may be of them."""
        if self.inbox or now_ns < self.look_ns:
            return
        day = day_at(self.patient.config.time_zone, now_ns // 10**9)
        if now_ns // 10**9 - day.start_s >= CLOSE_AFTER_S:
            self.patient.close_days(now_ns)
            self.look_ns = min(now_ns + LOOK_NS, (day.end_s + CLOSE_AFTER_S) * 10**9)
