"""What the core keeps beside a patient while it serves: what waits, what was told, when to look at the day again."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from processing import records
from processing.flood import Allowance
from processing.local_time import day_at
from processing.metrics import Value
from processing.patient import Patient
from spineclip.contract.wire import Record

CLOSE_AFTER_S: Final = 300
"""Seconds after local midnight at which a day without data is written as one."""
LOOK_NS: Final = 3600 * 10**9
"""So often it is looked again, since a time zone may change."""
REPORT_NS: Final = 60 * 10**9
"""So often it is written what of a patient's messages brought nothing, if there is something new."""
_TEXTS: Final = {
    "flood": "messages were dropped unread: more came than can be used",
    "late": "records came after they had been given up; what of them belongs to a gap amends it",
    "duplicate": "records came again and were left out",
    "failed": "records could not be processed and are kept aside",
    "checkpoint": "the state of the patient could not be read; it began anew",
}


@dataclass(slots=True)
class Desk:
    """One patient's place."""

    patient: Patient
    inbox: deque[Record] = field(default_factory=deque)
    allowance: Allowance = field(default_factory=Allowance)
    told_live_s: float = float("-inf")
    look_ns: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """What of this patient's messages brought nothing, by reason, since the start of this process."""
    reported: Counter[str] = field(default_factory=Counter)
    report_ns: int = 0

    def close_days(self, now_ns: int) -> None:
        """Write the days that are over and of which nothing came, unless something waits that may be of them."""
        if self.inbox or now_ns < self.look_ns:
            return
        day = day_at(self.patient.config.time_zone, now_ns // 10**9)
        if now_ns // 10**9 - day.start_s >= CLOSE_AFTER_S:
            self.patient.close_days(now_ns)
            self.look_ns = min(now_ns + LOOK_NS, (day.end_s + CLOSE_AFTER_S) * 10**9)

    def report(self, now_ns: int) -> None:
        """Write as faults how often messages brought nothing, by reason, where that has changed."""
        if self.counts == self.reported:
            return
        if not self.report_ns:
            self.report_ns = now_ns + REPORT_NS
        if now_ns < self.report_ns:
            return
        self.report_ns = now_ns + REPORT_NS
        changed = sorted(reason for reason, n in self.counts.items() if n != self.reported[reason])
        self.reported = self.counts.copy()
        for k, reason in enumerate(changed):
            text = _TEXTS.get(reason, "messages could not be read and are kept aside")
            detail: dict[str, Value] = {"reason": reason, "text": text, "count": self.counts[reason]}
            # a nanosecond each keeps points of one moment apart in the store
            self.patient.add(records.fault(self.patient.patient, "", now_ns + k, detail))
