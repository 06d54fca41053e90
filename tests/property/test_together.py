"""Promise: records of the past that are processed together give the metrics that each by itself would have given."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.metrics import Point
from processing.patient import TOGETHER, Patient
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch
from tests.system.collecting import T0_NS, day_of_somebody

SECOND = 10**9
LENGTH = 70
DAY = day_of_somebody(LENGTH)
UPPER = [replace(one, device="clip-2", placement=Placement.UPPER_BACK) for one in day_of_somebody(LENGTH, seed=3)]


def _stored(patient: Patient) -> dict[object, Point]:
    patient.finish()
    points = patient.commit().points
    return {
        (one.measurement, one.time_ns, tuple(sorted(one.tags.items()))): one
        for one in points
        if one.measurement != "nudge"  # of the present, which the past is not
    }


def _singly(records: list[Record]) -> dict[object, Point]:
    patient = Patient("p-1")
    for record in records:
        patient.take(record, now_s=0.0)
    return _stored(patient)


def _together(records: list[Record], cuts: list[int]) -> dict[object, Point]:
    patient = Patient("p-1")
    edges = sorted({0, *(cut for cut in cuts if cut < len(records)), len(records)})
    for first, end in itertools.pairwise(edges):
        for at in range(first, end, TOGETHER):
            patient.take(*records[at : min(at + TOGETHER, end)], now_s=0.0, past_ns=1 << 62)
    return _stored(patient)


def _with_holes(batches: list[SampleBatch], holes: list[int]) -> list[Record]:
    """Gaps in the place of some batches, and half of some others cut off."""
    out: list[Record] = []
    for batch in batches:
        if batch.seq in holes and batch.seq % 2:
            end_ns = batch.end_ns
            out.append(Gap(batch.device, batch.placement, batch.boot, batch.seq, batch.t0_ns, end_ns, "lost"))
        elif batch.seq in holes:
            out.append(replace(batch, xyz=np.ascontiguousarray(batch.xyz[:20])))
        else:
            out.append(batch)
    return out


@settings(max_examples=6)
@given(st.lists(st.integers(1, LENGTH - 1), max_size=8), st.lists(st.integers(1, LENGTH - 1), max_size=6))
def test_one_clip(cuts: list[int], holes: list[int]) -> None:
    records = _with_holes(DAY, holes)
    assert _together(records, cuts) == _singly(records)


@settings(max_examples=3)
@given(st.lists(st.integers(1, 2 * LENGTH - 1), max_size=8), st.lists(st.integers(1, LENGTH - 1), max_size=4))
def test_two_clips_of_one_person(cuts: list[int], holes: list[int]) -> None:
    records = [one for pair in zip(_with_holes(DAY, holes), UPPER, strict=True) for one in pair]
    assert _together(records, cuts) == _singly(records)


def test_the_present_is_looked_at_second_by_second() -> None:
    patient, now_ns = Patient("p-1"), T0_NS + 20 * SECOND
    patient.take(*DAY[:20], now_s=0.0, past_ns=now_ns)
    lives = [patient.take(one, now_s=0.0, past_ns=now_ns).live for one in DAY[20:25]]
    assert [live is not None for live in lives] == [True] * 5
