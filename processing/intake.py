"""A patient's records put in order: each once, none skipped in silence, what is missing asked for again.

A record is known by its device, boot and number. Within a boot the numbers follow each other; boots follow each other
too, because a collector sends the oldest first and numbers its boots upwards. What comes early is held for a while;
what has been seen is dropped; what is missing is asked for, and given up as a gap after a time without progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from spineclip.contract.messages import Ack, Resend, Stored
from spineclip.contract.wire import Gap, Record, SampleBatch

ASK_AFTER_S: Final = (0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds after a hole was noticed at which its records are asked for."""
GIVE_UP_S: Final = 30.0
"""Seconds without any progress after which a hole is reported as a gap (within the 30 s in which live data must be
back after a restart; a collector that is there sends again within 10)."""
GIVE_UP_BOOT_S: Final = 12.0
"""The same for the end of an earlier boot, of which it is not known whether anything is missing at all."""
HELD_MAX: Final = 2048
"""Records that are held for a patient; what comes beyond is dropped unread and sent again by the collector later."""
REASON_LOST: Final = "lost"
_GIVEN_UP_KEPT: Final = 16
_OVERLAP_NS: Final = 500_000_000
_LAST_SEQ: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Numbers ``[first, last]`` of a boot that were not waited for any longer, and the gap ``[start_ns, end_ns)``."""

    boot: int
    first: int
    last: int
    start_ns: int = 0
    end_ns: int = 0

    def holds(self, record: Record) -> bool:
        """Tell whether a record is one of them."""
        return record.boot == self.boot and self.first <= record.seq <= self.last


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far one device's records have been handed on: the next number of which boot, and the end of the last one."""

    boot: int
    next_seq: int = 0
    end_ns: int = 0
    given_up: tuple[GivenUp, ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeState:
    """What of the intake goes into the checkpoint; what is held does not, since it is not acknowledged either."""

    streams: Mapping[str, StreamState] = field(default_factory=dict)

    def ack(self) -> Ack:
        """Say what has been handed on."""
        return Ack(
            {
                device: Stored(stream.boot, stream.next_seq - 1)
                for device, stream in self.streams.items()
                if stream.next_seq > 0
            }
        )


class Verdict(StrEnum):
    """What became of a record."""

    TAKEN = "taken"
    HELD = "held"
    DUPLICATE = "duplicate"
    LATE = "late"
    DROPPED = "dropped"


@dataclass(slots=True)
class _Wait:
    """A hole: since when nothing has moved, and how often was asked."""

    since_s: float
    asked: int = 0


class Intake:
    """One patient's intake.

    Parameters
    ----------
    state
        From a checkpoint, or a new one.
    """

    def __init__(self, state: IntakeState | None = None) -> None:
        self._streams = dict((state or IntakeState()).streams)
        self._held: dict[str, dict[tuple[int, int], Record]] = {}
        self._waits: dict[str, _Wait] = {}
        self.counts: Counter[Verdict] = Counter()
        """Records by what became of them, since the start of this process."""

    @property
    def state(self) -> IntakeState:
        """What has been handed on."""
        return IntakeState(dict(self._streams))

    @property
    def held(self) -> int:
        """Number of records that wait for earlier ones."""
        return sum(len(rows) for rows in self._held.values())

    def take(self, record: Record, now_s: float) -> tuple[Verdict, list[Record]]:
        """Take a record in; return what became of it, and the records that are now in order.

        Parameters
        ----------
        now_s
            Monotonic seconds.
        """
        verdict = self._judge(record)
        ready: list[Record] = []
        if verdict is Verdict.HELD:
            self._held.setdefault(record.device, {})[record.boot, record.seq] = record
            ready = self._drain(record.device, now_s)
            waits = (record.boot, record.seq) in self._held.get(record.device, {})
            verdict = Verdict.HELD if waits else Verdict.TAKEN
        self.counts[verdict] += 1
        return verdict, ready

    def due(self, now_s: float) -> tuple[list[Resend], list[Record]]:
        """Return what is to be asked for by now, and the records that giving up a hole has set free."""
        asks: list[Resend] = []
        freed: list[Record] = []
        for device in sorted(self._waits):
            wait = self._waits[device]
            if now_s - wait.since_s >= self._patience_s(device):
                freed += self._give_up(device, now_s)
            elif wait.asked < len(ASK_AFTER_S) and now_s - wait.since_s >= ASK_AFTER_S[wait.asked]:
                wait.asked += 1
                hole = self._hole(device)
                asks += [hole] if hole.from_seq <= hole.through_seq else []
        return asks, freed

    def open_ends(self) -> list[Resend]:
        """Ask for everything after what is known: for a core that was away and may have missed messages."""
        return [
            Resend(device, stream.boot, stream.next_seq, _LAST_SEQ) for device, stream in sorted(self._streams.items())
        ]

    def given_up(self, device: str) -> tuple[GivenUp, ...]:
        """Return what was given up of a device and may still come late."""
        stream = self._streams.get(device)
        return () if stream is None else stream.given_up

    def filled(self, device: str, lost: GivenUp, rest: tuple[GivenUp, ...]) -> None:
        """Say that what came late of a gap has been used and is not to be used again; only the rest still may come."""
        stream = self._streams[device]
        others = tuple(other for other in stream.given_up if other != lost)
        self._streams[device] = replace(stream, given_up=(*others, *rest)[-_GIVEN_UP_KEPT:])

    def _judge(self, record: Record) -> Verdict:
        stream = self._streams.get(record.device)
        if stream is not None and (record.boot, record.seq) < (stream.boot, stream.next_seq):
            late = any(lost.holds(record) for lost in stream.given_up)
            return Verdict.LATE if late else Verdict.DUPLICATE
        held = self._held.get(record.device, {})
        if (record.boot, record.seq) in held:
            return Verdict.DUPLICATE
        if self.held >= HELD_MAX and not (stream is not None and _continues(stream, record)):
            return Verdict.DROPPED
        return Verdict.HELD

    def _drain(self, device: str, now_s: float) -> list[Record]:
        """Hand on what is in order; while something is held back, keep the time since anything moved."""
        held = self._held[device]
        ready: list[Record] = []
        stream = self._streams.get(device)
        while held:
            record = held[min(held)]
            if stream is None or not _continues(stream, record):
                if not _begins(stream, record):
                    break
                stream = replace(stream or StreamState(record.boot), boot=record.boot, next_seq=0)
            del held[record.boot, record.seq]
            if record.seq < stream.next_seq:
                continue
            ready += _uncovered(record, stream.end_ns)
            stream = replace(stream, next_seq=record.seq + 1, end_ns=max(stream.end_ns, record.end_ns))
        if stream is not None:
            self._streams[device] = stream
        if not held:
            del self._held[device]
            self._waits.pop(device, None)
        elif ready or device not in self._waits:
            self._waits[device] = _Wait(now_s)
        return ready

    def _hole(self, device: str) -> Resend:
        record = self._first_held(device)
        stream = self._streams.get(device)
        if stream is not None and stream.boot != record.boot:
            return Resend(device, stream.boot, stream.next_seq, _LAST_SEQ)
        next_seq = 0 if stream is None else stream.next_seq
        return Resend(device, record.boot, next_seq, _first(record) - 1)  # empty when no earlier boot is known

    def _patience_s(self, device: str) -> float:
        stream = self._streams.get(device)
        record = self._first_held(device)
        known = _first(record) > 0 if stream is None else stream.boot == record.boot
        return GIVE_UP_S if known else GIVE_UP_BOOT_S

    def _give_up(self, device: str, now_s: float) -> list[Record]:
        record = self._first_held(device)
        stream = self._streams.get(device)
        gaps: list[Record] = []
        if stream is None:
            before = StreamState(record.boot)
        elif stream.boot != record.boot:
            before, gaps = _after_boot(stream, record)
        else:
            before = stream
        first, last, start_ns = before.next_seq, _first(record) - 1, _start_ns(record)
        if last >= first:
            lost = GivenUp(record.boot, first, last, before.end_ns, start_ns)
            before = replace(before, next_seq=last + 1, given_up=(*before.given_up, lost)[-_GIVEN_UP_KEPT:])
            if 0 < before.end_ns < start_ns:
                gaps.append(
                    Gap(
                        device, record.placement, record.boot, last, before.end_ns, start_ns, REASON_LOST,
                        from_seq=first,
                    )
                )  # fmt: skip
        self._streams[device] = before
        del self._waits[device]
        return gaps + self._drain(device, now_s)

    def _first_held(self, device: str) -> Record:
        held = self._held[device]
        return held[min(held)]


def _first(record: Record) -> int:
    """Return the first number that a record stands for."""
    return record.seq if isinstance(record, SampleBatch) or record.from_seq is None else record.from_seq


def _start_ns(record: Record) -> int:
    return record.t0_ns if isinstance(record, SampleBatch) else record.start_ns


def _continues(stream: StreamState, record: Record) -> bool:
    return record.boot == stream.boot and _first(record) <= stream.next_seq


def _after_boot(stream: StreamState, record: Record) -> tuple[StreamState, list[Record]]:
    """Close a boot whose end is not known: between its last record and the next boot's first, all is missing.

    So it is when an outbox was lost, or the end of what could be read of it. What comes of it after all is late.
    """
    start_ns = _start_ns(record)
    before = StreamState(record.boot, 0, stream.end_ns, stream.given_up)
    if not 0 < stream.end_ns < start_ns - _OVERLAP_NS:
        return before, []
    lost = GivenUp(stream.boot, stream.next_seq, _LAST_SEQ, stream.end_ns, start_ns)
    gap = Gap(record.device, record.placement, record.boot, record.seq, stream.end_ns, start_ns, REASON_LOST)
    return replace(before, end_ns=start_ns, given_up=(*stream.given_up, lost)[-_GIVEN_UP_KEPT:]), [gap]


def _uncovered(record: Record, end_ns: int) -> list[Record]:
    """Leave of a gap what nobody has covered: another collector may have had the wearable meanwhile."""
    if not isinstance(record, Gap) or record.start_ns > end_ns - _OVERLAP_NS:
        return [record]
    return [replace(record, start_ns=end_ns)] if record.end_ns > end_ns else []


def _begins(stream: StreamState | None, record: Record) -> bool:
    """Tell whether a record is the first of all, or of a new boot that provably follows the old one's last.

    A collector's new boot begins with a gap from where the old one ended: if that is where we are, nothing is missing.
    From a device that we do not know, such a gap says that there were records before.
    """
    if _first(record) != 0:
        return False
    if stream is None:
        return isinstance(record, SampleBatch)
    return record.boot > stream.boot and isinstance(record, Gap) and 0 < record.start_ns <= stream.end_ns
