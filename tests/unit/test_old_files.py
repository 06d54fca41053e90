"""Promise: what a released version has left on disk is read by every later one (``tests/data/make.py`` makes them)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from collector.outbox import SCHEMA_VERSION, Outbox
from processing.checkpoint import VERSION
from processing.patient import Patient
from spineclip.contract.clock import DrivenClock
from spineclip.contract.wire import Gap, SampleBatch, decode
from tests.data.make import BATCHES, HERE, PATIENT, checkpoint_file, outbox_file
from tests.system.collecting import T0_NS, day_of_somebody

CHECKPOINTS = sorted(HERE.glob("checkpoint-*.cbor"))
"""One of each version, and of the first one the last that was written, too: its fields had changed since."""


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_an_outbox_of_any_version_is_sent_and_continued(version: int, tmp_path: Path) -> None:
    shutil.copy(outbox_file(version), tmp_path / "outbox.sqlite")
    outbox = Outbox(tmp_path / "outbox.sqlite", DrivenClock(T0_NS))
    assert outbox.opened.damaged is None
    *batches, gap = [decode(row.payload, now_ns=1 << 62) for row in outbox.after(0, 100)]
    assert isinstance(gap, Gap)
    truth = day_of_somebody(BATCHES)
    assert [b.t0_ns for b in batches if isinstance(b, SampleBatch)] == [b.t0_ns for b in truth]
    assert all((b.xyz == t.xyz).all() for b, t in zip(batches, truth, strict=True) if isinstance(b, SampleBatch))
    assert outbox.last_end_ns("clip-1") == gap.end_ns
    assert outbox.begin("clip-1") > gap.boot
    outbox.close()


def test_there_is_a_checkpoint_of_each_version() -> None:
    assert {checkpoint_file(version) for version in range(1, VERSION + 1)} <= set(CHECKPOINTS)


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.stem)
def test_a_checkpoint_of_any_version_goes_on(path: Path) -> None:
    patient = Patient.resume(PATIENT, path.read_bytes())
    assert patient.intake.state.ack().stored["clip-1"].through_seq == 179
    for batch in day_of_somebody(240)[180:]:
        patient.take(batch, now_s=0.0)
    patient.finish()
    days = [point for point in patient.commit().points if point.measurement == "daily"]
    assert days
    assert float(days[-1].fields["walking_min"]) > 1.0
