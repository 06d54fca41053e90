"""Promise: a simulated DOT puts on the air what the vendor's documents say, byte by byte.

The expected bytes are the vendor's own examples (named in each test) or are laid out by hand from the documents; the
collector's decoders have no part in this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from collector.wearables import uuids
from firmware_sim.firmware.base import AttError
from firmware_sim.firmware.movella import MovellaDot
from tests.unit.motions import Still
from tests.unit.twins import S


def dot(**options: Any) -> MovellaDot:
    device = MovellaDot(Still(0.5, 0.0, 1.0), boot_ns=0, **options)
    device.on_connect(0)
    device.on_subscribe(uuids.DOT_MEDIUM, True, 0)
    return device


def test_dot_payload_begins_like_the_documented_vector() -> None:
    # README of the vendor's examples: 1143097075 us, (2.9476, 5.1899, -2.1417) m/s2.
    device = dot()
    row = np.frombuffer(bytes.fromhex("0da53c40 9c13a640 f01009c0"), "<f4").reshape(1, 3)
    (value,) = device.encode(0, np.array([1_143_097_075_999]), row)
    assert value[:16] == bytes.fromhex("f3462244 0da53c40 9c13a640 f01009c0")
    assert value[16:] == bytes(24)  # angular rate: still; padding up to 40 bytes


def test_dot_rate_mode_and_wrap() -> None:
    device = dot(uptime_ns=(2**32 - 500_000) * 1000)
    block = bytearray(32)
    block[0], block[24] = 0x10, 30
    device.on_write(uuids.DOT_DEVICE_CONTROL, bytes(block), 0)
    device.on_write(uuids.DOT_CONTROL, bytes([1, 1, 20]), 0)
    assert device.on_read(uuids.DOT_CONTROL, 0) == bytes([1, 1, 20])
    values = [one.value for one in device.events(S)]
    assert (len(values), {len(value) for value in values}) == (30, {40})
    ticks = [int.from_bytes(value[:4], "little") for value in values]
    assert ticks[0] == 2**32 - 500_000 + 33_333
    assert ticks[-1] == 500_000
    assert values[0][28:34] != bytes(6)  # the magnetic field of mode 20
    acc = np.frombuffer(values[0][4:16], "<f4")
    np.testing.assert_allclose(acc, [0.5 * 9.80665, 0.0, 9.80665], rtol=1e-6)
    device.on_write(uuids.DOT_CONTROL, bytes([1, 0, 20]), S)
    assert device.events(2 * S) == []


@pytest.mark.parametrize(
    ("char", "value"),
    [
        (uuids.DOT_CONTROL, b"\x01\x01\x01"),
        (uuids.DOT_CONTROL, b"\x01"),
        (uuids.DOT_DEVICE_CONTROL, b"\x10" + bytes(23) + b"\x78" + bytes(7)),  # 120 Hz is for recording only
        (uuids.DOT_DEVICE_CONTROL, b"\x10"),
    ],
)
def test_dot_refuses_what_it_has_not(char: str, value: bytes) -> None:
    with pytest.raises(AttError):
        dot().on_write(char, value, 0)
