"""What can go wrong on the air, as parameters: each notification may be lost, doubled, swapped or damaged."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum


class ConnectFault(StrEnum):
    """What happens to one attempt to connect."""

    ABORTED = "aborted"
    """Connected for a moment, then `le-connection-abort-by-local`: radio interference, worth another try."""
    SILENT = "silent"
    """No answer at all."""
    IN_PROGRESS = "in-progress"
    """BlueZ says that another attempt is under way."""
    LOST_IN_DISCOVERY = "lost-in-discovery"
    """The link drops before the services are known."""


class WriteFault(StrEnum):
    """What happens to one write."""

    UNLIKELY = "unlikely"
    """ATT error 0x0E."""
    NOT_PERMITTED = "not-permitted"
    """The characteristic cannot be written."""
    IN_PROGRESS = "in-progress"
    """BlueZ is busy with this characteristic: try again."""


@dataclass(slots=True)
class Faults:
    """Faults of one wearable's link; may be changed while it runs.

    Attributes
    ----------
    drop, duplicate, reorder, wrong_length
        Probability for each notification to vanish, to come twice, to change places with the next, or to be cut short
        or grow by a byte.
    stalled
        A silent stall: the link stays, nothing comes through.
    connect, write
        What happens to the next attempts, one entry each.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    wrong_length: float = 0.0
    stalled: bool = False
    connect: list[ConnectFault] = field(default_factory=list)
    write: list[WriteFault] = field(default_factory=list)

    def next_connect(self) -> ConnectFault | None:
        """Take the fault of this attempt to connect, if there is one."""
        return self.connect.pop(0) if self.connect else None

    def next_write(self) -> WriteFault | None:
        """Take the fault of this write, if there is one."""
        return self.write.pop(0) if self.write else None


@dataclass(slots=True)
class Counters:
    """What became of a wearable's notifications. All that was handed over is delivered, lost by reason, or waiting.

    Attributes
    ----------
    handed
        Notifications that the firmware handed to its radio.
    delivered
        Values put on the bus, doubled ones counted twice.
    signals
        D-Bus signals for them: one per client that is registered (BlueZ repeats a value for each).
    dropped, stalled, overflowed, unheard
        Lost: by fault, in a silent stall, in a full transmit queue, with the link.
    duplicated, reordered, damaged, truncated
        Altered: by fault, or cut to the MTU.
    connects, losses
        Links made, links lost by the radio (not by the central's wish).
    """

    handed: int = 0
    delivered: int = 0
    signals: int = 0
    dropped: int = 0
    stalled: int = 0
    overflowed: int = 0
    unheard: int = 0
    duplicated: int = 0
    reordered: int = 0
    damaged: int = 0
    truncated: int = 0
    connects: int = 0
    losses: int = 0


Value = tuple[str, bytes]


class Mischief:
    """Applies the faults of one link to its notifications, repeatably for a seed."""

    def __init__(self, faults: Faults, counters: Counters, seed: int) -> None:
        self._faults = faults
        self._counters = counters
        self._dice = random.Random(seed)  # noqa: S311 - not for secrets
        self._held: Value | None = None

    def forget(self) -> None:
        """Drop what is held back: the link is gone."""
        if self._held is not None:
            self._counters.unheard += 1
            self._held = None

    def apply(self, value: Value) -> list[Value]:
        """Return what arrives in the place of one value."""
        faults, counters = self._faults, self._counters
        if faults.stalled:
            counters.stalled += 1
            return []
        if self._hits(faults.drop):
            counters.dropped += 1
            return []
        if self._hits(faults.wrong_length):
            counters.damaged += 1
            char, whole = value
            grown = self._hits(0.3)
            value = (char, whole + b"\x00" if grown else whole[: self._dice.randrange(len(whole) or 1)])
        out = [value]
        if self._hits(faults.duplicate):
            counters.duplicated += 1
            out.append(value)
        if self._held is not None:
            out.append(self._held)
            self._held = None
        elif self._hits(faults.reorder):
            counters.reordered += 1
            self._held = out.pop()
        return out

    def _hits(self, probability: float) -> bool:
        return probability > 0.0 and self._dice.random() < probability
