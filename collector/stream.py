"""One wearable's packets to records: decoded, counted, timed, cut into batches of a second, gaps named.

No radio and no disk here: bytes with their arrival times go in, records come out, so that a recording of packets gives
the same records every time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from collector.delivery import Delivery
from collector.lateness import Lateness, Packet
from collector.rates import Rate
from collector.sequence import Sequence, Step
from collector.timing import NOMINAL_ERROR, SAME_WEARABLE_ERROR, Line, SegmentClock, Timeline
from collector.wearables.base import Decoded, Decoder, Stream, Wearable
from spineclip.contract.placement import Placement
from spineclip.contract.wire import MAX_DT_NS, Gap, Record, SampleBatch

BATCH_S: Final = 1.0
"""Samples of so long make a record: few enough to be told live, many enough to cost little each (our choice)."""
_LONGEST_NS: Final = 2 * 10**9
"""A batch waits no longer for samples that do not come ..."""
_FIRST_NS: Final = _LONGEST_NS + 10**9
"""... and a segment's first no longer to see whether some are lost."""
_U32_END: Final = (1 << 32) - 1


class ClipStream:
    """The records of one wearable, over reconnections, from the start of the collector on.

    Parameters
    ----------
    device, placement
        Whose records these are.
    wearable
        Its family.
    new_boot
        Gives the number of a new boot; asked at the start and should the sequence number ever wrap.
    stopped_ns
        Until when an earlier life of the collector had committed records, UTC; the time since is named as a gap.
    """

    # Set anew with every connection ...
    _plan: Stream
    _nominal_ns: float
    _batch_samples: int
    _decoder: Decoder
    _counted: Counter[str]
    _sequence: Sequence
    # ... and with every segment.
    _clock: SegmentClock
    _index: int
    _pending_n: int
    _line: Line | None
    _lateness: Lateness
    _last: tuple[Decoded, int] | None

    def __init__(
        self,
        device: str,
        placement: Placement,
        wearable: Wearable,
        new_boot: Callable[[], int],
        stopped_ns: int | None = None,
    ) -> None:
        self.device = device
        self.placement = placement
        self.battery_pct: int | None = None
        self.rssi_dbm: int | None = None
        self.samples = 0
        """Samples put into batches."""
        self.repeated = 0
        """Packets that came twice or too late and were left out."""
        self.delivery = Delivery()
        """Delivered against nominal rate, and what to try when they differ."""
        self.period_ns: float | None = None
        """Measured sampling period, or None."""
        self.clock_error_ns = 0
        """Uncertainty of the newest batch's times."""
        self.rejects: Counter[str] = Counter()
        self.notices: list[str] = []
        """Sentences for people since they were last taken."""
        self._wearable = wearable
        self._new_boot = new_boot
        self._boot = new_boot()
        self._seq = 0
        self._timeline = Timeline()
        self._gap: tuple[int | None, str] | None = (stopped_ns, "collector-off")
        self._pending: list[Packet] = []
        self.rate: Rate | None = None
        """What is known of the wearable's rate; may be set before the first packet."""

    # ---- the life of a connection

    def connected(self, plan: Stream) -> None:
        """Begin a connection: a new decoder, a new segment of time."""
        self._plan = plan
        self._nominal_ns = 1e9 / plan.rate_hz
        self._batch_samples = max(1, round(plan.rate_hz * BATCH_S))
        self._decoder = self._wearable.decoder(plan)
        self._counted = Counter()
        self._begin_segment()
        self._sequence = Sequence(self._wearable.clock, self._wearable.counter_bits, self._nominal_ns)
        self.delivery.begin(plan.rate_hz, plan.packet_samples)

    def restarted(self, plan: Stream, reason: str) -> list[Record]:
        """Begin anew on the same connection: the wearable was told once more what to send."""
        records = self.disconnected(reason)
        self.connected(plan)
        return records

    def disconnected(self, reason: str) -> list[Record]:
        """End a connection: hand out what is pending; the time until the next packet will be a gap for `reason`."""
        line = self._line_by_now()
        raised = None if line is None else self._lateness.first_raised(self._pending, line, at_the_end=True)
        if raised is None or line is None or not self._lateness.is_even(self._pending[raised:], line):
            records = self._commit_all()
        else:  # nothing will come that could still tell a busy host from a loss: name it
            records = self._commit_before(raised) + self._commit_all()
        self._open_gap(reason)
        return records

    def feed(self, characteristic: str, data: bytes, arrival_ns: int, utc_ns: int) -> list[Record]:
        """Take one notification with the clocks' readings at its arrival; return what became complete."""
        records: list[Record] = []
        for frame in self._decoder.feed(characteristic, data):
            if frame.battery_pct is not None:
                self.battery_pct = frame.battery_pct
            if frame.notice:
                self.notices.append(frame.notice)
            if len(frame.counts):
                records += self._take(frame, arrival_ns, utc_ns - arrival_ns)
        new = self._decoder.rejects - self._counted
        if new:
            self.rejects += new
            self._counted = self._decoder.rejects.copy()
        return records

    # ---- packets

    def _take(self, frame: Decoded, arrival_ns: int, offset_ns: int) -> list[Record]:
        verdict = self._sequence.judge(frame, arrival_ns)
        if verdict.step is Step.AGAIN or self._is_double(frame, arrival_ns):
            self.repeated += 1
            return []
        records: list[Record] = []
        if verdict.step is Step.REBOOT:
            records += self._commit_all()
            self._open_gap("reboot")
            self._begin_segment()
        elif verdict.lost or verdict.step is Step.OTHER_RATE:
            records += self._commit_all() + self._name_lost(verdict.lost)
            if verdict.step is Step.OTHER_RATE:
                self._begin_segment()
        elif self._pending and self._pending[-1].scale_g != frame.scale_g:
            records += self._commit_all()
        packet = Packet(self._index, frame.counts, frame.scale_g, arrival_ns, offset_ns)
        self._index += packet.n
        known = self._sequence.period()
        if known is not None:
            self._clock.learn(*known)
        self._clock.add(self._index - 1, arrival_ns)
        self._pending.append(packet)
        self._pending_n += packet.n
        self._last = (frame, arrival_ns)
        self.delivery.add(packet.n, arrival_ns)
        if self._pending_n >= self._batch_samples or arrival_ns - self._pending[0].arrival_ns >= _LONGEST_NS:
            records += self._commit_ready()
        return records

    def _is_double(self, frame: Decoded, arrival_ns: int) -> bool:
        """Tell whether a packet without a counter is the one before again: the same, and earlier than any can be."""
        if self._sequence.knows_losses or self._last is None:
            return False
        before, before_ns = self._last
        if arrival_ns - before_ns > self._nominal_ns / 4 or not np.array_equal(frame.counts, before.counts):
            return False
        line = self._clock.line() if self._line is None else self._line
        due_ns = line.earliest_ns(self._index) - line.period_ns / 2
        return arrival_ns < due_ns

    # ---- batches

    def _commit_ready(self) -> list[Record]:
        """Commit what is pending, unless its end looks like a loss that is not certain yet."""
        line = self._line_by_now()
        if line is None:
            return self._commit_all()
        early = self._lateness.first_early(self._pending, line)
        if early is not None:
            return self._commit_before(early, "wrong-rate")
        raised = self._lateness.first_raised(self._pending, line)
        if raised is None:
            packets = self._pending
            records = self._commit_all()
            if self._lateness.is_up(packets, line):
                self._open_gap("lost")
                self._begin_segment()
            return records
        return self._commit_raised(raised, line)

    def _commit_raised(self, raised: int, line: Line) -> list[Record]:
        """Commit what comes before the packets that are late, and these, too, as soon as it is certain why."""
        if raised == 0 and self._pending_n > 5 * self._batch_samples:
            return self._commit_all()
        if self._lateness.is_loss(self._pending[raised:], line):
            records = self._commit_before(raised)
            return records + (self._commit_all() if self._pending_n >= self._batch_samples else [])
        if self._line is None:
            waited_ns = self._pending[-1].arrival_ns - self._pending[0].arrival_ns
            return self._commit_all() if waited_ns > _FIRST_NS else []
        records = self._commit(self._pending[:raised])
        self._pending = self._pending[raised:]
        self._pending_n = sum(packet.n for packet in self._pending)
        return records

    def _line_by_now(self) -> Line | None:
        """Give the line that shows what is missing; None where packets tell it themselves, or none have come."""
        if self._sequence.knows_losses or not self._pending:
            return None
        return self._clock.expected() if self._line is None else self._line

    def _commit_before(self, at: int, reason: str = "lost") -> list[Record]:
        """Commit what is pending before a packet, name a gap, and count anew from that packet on."""
        before, after = self._pending[:at], self._pending[at:]
        if self._line is None and before:  # the line must not follow what comes after
            self._begin_segment(before)
        records = self._commit(before)
        self._open_gap(reason)
        self._begin_segment(after)
        return records

    def _commit_all(self) -> list[Record]:
        pending, self._pending, self._pending_n = self._pending, [], 0
        return self._commit(pending)

    def _commit(self, packets: list[Packet]) -> list[Record]:
        if not packets:
            return []
        if self._timeline.follow(min(packet.offset_ns for packet in packets)):
            self._open_gap("clock-step")
        line = self._clock.line()
        self._lateness.note(packets, line if self._line is None else self._line)
        first, n = packets[0].first, sum(packet.n for packet in packets)
        placed = self._timeline.place(line, first, n)
        records: list[Record] = []
        if self._gap is not None:
            start_ns, reason = self._gap
            self._gap = None
            if start_ns is not None and placed.t0_ns > start_ns:
                records.append(self._gap_record(start_ns, placed.t0_ns, reason))
        xyz = packets[0].counts if len(packets) == 1 else np.concatenate([packet.counts for packet in packets])
        boot, seq = self._next_seq()
        batch = SampleBatch(
            self.device,
            self.placement,
            boot,
            seq,
            placed.t0_ns,
            min(placed.dt_ns, MAX_DT_NS),
            packets[0].scale_g,
            xyz,
            clock_error_ns=placed.error_ns,
            battery_pct=self.battery_pct,
            rssi_dbm=self.rssi_dbm,
        )
        self.samples += n
        self.period_ns, self.clock_error_ns = line.period_ns, placed.error_ns
        self._line = line
        rate = Rate(self._nominal_ns, line.period_ns, max(line.rate_error, 1e-9))
        self.rate = rate if rate.fine else self.rate
        return [*records, batch]

    # ---- gaps

    def _open_gap(self, reason: str) -> None:
        """Name the time from the last committed sample to the next as a gap; the first reason holds."""
        if self._gap is None:
            self._gap = (self._timeline.end_ns, reason)
        self._timeline.break_off()

    def _name_lost(self, lost: int) -> list[Record]:
        """Name samples that the wearable's own count says are lost."""
        self._index += lost
        start_ns = self._timeline.end_ns
        if not lost or self._line is None or start_ns is None or self._gap is not None:
            return []
        self._timeline.skip(lost, self._line)
        end_ns = self._timeline.end_ns
        return [self._gap_record(start_ns, start_ns if end_ns is None else end_ns, "lost")]

    def _gap_record(self, start_ns: int, end_ns: int, reason: str) -> Gap:
        return Gap(self.device, self.placement, *self._next_seq(), start_ns, end_ns, reason)

    def _next_seq(self) -> tuple[int, int]:
        boot, seq = self._boot, self._seq
        if seq == _U32_END:
            self._boot, self._seq = self._new_boot(), 0
        else:
            self._seq = seq + 1
        return boot, seq

    def _begin_segment(self, packets: list[Packet] | None = None) -> None:
        """Forget where samples were, keep what is known of the rate; begin with packets that are pending, if any."""
        period_ns, error = self._nominal_ns, NOMINAL_ERROR
        known = self.rate
        if known is not None and known.fine and math.isclose(known.nominal_ns, self._nominal_ns, rel_tol=1e-6):
            period_ns, error = known.period_ns, math.hypot(known.error, SAME_WEARABLE_ERROR)
        self._clock = SegmentClock(period_ns, error)
        self._index = 0
        self._pending = []
        for packet in packets or []:
            self._pending.append(replace(packet, first=self._index))
            self._index += packet.n
            self._clock.add(self._index - 1, packet.arrival_ns)
        self._pending_n = self._index
        self._line = None
        self._lateness = Lateness()
        self._last = None
