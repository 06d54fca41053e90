"""What comes after it was given up: which part of the gap it fills, and what of the gap is left.

Pure: records in, stretches and gaps out. `processing/patient.py` has them counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from processing.intake import REASON_LOST, GivenUp
from processing.metrics import Point, Value
from processing.orientation import OrientationState
from spineclip.contract.wire import SampleBatch

QUIET_S: Final = 5.0
"""What comes late is used when nothing more has come for so long, so that a gap is filled at once."""
MOST: Final = 4096
REASON_LATE: Final = "late"
"""The reason of a gap whose samples have come after all; its length is then what is still missing."""
BEFORES: Final = 4
_GAP_NS: Final = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Stretch:
    """Batches that follow each other, and the time ``[start_ns, end_ns)`` that was missing and that they fill."""

    batches: tuple[SampleBatch, ...]
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Before:
    """How a clip sat when its samples ended for a while, so that what comes late of that while is seen with it."""

    end_ns: int
    orientation: OrientationState


def is_gap(end_ns: int, start_ns: int) -> bool:
    """Tell whether so much is missing between two records that how the clip sat is worth keeping."""
    return 0 < end_ns < start_ns - _GAP_NS


def remembered(known: tuple[Before, ...], new: Before) -> tuple[Before, ...]:
    """Remember one more; the oldest go first."""
    return (*known, new)[-BEFORES:]


def recalled(known: tuple[Before, ...], lost: GivenUp) -> OrientationState | None:
    """Return how a clip sat before what was given up, None where that is forgotten."""
    return next((one.orientation for one in reversed(known) if abs(one.end_ns - lost.start_ns) <= _GAP_NS), None)


def stretches(lost: GivenUp, batches: Iterable[SampleBatch]) -> list[Stretch]:
    """Put what came of a gap into stretches whose numbers follow each other."""
    found: list[Stretch] = []
    for batch in sorted((one for one in batches if lost.holds(one)), key=lambda one: one.seq):
        start_ns = max(lost.start_ns, batch.t0_ns) if batch.seq > lost.first else lost.start_ns
        end_ns = min(lost.end_ns, batch.end_ns) if batch.seq < lost.last else lost.end_ns
        if found and found[-1].batches[-1].seq == batch.seq - 1:
            found[-1] = Stretch((*found[-1].batches, batch), found[-1].start_ns, end_ns)
        else:
            found.append(Stretch((batch,), start_ns, end_ns))
    return found


def left(lost: GivenUp, filled: Iterable[Stretch]) -> tuple[GivenUp, ...]:
    """Return what is still missing of a gap, in order."""
    rest, open_ = [], lost
    for one in filled:
        first, last = one.batches[0].seq, one.batches[-1].seq
        if first > open_.first:
            rest.append(replace(open_, last=first - 1, end_ns=one.start_ns))
        open_ = replace(open_, first=last + 1, start_ns=one.end_ns)
    return (*rest, open_) if open_.first <= open_.last else tuple(rest)


def gap_points(patient: str, device: str, lost: GivenUp, rest: Iterable[GivenUp]) -> tuple[Point, ...]:
    """Write the gap anew: at its start what of it is filled, and what is left of it where it lies."""
    tags = {"patient": patient, "device": device}
    points = {lost.start_ns: Point("gap", lost.start_ns, tags, {"dur_s": 0.0, "reason": REASON_LATE})}
    for one in rest:
        if one.end_ns > one.start_ns:
            fields: dict[str, Value] = {"dur_s": (one.end_ns - one.start_ns) / 1e9, "reason": REASON_LOST}
            points[one.start_ns] = Point("gap", one.start_ns, tags, fields)
    return tuple(points.values())
