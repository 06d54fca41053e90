"""Make the files of today's version that later versions must still read: ``python -m tests.data.make``.

One outbox and one checkpoint per version; a file that is there already is never made anew.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from collector.outbox import SCHEMA_VERSION, Outbox
from processing.checkpoint import VERSION
from processing.patient import Patient
from spineclip.contract.clock import DrivenClock
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap
from tests.system.collecting import T0_NS, day_of_somebody

HERE = Path(__file__).parent
PATIENT = "p-kept"
BATCHES = 20


def outbox_file(version: int = SCHEMA_VERSION) -> Path:
    """The outbox that a version has written."""
    return HERE / f"outbox-v{version}.sqlite"


def checkpoint_file(version: int = VERSION) -> Path:
    """The checkpoint that a version has written."""
    return HERE / f"checkpoint-v{version}.cbor"


def make_outbox(path: Path) -> None:
    """Twenty seconds and a gap of a wearable that nobody has acknowledged."""
    outbox = Outbox(path, DrivenClock(T0_NS))
    boot = outbox.begin("clip-1")
    gap = Gap("clip-1", Placement.LOWER_BACK, boot, BATCHES, T0_NS + 20 * 10**9, T0_NS + 30 * 10**9, "link-lost")
    outbox.append([*day_of_somebody(BATCHES, boot=boot), gap])
    outbox.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    db.execute("VACUUM")
    db.close()


def make_checkpoint(path: Path) -> None:
    """Somebody after three minutes."""
    patient = Patient(PATIENT)
    for batch in day_of_somebody(180):
        patient.take(batch, now_s=0.0)
    path.write_bytes(patient.commit().checkpoint)


if __name__ == "__main__":
    for file, make in ((outbox_file(), make_outbox), (checkpoint_file(), make_checkpoint)):
        if not file.exists():
            make(file)
            print(f"made {file.name}, {file.stat().st_size} bytes")
