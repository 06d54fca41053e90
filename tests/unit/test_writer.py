"""Promise: while the disk takes nothing, records wait; those for which there is no room are named by a gap."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from collector import writer as writer_module
from collector.outbox import REASON_FULL, Outbox
from collector.writer import Writer
from spineclip.contract.clock import DrivenClock
from spineclip.contract.errors import OutboxError
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch, decode

S = 10**9
T0_NS = 1_700_000_000 * S


def _batch(device: str, boot: int, seq: int) -> SampleBatch:
    return SampleBatch(device, Placement.STERNUM, boot, seq, T0_NS + seq * S, S, 0.001, np.zeros((1, 3), np.int16))


async def test_f05_nothing_is_let_go_without_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wearables, sixty records each; the disk refuses from the 20th on to the 50th, and memory has room for 10."""
    monkeypatch.setattr(writer_module, "_HELD", 10)
    monkeypatch.setattr(writer_module, "_RETRY_S", 0.001)
    outbox = Outbox(tmp_path / "outbox.sqlite", DrivenClock(T0_NS))
    boots = {device: outbox.begin(device) for device in ("a", "b")}
    troubles: list[OutboxError] = []
    writer = Writer(outbox, lambda: None, troubles.append)
    task = asyncio.create_task(writer.run())

    async def committed() -> None:
        async with asyncio.timeout(20):
            while writer.waiting:
                await asyncio.sleep(0.001)

    for seq in range(60):
        if seq == 20:
            await committed()
            outbox._db.execute("PRAGMA query_only = ON")  # the disk, or an administrator, has made it read-only
        if seq == 50:
            assert writer.let_go == 2 * 30 - 10
            outbox._db.execute("PRAGMA query_only = OFF")
            await committed()
        writer.put([_batch(device, boot, seq) for device, boot in boots.items()])
        if not 20 <= seq < 50:
            await committed()
        elif seq == 21:
            async with asyncio.timeout(20):
                while not troubles:
                    await asyncio.sleep(0.001)
    await writer.stop(task)
    assert len(troubles) == 1
    for device in boots:
        records: list[Record] = [
            decode(row.payload, now_ns=1 << 62) for row in outbox.after(0, 1000) if row.device == device
        ]
        (gap,) = [record for record in records if isinstance(record, Gap)]
        # 10 places for two wearables: each kept 20 to 24; 25 to 49 were let go.
        assert (gap.from_seq, gap.seq, gap.reason) == (25, 49, REASON_FULL)
        assert (gap.start_ns, gap.end_ns) == (T0_NS + 25 * S, T0_NS + 50 * S)
        begins = [gap.from_seq if record is gap else record.seq for record in records]
        assert begins[0] == 0
        assert all(begin == before.seq + 1 for before, begin in zip(records, begins[1:], strict=False))
        assert records[-1].seq == 59
        assert all(a.seq < b.seq for a, b in pairwise(records))
    outbox.close()
