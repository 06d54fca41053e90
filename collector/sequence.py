"""What a wearable's own counter or clock tells of its packets: the next one, one again, or the first after a reboot.

Only differences are used. A wearable's absolute time is worth nothing (Polar's begins in 2019 after every battery
change, Movesense's at boot), and its fields wrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from collector.timing import CRYSTAL_ERROR
from collector.wearables.base import Decoded, TickClock

_LATE_PACKETS: Final = 64
_LATE_NS: Final = 5 * 10**9
"""A packet from so little before the last one was late or came twice; from longer before, the wearable has rebooted."""
_AHEAD_NS: Final = 30 * 10**9
"""A clock that ran so much further than ours was set anew; packets that waited in the wearable are less ahead."""
_PATIENCE: Final = 8
"""So many packets "from the past" in a row are a reboot after all."""
_MEMORY_NS: Final = 600 * 10**9
_LONG_STEPS, _SHORT_STEPS, _ALIKE = 16, 4, 1.1
"""Losses are uneven: so many steps in a row that are too long, and all alike, are another rate than was asked for. No
loss makes a step too short."""


class Step(Enum):
    """How a packet stands to the one before."""

    NEXT = auto()
    AGAIN = auto()
    REBOOT = auto()
    OTHER_RATE = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The step, and how many samples were lost before it. With another rate, samples are counted anew from here on."""

    step: Step
    lost: int = 0


