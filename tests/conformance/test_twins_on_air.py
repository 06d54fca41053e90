"""Promise: every simulated wearable can be found, started and heard through unmodified bleak, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner

from collector.wearables import uuids
from firmware_sim.firmware.catalog import CATALOG
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from tests.unit.motions import Still

QUICK = BluezTiming(connect_s=0.005, discover_s=0.005, disconnect_s=0.01, advert_s=0.01)
Write = tuple[str, bytes]

POLAR = (uuids.POLAR_PMD_CONTROL, uuids.POLAR_PMD_DATA)
META = (uuids.METAWEAR_NOTIFY,)
BANGLE = [
    (uuids.NUS_WRITE, b"\x03\x10var q=[],s=0"),
    (uuids.NUS_WRITE, b",t=0,N=2;\n\x10Bangle."),
    (uuids.NUS_WRITE, b"setPollInterval(10);\n"),
    (uuids.NUS_WRITE, b"\x10Bangle.on('accel',"),
    (uuids.NUS_WRITE, b"function(a){});\n"),
]


def meta(*commands: str) -> list[Write]:
    return [(uuids.METAWEAR_COMMAND, bytes.fromhex(one)) for one in commands]


HOW: dict[str, tuple[Sequence[str], list[Write]]] = {
    "witmotion": ((uuids.WITMOTION_NOTIFY,), []),
    "polar-h10": (POLAR, [(POLAR[0], bytes.fromhex("0202 0001C800 01011000 02010800"))]),
    "polar-verity-sense": (POLAR, [(POLAR[0], bytes.fromhex("0202 00013400 01011000 02010800 040103"))]),
    "polar-oh1": (POLAR, [(POLAR[0], bytes.fromhex("0202 00013200 01011000 02010800"))]),
    "movesense": ((uuids.MOVESENSE_NOTIFY,), [(uuids.MOVESENSE_WRITE, b"\x01\x63/Meas/IMU9/104")]),
    "bangle": ((uuids.NUS_NOTIFY,), BANGLE),
    "puck": ((uuids.NUS_NOTIFY,), [(uuids.NUS_WRITE, b"\x10Puck.accelOn(52)\n"), *BANGLE[3:]]),
    "metamotion": (META, meta("0303280C", "030401", "03020100", "030101")),
    "metamotion-s": (META, meta("0303A802", "030501", "03020100", "030101")),
    "movella-dot": ((uuids.DOT_MEDIUM,), [(uuids.DOT_CONTROL, b"\x01\x01\x15")]),
    "microbit": ((uuids.MICROBIT_DATA,), []),
    "nicla": ((uuids.NICLA_ACCELERATION,), []),
    "infinitime": ((uuids.INFINITIME_MOTION,), []),
    "diy": ((uuids.DIY_SAMPLES,), []),
    "diy-text": ((uuids.DIY_TEXT,), []),
}


@pytest.mark.parametrize("kind", sorted(CATALOG))
async def test_every_wearable_is_heard(kind: str) -> None:
    channels, writes = HOW[kind]
    async with VirtualRadio(timing=QUICK) as radio:
        firmware = CATALOG[kind](Still(), boot_ns=radio.now_ns())
        device = radio.add(firmware)
        found = await BleakScanner.find_device_by_address(firmware.address, timeout=5.0)
        assert found is not None
        assert found.name == firmware.name
        heard: list[bytes] = []
        async with BleakClient(found) as client:
            for channel in channels:
                await client.start_notify(channel, lambda _, value: heard.append(bytes(value)))
            for char, value in writes:
                await client.write_gatt_char(char, value, response=True)
            async with asyncio.timeout(10):
                while firmware.truth.notifications < 3:
                    await asyncio.sleep(0.01)
            for channel in channels:
                await client.stop_notify(channel)
            await asyncio.sleep(0.02)
        assert len(heard) == device.counters.handed == device.counters.delivered
        assert np.allclose(firmware.truth.xyz_g, (0, 0, 1), atol=1e-3)


def test_two_wearables_never_share_an_address() -> None:
    addresses = sorted(make(Still()).address for make in CATALOG.values())
    assert all(a != b for a, b in pairwise(addresses))
    assert set(HOW) == set(CATALOG)
