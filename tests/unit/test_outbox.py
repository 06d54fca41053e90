"""Promise: what the outbox has taken is there until the core has it, and what it must drop is counted exactly."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from collector.outbox import REASON_FULL, Outbox
from spineclip.contract.clock import DrivenClock
from spineclip.contract.errors import OutboxError
from spineclip.contract.messages import Ack, Stored
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch, decode, encode

NOW_S = 1_700_000_000
CLOCK = DrivenClock(NOW_S * 10**9)


def _batch(boot: int, seq: int, device: str = "witmotion-1") -> SampleBatch:
    xyz = np.full((100, 3), seq % 1000, dtype=np.int16)
    return SampleBatch(device, Placement.STERNUM, boot, seq, (NOW_S + seq) * 10**9, 10_000_000, 0.001, xyz)


def _open(path: Path, **options: int) -> Outbox:
    return Outbox(path / "outbox.sqlite", CLOCK, **options)


def test_hands_out_what_it_took_in_order_and_byte_for_byte(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    batches = [_batch(boot, seq) for seq in range(5)]
    outbox.append(batches[:2])
    outbox.append(batches[2:])
    assert [row.payload for row in outbox.after(0, 10)] == [encode(batch) for batch in batches]
    outbox.close()
    again = _open(tmp_path)
    assert [row.payload for row in again.after(0, 10)] == [encode(batch) for batch in batches]
    assert again.last_end_ns("witmotion-1") == batches[-1].end_ns
    again.close()


def test_boots_rise_and_outlive_the_file(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    first, second = outbox.begin("a"), outbox.begin("a")
    assert NOW_S <= first < second
    outbox.close()
    again = _open(tmp_path)
    assert again.begin("a") == second + 1
    again.close()
    elsewhere = Outbox(tmp_path / "new" / "outbox.sqlite", DrivenClock((NOW_S + 60) * 10**9))
    assert elsewhere.begin("a") > second
    elsewhere.close()


def test_an_ack_deletes_what_is_stored_and_closes_earlier_boots(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    old, new = outbox.begin("witmotion-1"), outbox.begin("witmotion-1")
    outbox.append([_batch(old, 7), *(_batch(new, seq) for seq in range(4)), _batch(old, 0, "witmotion-2")])
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(new, 1)})) == 3
    assert [(row.device, row.seq) for row in outbox.after(0, 10)] == [
        ("witmotion-1", 2), ("witmotion-1", 3), ("witmotion-2", 0),
    ]  # fmt: skip
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(new, 1)})) == 0
    outbox.acknowledge(Ack({"witmotion-1": Stored(new, 3), "witmotion-2": Stored(old, 0)}))
    assert outbox.backlog == 0
    assert outbox.size_bytes == 0
    outbox.close()


def test_a_lost_outbox_on_a_slow_clock_moves_past_the_boots_that_the_core_knows(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    outbox.append([_batch(boot, 0), _batch(boot, 1)])
    later = boot + 5000
    # The core stored a boot that we know nothing of: ours would be refused as closed, and must not be deleted.
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(later, 70)})) == 0
    outbox.append([_batch(boot, 2)])
    rows = outbox.after(0, 10)
    assert [(row.boot, row.seq) for row in rows] == [(later + 1, 0), (later + 1, 1), (later + 1, 2)]
    assert [row.payload for row in rows] == [encode(_batch(later + 1, seq)) for seq in range(3)]
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(later, 70)})) == 0
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(later + 1, 2)})) == 3
    assert outbox.begin("witmotion-1") > later + 1
    outbox.close()


def test_rows_rise_even_after_all_were_acknowledged(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    last = 0
    for seq in range(3):
        outbox.append([_batch(boot, seq)])
        (row,) = outbox.after(last, 10)
        last = row.row_id
        outbox.acknowledge(Ack({"witmotion-1": Stored(boot, seq)}))
    outbox.close()


def test_full_drops_the_oldest_and_says_exactly_which(tmp_path: Path) -> None:
    outbox = _open(tmp_path, max_bytes=20_000)
    boots = {name: outbox.begin(name) for name in ("a", "b")}
    for seq in range(100):
        outbox.append([_batch(boots[name], seq, name) for name in boots])
        assert outbox.size_bytes <= 20_000
        assert outbox.backlog == len(outbox.after(0, 1000))
    records = [decode(row.payload, now_ns=1 << 62) for row in outbox.after(0, 1000)]
    for name in boots:
        mine = [record for record in records if record.device == name]
        gap, rest = mine[0], mine[1:]
        assert isinstance(gap, Gap)
        assert (gap.reason, gap.from_seq) == (REASON_FULL, 0)
        assert (gap.start_ns, gap.end_ns) == (NOW_S * 10**9, (NOW_S + gap.seq + 1) * 10**9)
        # Nothing missing but what the gap names, and nothing twice.
        assert [record.seq for record in rest] == list(range(gap.seq + 1, 100))
    gaps = [record for record in records if isinstance(record, Gap)]
    assert len(gaps) == 2
    assert outbox.dropped == sum(gap.seq + 1 for gap in gaps)
    outbox.close()


def test_a_resend_of_dropped_records_gets_the_gap_that_stands_for_them(tmp_path: Path) -> None:
    outbox = _open(tmp_path, max_bytes=20_000)
    boot = outbox.begin("a")
    for seq in range(60):
        outbox.append([_batch(boot, seq, "a")])
    (row,) = outbox.between("a", boot, 0, 3, 10)
    gap = decode(row.payload, now_ns=1 << 62)
    assert isinstance(gap, Gap)
    assert [row.seq for row in outbox.between("a", boot, 55, 57, 10)] == [55, 56, 57]
    outbox.close()


def test_two_processes_cannot_share_a_file(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    with pytest.raises(OutboxError, match="in use by another process"):
        _open(tmp_path)
    outbox.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxError, match="newer spineclip"):
        _open(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("damage", ["truncated", "zeroed-page", "not-a-database"])
def test_f10_a_damaged_file_is_moved_aside_and_a_new_boot_begins(tmp_path: Path, damage: str) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    for seq in range(50):
        outbox.append([_batch(boot, seq)])
    outbox.close()
    path = tmp_path / "outbox.sqlite"
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "zeroed-page":
        content[4096:8192] = bytes(4096)
    else:
        content = bytearray(b"this is a letter, not a database\n" * 300)
    path.write_bytes(content)
    again = _open(tmp_path)
    assert again.opened.damaged is not None
    assert again.opened.damaged.exists()
    assert again.backlog == again.opened.salvaged
    CLOCK.advance(1.0)
    assert again.begin("witmotion-1") > boot
    again.append([_batch(boot + 1, 0)])
    assert again.backlog == again.opened.salvaged + 1
    again.close()


def test_f10_a_flipped_bit_in_a_record_is_noticed(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    outbox.append([_batch(boot, seq) for seq in range(3)])
    outbox.close()
    path = tmp_path / "outbox.sqlite"
    content = bytearray(path.read_bytes())
    at = bytes(content).find(encode(_batch(boot, 1))[-300:]) + 150
    content[at] ^= 0x10
    path.write_bytes(content)
    again = _open(tmp_path)
    held = again.size_bytes
    assert [row.seq for row in again.after(0, 10)] == [0, 2]
    assert again.damaged_records == 1
    assert again.size_bytes == held * 2 // 3, "what is gone takes no room any more"
    again.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM records").fetchone() == (2,), "and is gone from the file"


def test_records_that_are_here_already_are_counted_once(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    outbox.append([_batch(boot, 0)])
    held = outbox.size_bytes
    outbox.append([_batch(boot, 0)])
    assert (outbox.backlog, outbox.size_bytes) == (1, held)
    outbox.close()


_WRITER = """
import sys
from pathlib import Path
from collector.outbox import Outbox
from spineclip.contract.clock import SystemClock
from tests.unit.test_outbox import _batch
outbox = Outbox(Path(sys.argv[1]), SystemClock())
boot = outbox.begin("witmotion-1")
for seq in range(100_000):
    outbox.append([_batch(boot, seq)])
    print(boot, seq, flush=True)
