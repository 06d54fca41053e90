"""Promise: eight wearables, many faults at random: what is received is what was sent, less what is named as a gap.

``SPINECLIP_SOAK=120:100`` (which is what ``make soak-wearables`` does) makes it a hundred faults in two minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from collector import link as link_module
from collector.service import Collector, CollectorSettings, WornClip
from collector.wearables import by_kind
from firmware_sim.device import VirtualDevice
from firmware_sim.firmware.base import Samples
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import H10, VERITY_SENSE, Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.link import LinkModel
from firmware_sim.radio import VirtualRadio
from spineclip.broker import embedded_broker
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record
from tests.system.test_collector import PATIENT, StandIn, Turning, until

MAKERS = {
    "polar-h10": lambda: Polar(Turning(), model=H10),
    "polar-sense": lambda: Polar(Turning(), model=VERITY_SENSE, address="C0:50:4F:4C:00:02"),
    "movesense": lambda: Movesense(Turning()),
    "witmotion": lambda: Witmotion(Turning()),
    "espruino": lambda: Espruino(Turning()),
    "metamotion": lambda: Metamotion(Turning()),
    "dot": lambda: MovellaDot(Turning()),
    "diy": lambda: Diy(Turning()),
}


async def _fault(dice: random.Random, radio: VirtualRadio, device: VirtualDevice, counted: Counter[str]) -> None:
    kind = dice.choices(["drop", "stall", "away", "bluez", "bus"], [10, 4, 4, 1, 1])[0]
    counted[kind] += 1
    if kind == "drop":
        device.drop_link()
    elif kind == "stall":
        device.faults.stalled = True
        await asyncio.sleep(dice.uniform(0.2, 4.0))
        device.faults.stalled = False
    elif kind == "away":
        device.go_away()
        await asyncio.sleep(dice.uniform(0.5, 2.0))
        device.come_back()
    elif kind == "bluez":
        radio.kill_bluez()
        await asyncio.sleep(0.5)
        radio.revive_bluez()
    else:
        await radio.kill_bus()
        await asyncio.sleep(0.5)
        await radio.revive_bus()


def _find(got: Samples, sent: Samples, value_g: float, at: int) -> list[int]:
    """Find a batch in what was sent: whole, or with losses inside that nobody can see, sample by sample."""
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


def account(records: list[Record], twin: StreamingFirmware, value_g: float, *, exactly: bool) -> tuple[int, int, int]:
    """Match received samples to the truth by value and order; return received, in gaps, and unexplained.

    Unexplained are samples that were sent, did not arrive, and that no gap names.

    Exactly: a wearable whose packets tell number or time shows each loss where it was. All missing samples must lie
    between two batches that have a gap between them, which reaches from the end of the one to the begin of the other,
    to the nanosecond. From one that tells neither, a loss shows only as lateness, which ordinary delays of the radio
    hide up to some tens of milliseconds: there the samples must lie in a gap by their times, give or take so much.
    """
    gaps: list[Gap] = []
    where: list[int] = []
    named = unexplained = 0
    end_ns = 0
    sent, times = twin.truth.xyz_g, twin.truth.t_ns
    for record in records:
        if isinstance(record, Gap):
            assert not end_ns or record.start_ns == (gaps[-1].end_ns if gaps else end_ns)
            gaps.append(record)
            continue
        at = where[-1] + 1 if where else 0
        found = _find(record.xyz_g(), sent[at : at + 3000], value_g, at)
        missing = np.setdiff1d(np.arange(at, found[-1]), found) if where else np.empty(0, int)
        if exactly:
            assert not gaps or gaps[-1].end_ns == record.t0_ns
            within = missing[missing < found[0]] if gaps else missing[:0]
            named += len(within)
            unexplained += len(missing) - len(within)
        else:
            near = [(gap.start_ns - _NEAR_NS, gap.end_ns + _NEAR_NS) for gap in gaps]
            inside = [any(start <= t < end for start, end in near) for t in times[missing].tolist()]
            named += sum(inside)
            unexplained += len(missing) - sum(inside)
        where += found
        gaps, end_ns = [], record.end_ns
    assert where[0] == 0 or not exactly
    assert where[-1] == len(sent) - 1, "the wearable was stopped first: nothing is on its way any more"
    return len(where), named, unexplained + where[0]


_NEAR_NS = 60_000_000


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_f13_f14_what_arrives_is_what_was_sent_less_the_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_BACKOFF_S", (0.2, 0.5, 1.0))
    seconds, faults = (int(part) for part in os.environ.get("SPINECLIP_SOAK", "20:16").split(":"))
    dice = random.Random(11)
    counted: Counter[str] = Counter()
    said: list[str] = []
    async with VirtualRadio() as radio, embedded_broker() as broker:
        devices = {
            kind: radio.add(make(), link=LinkModel(packets_per_event=12, queue=200)) for kind, make in MAKERS.items()
        }
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access)
        clips = tuple(WornClip(kind, Placement.STERNUM) for kind in MAKERS)
        settings = CollectorSettings(PATIENT, clips, access, tmp_path / "outbox.sqlite", rate_hz=50.0)
        collector = Collector(settings, SystemClock(), said.append)
        task = asyncio.create_task(collector.run())
        await until(lambda: collector.streaming == len(MAKERS), 60)
        await asyncio.sleep(3)
        storm = [
            asyncio.create_task(_later(k * seconds / faults, dice, radio, dice.choice(list(devices.values())), counted))
            for k in range(faults)
        ]
        await asyncio.gather(*storm)
        await until(lambda: collector.streaming == len(MAKERS), 60)
        await asyncio.sleep(3)
        for device in devices.values():  # what is on its way shall arrive, so that the count can be exact
            assert isinstance(device.firmware, StreamingFirmware)
            device.firmware.stop(radio.now_ns())
        await asyncio.sleep(0.5)
        collector.stop()
        await asyncio.wait_for(task, 20)
        assert collector.backlog == 0
        core.close()
    print(f"faults: {dict(counted)}")
    by_device: dict[str, list[Record]] = {}
    for record in core.in_order:
        by_device.setdefault(record.device.rpartition("-")[0], []).append(record)
    assert set(by_device) == set(MAKERS)
    mistakes = 0
    for kind, records in by_device.items():
        twin = devices[kind].firmware
        assert isinstance(twin, StreamingFirmware)
        family = by_kind(kind)
        tells = family.clock is not None or family.counter_bits is not None
        received, named, unexplained = account(records, twin, 0.0003, exactly=tells)
        reasons = Counter(record.reason for record in records if isinstance(record, Gap))
        print(f"{kind}: sent {twin.truth.samples}, received {received}, in gaps {named}, unexplained {unexplained}, "
              f"gaps {dict(reasons)}")  # fmt: skip
        assert received + named + unexplained == twin.truth.samples
        mistakes += unexplained
    assert mistakes == 0


async def _later(
    seconds: float, dice: random.Random, radio: VirtualRadio, device: VirtualDevice, counted: Counter[str]
) -> None:
    await asyncio.sleep(seconds)
    await _fault(dice, radio, device, counted)
