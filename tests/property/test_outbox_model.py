"""Promise: whatever is appended, acked, dropped or reopened, the outbox holds what a simple model says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collector.outbox import Outbox
from spineclip.contract.clock import DrivenClock
from spineclip.contract.messages import Ack, Stored
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch, decode

NOW_S = 1_700_000_000
DEVICES = st.sampled_from(["a", "b", "c"])


class OutboxModel(RuleBasedStateMachine):
    """The model keeps the set of (device, boot, seq) that were appended and not acked."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._clock = DrivenClock(NOW_S * 10**9)
        self._boots: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._waiting: set[tuple[str, int, int]] = set()
        self._appended = 0
        self._acked = 0

    @initialize(limit=st.integers(3_000, 60_000))
    def open(self, limit: int) -> None:
        self._limit = limit
        self._outbox = self._open()

    def _open(self) -> Outbox:
        return Outbox(Path(self._folder.name) / "outbox.sqlite", self._clock, self._limit)

    @rule(device=DEVICES)
    def begin(self, device: str) -> None:
        boot = self._outbox.begin(device)
        assert boot > self._boots.get(device, 0)
        self._boots[device], self._next[device] = boot, 0

    @rule(device=DEVICES, n=st.integers(1, 12), samples=st.integers(1, 120))
    def append(self, device: str, n: int, samples: int) -> None:
        if device not in self._boots:
            self.begin(device)
        boot, first = self._boots[device], self._next[device]
        records = [
            SampleBatch(
                device, Placement.BELT, boot, seq, (NOW_S + seq) * 10**9, 10**7, 0.001,
                np.full((samples, 3), seq % 1000, np.int16),
            )
            for seq in range(first, first + n)
        ]  # fmt: skip
        self._outbox.append(records)
        self._next[device] = first + n
        self._waiting |= {(device, boot, seq) for seq in range(first, first + n)}

    @rule(device=DEVICES, share=st.floats(0, 1))
    def acknowledge(self, device: str, share: float) -> None:
        if not self._next.get(device):
            return
        boot, through = self._boots[device], int(share * (self._next[device] - 1))
        self._outbox.acknowledge(Ack({device: Stored(boot, through)}))
        self._waiting = {
            (d, b, seq) for d, b, seq in self._waiting if d != device or (b == boot and seq > through) or b > boot
        }

    @rule()
    def reopen(self) -> None:
        self._outbox.close()
        self._outbox = self._open()

    @invariant()
    def every_waiting_record_is_there_or_stood_for(self) -> None:
        if not hasattr(self, "_outbox"):
            return
        rows = self._outbox.after(0, 1_000_000)
        assert self._outbox.backlog == len(rows)
        assert [row.row_id for row in rows] == sorted({row.row_id for row in rows})
        found: set[tuple[str, int, int]] = set()
        for row in rows:
            record = decode(row.payload, now_ns=1 << 62)
            assert (record.device, record.boot, record.seq) == (row.device, row.boot, row.seq)
            first = record.from_seq if isinstance(record, Gap) and record.from_seq is not None else record.seq
            covered = {(row.device, row.boot, seq) for seq in range(first, record.seq + 1)}
            assert not covered & found, "a record is there twice"
            found |= covered
        assert self._waiting <= found
        # A gap may still name records that were acked meanwhile; nothing else may be there beyond the model.
        extra = {(row.device, row.boot, row.seq) for row in rows} - self._waiting
        assert not extra

    @invariant()
    def it_stays_within_its_bound(self) -> None:
        if hasattr(self, "_outbox"):
            # Gap records stand for dropped ones and cannot be dropped themselves: one a device and boot.
            floor = 300 * len({(d, b) for d, b, _ in self._waiting}) + 12 * 1_000
            assert self._outbox.size_bytes <= max(self._limit, floor)

    def teardown(self) -> None:
        if hasattr(self, "_outbox"):
            self._outbox.close()
        self._folder.cleanup()


TestOutboxModel: Any = OutboxModel.TestCase
TestOutboxModel.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