"""


def test_f1_nothing_committed_is_lost_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    promised: set[tuple[int, int]] = set()
    for lines in (3, 20, 77):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(lines):
            boot, seq = writer.stdout.readline().split()
            promised.add((int(boot), int(seq)))
        os.kill(writer.pid, signal.SIGKILL)
        promised |= {(int(line.split()[0]), int(line.split()[1])) for line in writer.stdout if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()
    outbox = Outbox(path, CLOCK)
    kept = {(row.boot, row.seq) for row in outbox.after(0, 1_000_000)}
    assert promised <= kept
    # At most the one batch of each life whose commit was not yet reported.
    assert len(kept - promised) <= 3
    outbox.close()


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from collector.outbox import Outbox
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import OutboxError
from tests.unit.test_outbox import _batch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = Outbox(Path(sys.argv[1]), SystemClock())
boot = outbox.begin("witmotion-1")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
refused = taken = 0
for seq in range(2_000):
    try:
        outbox.append([_batch(boot, seq)])
        taken += 1
    except OutboxError as error:
        assert "Make room on the disk" in str(error), error
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
outbox.append([_batch(boot, 2_000)])
print(boot, taken, refused, outbox.dropped)
"""


def test_f9_a_disk_that_takes_no_more_is_survived_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path)], check=True, capture_output=True, text=True, timeout=100
    )
    boot, taken, refused, dropped = (int(word) for word in done.stdout.split())
    assert taken + refused == 2_000
    assert refused or dropped, "the limit was never met"
    outbox = Outbox(path, CLOCK)
    records = [decode(row.payload, now_ns=1 << 62) for row in outbox.after(0, 10_000)]
    gaps = [record for record in records if isinstance(record, Gap)]
    kept = [record for record in records if isinstance(record, SampleBatch)]
    assert all(record.boot == boot for record in records)
    assert sum(gap.seq - (gap.from_seq or 0) + 1 for gap in gaps) >= dropped
    # What was taken is there, or lies in the gap that stands for what had to go.
    assert len(kept) + dropped == taken + 1
    outbox.close()


