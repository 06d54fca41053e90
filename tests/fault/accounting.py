"""Who checks what arrived against what was sent: each sample is there, or lies where a gap is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from firmware_sim.firmware.base import Samples
from firmware_sim.firmware.streaming import StreamingFirmware
from spineclip.contract.wire import Gap, Record

_AHEAD = 3000


@dataclass(frozen=True)
class Account:
    """Of the samples that were sent: how many were received, lie in a gap, and are missing without one.

    `lengths` are the gaps between two batches: how long each is said to be, how long it truly was, and how far its ends
    may be off by what the batches at both sides say; ns.
    """

    received: int
    named: int
    unexplained: int
    lengths: tuple[tuple[str, int, int, int], ...]


def account(records: Iterable[Record], twin: StreamingFirmware, value_g: float) -> Account:
    """Match received samples to the truth by value and order.

    Every sample that is missing must lie between two batches that have a gap between them, which reaches from the end
    of the one to the begin of the other, to the nanosecond.
    """
    gaps: list[Gap] = []
    where: list[int] = []
    lengths: list[tuple[str, int, int, int]] = []
    named = unexplained = end_ns = error_ns = 0
    sent, times = twin.truth.xyz_g, twin.truth.t_ns
    period_ns = int(np.median(np.diff(times)))
    for record in records:
        if isinstance(record, Gap):
            assert not end_ns or record.start_ns == (gaps[-1].end_ns if gaps else end_ns)
            gaps.append(record)
            continue
        at = where[-1] + 1 if where else 0
        found = _find(record.xyz_g(), sent[at : at + _AHEAD], value_g, at)
        missing = np.setdiff1d(np.arange(at, found[-1]), found)
        before = int(np.count_nonzero(missing < found[0])) if gaps else 0
        named += before
        unexplained += len(missing) - before
        if gaps:
            assert gaps[-1].end_ns == record.t0_ns
            if where:
                said_ns, true_ns = record.t0_ns - end_ns, int(times[found[0]] - times[where[-1]]) - period_ns
                lengths.append((gaps[0].reason, said_ns, true_ns, error_ns + (record.clock_error_ns or 0)))
        where += found
        gaps, end_ns, error_ns = [], record.end_ns, record.clock_error_ns or 0
    unexplained += len(sent) - 1 - where[-1]
    return Account(len(where), named, unexplained, tuple(lengths))


def _find(got: Samples, sent: Samples, value_g: float, at: int) -> list[int]:
    """Find a batch in what was sent: whole, or with losses inside, sample by sample."""
    starts = np.flatnonzero(np.abs(sent[: len(sent) - len(got) + 1] - got[0]).max(axis=1) <= value_g)
    for start in starts.tolist():
        if np.abs(sent[start : start + len(got)] - got).max() <= value_g:
            return list(range(at + start, at + start + len(got)))
    found: list[int] = []
    k = 0
    for row in got:
        near = np.abs(sent[k:] - row).max(axis=1) <= value_g
        assert near.any(), "a sample that was never sent, came twice, or came out of order"
        k += int(np.argmax(near)) + 1
        found.append(at + k - 1)
    return found
