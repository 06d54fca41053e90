"""Promise: the simulated small boards put on the air what their documents say, byte by byte.

micro:bit, Nicla, InfiniTime, and the home-made one, laid out by hand from the documents.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collector.wearables import uuids
from firmware_sim.firmware.base import AttError
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.eager import Infinitime, Microbit, Nicla
from firmware_sim.firmware.streaming import StreamingFirmware
from tests.unit.motions import Still
from tests.unit.twins import S


def first_value(device: StreamingFirmware) -> bytes:
    device.on_connect(0)
    device.on_subscribe(device.data_char, True, 0)
    return device.events(S)[0].value


BODY = Still(-0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Microbit, "06ff f401 e803"),  # -250, 500, 1000 mg
        (Nicla, "000080c4 00000045 00008045"),  # -1024, 2048, 4096: counts of 8 g over 32768, as floats
        (Infinitime, "00ff 0002 0004"),  # 1024 to the g
    ],
)
def test_small_wearables_send_three_numbers(make: Callable[..., StreamingFirmware], expected: str) -> None:
    assert first_value(make(BODY, boot_ns=0)) == bytes.fromhex(expected)


def test_microbit_period_is_read_and_set() -> None:
    device = Microbit(BODY, boot_ns=0)
    first_value(device)
    assert device.on_read(uuids.MICROBIT_PERIOD, S) == b"\x14\x00"
    device.on_write(uuids.MICROBIT_PERIOD, b"\x50\x00", S)
    assert device.rate_hz == 12.5
    device.on_write(uuids.MICROBIT_PERIOD, b"\x51\x00", S)
    assert device.on_read(uuids.MICROBIT_PERIOD, S) == b"\xa0\x00"


def test_home_made_layout() -> None:
    device = Diy(BODY, boot_ns=0, uptime_ns=(2**32 - 1) * 1000, range_g=2, samples=2)
    device.on_connect(0)
    device.on_subscribe(uuids.DIY_SAMPLES, True, 0)
    first, second = device.events(S // 10)[:2]
    sample = "00f0 0020 0040"  # 16384 to the g
    # Version 1, 2 g, counter 0, the first sample 20 ms after the last tick before the wrap, 2 samples, 50 Hz.
    assert first.value == bytes.fromhex(f"01 00 0000 1f4e0000 02 32 {sample} {sample}")
    assert second.value[:8] == bytes.fromhex("01 00 0100") + (59_999).to_bytes(4, "little")
    device.reboot(S)
    device.on_subscribe(uuids.DIY_SAMPLES, True, S)
    assert device.events(2 * S)[0].value[2:8] == bytes.fromhex("0000 204e0000")


def test_home_made_takes_rate_and_range() -> None:
    device = Diy(BODY, boot_ns=0)
    first_value(device)
    device.on_write(uuids.DIY_CONTROL, b"\x01\x64\x03", S)
    value = device.events(2 * S)[0].value
    assert (value[1], value[9], value[10:16]) == (3, 100, bytes.fromhex("00fe 0004 0008"))
    for wrong in (b"", b"\x01\x00\x00", b"\x01\x32\x04", b"\x02\x32\x00"):
        with pytest.raises(AttError):
            device.on_write(uuids.DIY_CONTROL, wrong, S)