def test_what_another_collectors_boot_closes_is_moved_past_it_and_not_lost(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    first, clock = outbox.begin("witmotion-1"), CLOCK.utc_ns() // 10**9
    outbox.append([_batch(first, seq) for seq in (4, 5)])
    outbox.close()
    outbox = Outbox(tmp_path / "outbox.sqlite", DrivenClock((clock + 500) * 10**9))
    second = outbox.begin("witmotion-1")
    outbox.append([_batch(second, 0)])
    strange = first + 100  # between ours: the core takes our first boot for closed, but it is not stored
    assert first < strange < second
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(strange, 70)})) == 0
    assert [(row.boot, row.seq) for row in outbox.after(0, 10)] == [(second + 1, seq) for seq in range(3)]
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(strange, 71)})) == 0, "nothing of ours is before it any more"
    assert outbox.outrun == 1
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(second + 1, 2)})) == 3
    outbox.close()


def test_a_stream_goes_on_from_0_after_another_collector_had_the_wearable(tmp_path: Path) -> None:
    outbox = _open(tmp_path)
    boot = outbox.begin("witmotion-1")
    outbox.append([_batch(boot, seq) for seq in range(3)])
    assert outbox.acknowledge(Ack({"witmotion-1": Stored(boot, 2)})) == 3
    for turn, strange in enumerate((boot + 7, boot + 20)):
        outbox.acknowledge(Ack({"witmotion-1": Stored(strange, 70)}))
        outbox.append([_batch(boot, 3 + 2 * turn), _batch(boot, 4 + 2 * turn)])
        assert [(row.boot, row.seq) for row in outbox.after(0, 10)] == [(strange + 1, 0), (strange + 1, 1)]
        outbox.acknowledge(Ack({"witmotion-1": Stored(strange + 1, 1)}))
        assert outbox.backlog == 0
    outbox.close()