class Sequence:
    """Judges the packets of one connection.

    Parameters
    ----------
    clock, counter_bits
        The fields that the wearable's packets have.
    period_ns
        Nominal sampling period.
    """

    def __init__(self, clock: TickClock | None, counter_bits: int | None, period_ns: float) -> None:
        self._clock = clock
        self._counter_bits = counter_bits
        self._period_ns = period_ns
        self._seen_ns = 0.0
        self._seen_samples = 0
        self._last: tuple[Decoded, int] | None = None
        self._again = 0
        self._odd_ns: list[float] = []

    @property
    def knows_losses(self) -> bool:
        """Whether packets tell what was lost before them."""
        return self._clock is not None or self._counter_bits is not None

    def period(self) -> tuple[float, float] | None:
        """Give the sampling period by the wearable's clock, ns, and its relative error; None when not known."""
        if self._clock is None or self._seen_samples == 0:
            return None
        error = (CRYSTAL_ERROR**2 + (2 * self._clock.tick_ns / self._seen_ns) ** 2) ** 0.5
        return self._seen_ns / self._seen_samples, error

    def judge(self, packet: Decoded, arrival_ns: int) -> Verdict:
        """Judge a packet by the one before; only a packet that counts is remembered."""
        if self._last is None:
            verdict = Verdict(Step.NEXT)
        elif self._counter_bits is not None and packet.counter is not None:
            verdict = self._by_counter(packet, arrival_ns, self._counter_bits)
        elif self._clock is not None and packet.tick is not None:
            verdict = self._by_clock(packet, arrival_ns, self._clock)
        else:
            verdict = Verdict(Step.NEXT)
        if verdict.step is Step.AGAIN:
            self._again += 1
            if self._again <= _PATIENCE:
                return verdict
            verdict = Verdict(Step.REBOOT)
        self._again = 0
        self._last = (packet, arrival_ns)
        if verdict.step is Step.REBOOT:  # after which it may have another rate
            self._seen_ns, self._seen_samples = 0.0, 0
        return verdict

    def _by_counter(self, packet: Decoded, arrival_ns: int, bits: int) -> Verdict:
        before, before_ns = self._previous()
        if packet.counter is None or before.counter is None:
            return Verdict(Step.NEXT)
        step = (packet.counter - before.counter) % (1 << bits)
        if step == 0 or step >= 1 << (bits - 1):
            behind = (1 << bits) - step
            return Verdict(Step.AGAIN if step == 0 or behind <= _LATE_PACKETS else Step.REBOOT)
        lost = (step - 1) * len(before.counts)
        if lost * self._period_ns > arrival_ns - before_ns + _AHEAD_NS:
            return Verdict(Step.REBOOT)
        if self._clock is None or packet.tick is None or before.tick is None:
            return Verdict(Step.NEXT, lost)
        return self._within_count(packet, arrival_ns, self._clock, lost)

    def _within_count(self, packet: Decoded, arrival_ns: int, clock: TickClock, lost: int) -> Verdict:
        """Let the clock say what the counter cannot: that the wearable itself was silent between two packets."""
        before, before_ns = self._previous()
        step_ns = self._ticks(packet, before, clock) * clock.tick_ns
        if step_ns > arrival_ns - before_ns + _AHEAD_NS:
            return Verdict(Step.REBOOT)
        n = len(packet.counts) if clock.marks == "last" else len(before.counts)
        known = self.period()
        missing = step_ns / (self._period_ns if known is None else known[0]) - n - lost
        if missing > max(0.5 * n, 1.0):
            other = not lost and self._is_other_rate(step_ns / n, _LONG_STEPS)
            return Verdict(Step.OTHER_RATE if other else Step.NEXT, lost + round(missing))
        if missing < -0.4 * n:
            return self._short(step_ns / n, lost)
        if not lost:
            self._learn(packet, before, clock)
        return Verdict(Step.NEXT, lost)

    def _by_clock(self, packet: Decoded, arrival_ns: int, clock: TickClock) -> Verdict:
        before, before_ns = self._previous()
        if packet.tick is None or before.tick is None:
            return Verdict(Step.NEXT)
        step_ns = self._ticks(packet, before, clock) * clock.tick_ns
        if step_ns <= 0:
            return Verdict(Step.AGAIN if step_ns > -_LATE_NS else Step.REBOOT)
        if step_ns > arrival_ns - before_ns + _AHEAD_NS:
            return Verdict(Step.REBOOT)
        n = len(packet.counts) if clock.marks == "last" else len(before.counts)
        known = self.period()
        period_ns = known[0] if known is not None else self._period_ns
        over = step_ns / period_ns - n
        if over < -0.4 * n:
            return self._short(step_ns / n, 0)
        if over <= 0.5 * n:
            self._learn(packet, before, clock)
            return Verdict(Step.NEXT)
        other = self._is_other_rate(step_ns / n, _LONG_STEPS)
        packets = over / n
        # Lost on the way, whole packets are missing; else the wearable itself has overflowed, by any number.
        lost = round(packets) * n if abs(packets - round(packets)) < 0.25 else round(over)
        return Verdict(Step.OTHER_RATE if other else Step.NEXT, max(1, lost))

    def _short(self, period_ns: float, lost: int) -> Verdict:
        return Verdict(Step.OTHER_RATE if self._is_other_rate(period_ns, _SHORT_STEPS) else Step.NEXT, lost)

    @staticmethod
    def _ticks(packet: Decoded, before: Decoded, clock: TickClock) -> int:
        """Ticks from one packet to the other, over the wrap."""
        turn = 1 << clock.bits
        ticks = ((packet.tick or 0) - (before.tick or 0)) % turn
        return ticks - turn if ticks >= turn // 2 else ticks

    def _is_other_rate(self, period_ns: float, steps: int) -> bool:
        """Take the period that an odd step would mean; tell whether so many in a row have meant the same."""
        self._odd_ns = [*self._odd_ns[1 - steps :], period_ns]
        if len(self._odd_ns) < steps or max(self._odd_ns) > _ALIKE * min(self._odd_ns):
            return False
        self._period_ns = sum(self._odd_ns) / steps
        self._odd_ns, self._seen_ns, self._seen_samples = [], 0.0, 0
        return True

    def _learn(self, packet: Decoded, before: Decoded, clock: TickClock) -> None:
        if packet.tick is None or before.tick is None:
            return
        self._odd_ns = []
        self._seen_ns += ((packet.tick - before.tick) % (1 << clock.bits)) * clock.tick_ns
        self._seen_samples += len(packet.counts) if clock.marks == "last" else len(before.counts)
        if self._seen_ns > _MEMORY_NS:
            self._seen_ns /= 2
            self._seen_samples = max(1, self._seen_samples // 2)

    def _previous(self) -> tuple[Decoded, int]:
        if self._last is None:
            raise ValueError("no packet before this one")
        return self._last
