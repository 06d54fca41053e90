"""F9 and F10: an outbox that is full, and one whose file was damaged."""

from __future__ import annotations

import math
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collector.outbox import REASON_FULL, Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.contract.errors import OutboxError
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch, decode, encode
from tests.fault.world import PATIENT, content, core_here, metrics, sender, spying, until, uplink_here
from tests.servers.mosquitto import Broker
from tests.system.collecting import T0_NS, day_of_somebody
from tests.system.test_core import in_batch


@pytest.mark.server("mosquitto")
async def test_f09(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F9: the outbox is full (its bound, reached by a long outage), the oldest are dropped.

    Promise: the process lives; what is lost is what the gap records name, batch for batch; the rest is stored.
    """
    batches = day_of_somebody(300)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock(), max_bytes=60_000)
    for batch in batches:
        outbox.append([batch])
    assert outbox.size_bytes <= 60_000
    with spying(broker) as spy:
        store = SqliteStore(tmp_path / "metrics.db")
        async with core_here(broker, store, finish=True), uplink_here(broker, outbox) as uplink:
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
        sent = {batch.seq for batch in spy.batches}
        gaps = [record for record in spy.records.values() if isinstance(record, Gap)]
    named = {seq for gap in gaps for seq in range(gap.seq if gap.from_seq is None else gap.from_seq, gap.seq + 1)}
    stored = [point for key, point in content(store, PATIENT).items() if key[0] == "gap"]
    same = metrics(store) == in_batch([batch for batch in batches if batch.seq in sent], PATIENT)
    missing_s = sum(float(point.fields["dur_s"]) for point in stored)
    store.close()
    dropped = outbox.dropped
    outbox.close()
    figure(f"300 committed, {dropped} dropped, {len(named)} named in {len(gaps)} gaps, {missing_s:.0f} s stored as gap")
    assert named == set(range(300)) - sent
    assert (dropped, missing_s) == (len(named), pytest.approx(len(named)))
    assert {gap.reason for gap in gaps} == {REASON_FULL}
    assert same


@pytest.mark.parametrize("how", ["max_page_count", "RLIMIT_FSIZE"])
def test_f09_disk_full(how: str, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F9: the disk itself takes no more (PRAGMA max_page_count, RLIMIT_FSIZE).

    Promise: a refused commit raises, what was committed before is whole, and what could not be kept is named.
    """
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    batches = day_of_somebody(1500)
    outbox.append(batches[:200])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    taken, refused = 200, 0
    try:
        if how == "max_page_count":
            pages = int(outbox._db.execute("PRAGMA page_count").fetchone()[0])
            outbox._db.execute(f"PRAGMA max_page_count = {pages + 20}")
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
        for batch in batches[200:]:
            try:
                outbox.append([batch])
            except OutboxError:
                refused += 1
                if refused > 20:
                    break
            else:
                taken += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    kept = [decode(row.payload, now_ns=1 << 62) for row in outbox.after(0, 5000)]
    there = sum(isinstance(record, SampleBatch) for record in kept)
    named = sum(r.seq - r.from_seq + 1 for r in kept if isinstance(r, Gap) and r.from_seq is not None)
    dropped = outbox.dropped
    outbox.close()
    figure(f"{how}: {taken} taken, {there} there, {named} named as dropped, {refused} refused with an error")
    assert there + named == taken
    assert named == dropped


@pytest.mark.server("mosquitto")
@pytest.mark.parametrize("damage", ["truncated", "a flipped bit in a page", "a flipped bit in a record"])
async def test_f10(damage: str, broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F10: while the collector is off, its outbox is truncated, or a bit in it flips.

    Promise: noticed, the file moved aside (a single rotten record left out); running again within 5 s with a new boot;
    what can still be read is sent.
    """
    path = tmp_path / "outbox.sqlite"
    # begun a while ago: boots count seconds, and nobody fills, loses and reopens an outbox within one
    outbox = Outbox(path, DrivenClock(SystemClock().utc_ns() - 60 * 10**9))
    boot = outbox.begin("clip-1")
    outbox.append(day_of_somebody(100, boot=boot))
    payload = outbox.after(0, 100)[50].payload
    outbox.close()
    content_ = bytearray(path.read_bytes())
    if damage == "truncated":
        content_ = content_[: len(content_) // 2]
    elif damage.endswith("page"):
        with sqlite3.connect(path) as db:
            root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()[0]
        db.close()
        content_[(root - 1) * 4096] ^= 0x40
    else:
        content_[bytes(content_).find(payload[-200:]) + random.Random(1).randrange(150)] ^= 0x10
    path.write_bytes(content_)
    with spying(broker) as spy, sender(tmp_path, broker, 400, 0.05) as process:
        await process.said("opened")
        began_s = time.monotonic()
        opened = process.lines[0]
        await until(lambda: any(one.boot > boot for one in spy.batches))
        again_s = time.monotonic() - began_s
        if damage.endswith("record"):
            await until(lambda: sum(one.boot == boot for one in spy.batches) == 99)
    aside = list(tmp_path.glob("*.damaged-*.sqlite"))
    figure(
        f"{damage}: {'moved aside' if aside else 'one record left out'}; a new boot on the way after {again_s:.1f} s"
    )
    assert bool(aside) == (not damage.endswith("record"))
    assert ("damaged" in opened) == bool(aside)
    assert again_s <= 5


@pytest.mark.server("mosquitto")
@pytest.mark.parametrize("damage", ["its end is gone", "a page in it is overwritten", "all of it is overwritten"])
async def test_f10_reported(
    damage: str, broker: Broker, tmp_path: Path, figure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: an outbox of two minutes, of which a third is stored, is damaged; the collector goes on half a minute later.

    Promise: each second is stored or reported as a gap, whatever of the outbox could be read.
    """
    monkeypatch.setattr("processing.intake.GIVE_UP_S", 2.0)
    monkeypatch.setattr("processing.intake.GIVE_UP_BOOT_S", 2.0)
    path, clock = tmp_path / "outbox.sqlite", DrivenClock(T0_NS)
    store = SqliteStore(tmp_path / "metrics.db")
    day = day_of_somebody(200)
    async with core_here(broker, store, finish=True):
        outbox = Outbox(path, clock)
        boot = outbox.begin("clip-1")
        mine = [replace(batch, boot=boot) for batch in day]
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(mine[:40])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
        outbox.append(mine[40:120])
        outbox.close()
        _damage(path, damage, encode(mine[80]))
        clock.advance(150)
        outbox = Outbox(path, clock)
        salvaged = outbox.opened.salvaged
        boot, end_ns = outbox.begin("clip-1"), outbox.last_end_ns("clip-1")
        off: list[Record] = []
        if end_ns is not None:
            off = [Gap("clip-1", Placement.LOWER_BACK, boot, 0, end_ns, day[150].t0_ns, "collector-off")]
        async with uplink_here(broker, outbox) as uplink:
            outbox.append([*off, *(replace(one, boot=boot, seq=k + len(off)) for k, one in enumerate(day[150:]))])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
        outbox.close()
    seen = content(store, PATIENT)
    store.close()
    stored: set[int] = set()
    reported: set[int] = set()
    for (name, time_ns, _), point in seen.items():
        start_s = (time_ns - T0_NS) / 1e9
        if name == "activity" and float(point.fields["coverage"]) > 0:
            stored |= set(range(round(start_s), round(start_s) + 5))
        elif name == "gap":
            reported |= set(range(math.floor(start_s), math.ceil(start_s + float(point.fields["dur_s"]))))
    silent = set(range(200)) - stored - reported
    figure(
        f"{damage}: {salvaged} of 80 records read, {len(stored)} s stored, {len(reported)} s reported as gaps, "
        f"{len(silent)} s in silence"
    )
    assert not silent
    assert len(stored & reported) <= 5 * 4, "but for slots at an edge"
    assert (salvaged > 10) == (not damage.startswith("all"))


def _damage(path: Path, damage: str, record: bytes) -> None:
    whole = bytearray(path.read_bytes())
    if damage.startswith("its end"):
        del whole[len(whole) * 2 // 3 // 4096 * 4096 :]
    elif damage.startswith("a page"):
        at = whole.find(record[-100:]) // 4096 * 4096
        assert at > 0
        whole[at : at + 4096] = b"Z" * 4096
    else:
        whole[:] = b"Z" * len(whole)
    path.write_bytes(whole)
