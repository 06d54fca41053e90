"""Promises of the outbox against a model: nothing committed vanishes but by an ack, or as named in a gap."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.outbox import Outbox
from spineclip.contract.clock import DrivenClock
from spineclip.contract.messages import Ack, Stored
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch, decode, encode

T0 = 1_700_000_000 * 10**9
XYZ = np.zeros((50, 3), dtype=np.int16)
MAX_BYTES = 12_000


class Kept(RuleBasedStateMachine):
    """Two wearables commit, a core acks, the process is restarted, the outbox overflows."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "outbox.sqlite"
        self.outbox = self._open()
        self.committed: dict[tuple[str, int, int], bytes] = {}
        self.boots = {device: (self.outbox.begin(device), 0) for device in ("a", "b")}
        self.at = 0

    def _open(self) -> Outbox:
        return Outbox(self.path, DrivenClock(T0), MAX_BYTES)

    def teardown(self) -> None:
        self.outbox.close()
        self._folder.cleanup()

    @rule(device=st.sampled_from(["a", "b"]), n=st.integers(1, 6))
    def commit(self, device: str, n: int) -> None:
        boot, seq = self.boots[device]
        records = []
        for k in range(n):
            t0_ns = T0 + self.at * 10**9
            records.append(SampleBatch(device, Placement.BELT, boot, seq + k, t0_ns, 20_000_000, 0.001, XYZ))
            self.committed[device, boot, seq + k] = encode(records[-1])
            self.at += 1
        self.outbox.append(records)
        self.boots[device] = boot, seq + n

    @rule(device=st.sampled_from(["a", "b"]), back=st.integers(0, 8))
    def ack(self, device: str, back: int) -> None:
        boot, seq = self.boots[device]
        through = seq - 1 - back
        if through >= 0:
            self.outbox.acknowledge(Ack({device: Stored(boot, through)}))
            for key in [k for k in self.committed if k[0] == device and k[1:] <= (boot, through)]:
                del self.committed[key]

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = self._open()
        for device, (boot, _) in self.boots.items():
            new = self.outbox.begin(device)
            assert new > boot
            self.boots[device] = new, 0

    @invariant()
    def each_is_there_or_named(self) -> None:
        rows = self.outbox.after(0, 10_000)
        there, named = {}, set()
        for row in rows:
            record = decode(row.payload, now_ns=1 << 62)
            if isinstance(record, Gap):
                assert record.from_seq is not None
                named |= {(row.device, row.boot, seq) for seq in range(record.from_seq, record.seq + 1)}
            else:
                there[row.device, row.boot, row.seq] = row.payload
        assert all(self.committed[key] == payload for key, payload in there.items())
        assert self.committed.keys() <= there.keys() | named
        assert there.keys().isdisjoint(named)
        assert self.outbox.backlog == len(rows)
        assert [row.row_id for row in rows] == sorted(row.row_id for row in rows)
        assert self.outbox.size_bytes <= MAX_BYTES + 8 * 500


TestKept = Kept.TestCase
TestKept.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
