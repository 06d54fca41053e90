"""Telling a flood from a collector that works off an outage: by messages that bring nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 4096.0
"""So many messages that bring nothing are taken from a patient at once: a collector that connects anew sends again what
is not stored yet, 1,024 records at most, and what it was asked for beside it."""
PATIENCE_PER_S: Final = 20.0
"""So much patience comes back a second: while no ack reaches it, a collector sends 16 records every ten seconds."""


@dataclass(slots=True)
class Allowance:
    """How much of nothing new one patient may still send; `since_s` is monotonic."""

    left: float = PATIENCE
    since_s: float = 0.0

    def spend(self, messages: int) -> None:
        """Note messages that have brought nothing."""
        self.left -= messages

    def exhausted(self, now_s: float) -> bool:
        """Tell whether messages are to be dropped unread for now."""
        if self.left < PATIENCE:
            self.left = min(PATIENCE, self.left + (now_s - self.since_s) * PATIENCE_PER_S)
        self.since_s = now_s
        return self.left < 1.0
