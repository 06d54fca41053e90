"""Promise: eight wearables, many faults at random: what is received is what was sent, less what is named as a gap.

Exactly, for each of them, whether or not its packets carry a number or a time: every sample that is missing lies
between two batches that have a gap between them. How long a gap is said to be is right within what the batches at both
its sides say of their times.

``SPINECLIP_SOAK=120:100`` (which is what ``make soak-wearables`` does) makes it a hundred faults in two minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from collector import link as link_module
from collector.service import Collector, CollectorSettings, WornClip
from firmware_sim.device import VirtualDevice
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
from spineclip.logs import hush_dead_bus
from tests.fault.accounting import account
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


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_f13_f14_what_arrives_is_what_was_sent_less_the_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_BACKOFF_S", (0.2, 0.5, 1.0))
    hush_dead_bus()
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
    within: list[bool] = []
    for kind, records in by_device.items():
        twin = devices[kind].firmware
        assert isinstance(twin, StreamingFirmware)
        found = account(records, twin, 0.0003)
        reasons = Counter(record.reason for record in records if isinstance(record, Gap))
        print(f"{kind}: sent {twin.truth.samples}, received {found.received}, in gaps {found.named}, "
              f"unexplained {found.unexplained}, gaps {dict(reasons)}")  # fmt: skip
        assert found.unexplained == 0
        assert found.received + found.named == twin.truth.samples
        within += [abs(said_ns - true_ns) <= error_ns for _, said_ns, true_ns, error_ns in found.lengths]
    print(f"gaps as long as is said, give or take what is said: {sum(within)} of {len(within)}")
    assert sum(within) >= 0.95 * len(within) - 1


async def _later(
    seconds: float, dice: random.Random, radio: VirtualRadio, device: VirtualDevice, counted: Counter[str]
) -> None:
    await asyncio.sleep(seconds)
    await _fault(dice, radio, device, counted)
