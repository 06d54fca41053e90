"""Promise: a simulated MetaMotion puts on the air what the vendor's SDK expects, byte by byte.

The expected bytes are the vendor's own examples (named in each test) or are laid out by hand from the documents; the
collector's decoders have no part in this.
"""

from __future__ import annotations

import numpy as np
import pytest

from collector.wearables import uuids
from firmware_sim.firmware.metamotion import Metamotion
from tests.unit.motions import Still
from tests.unit.twins import S


def metamotion(*commands: str, sensor: str = "bmi160") -> Metamotion:
    device = Metamotion(Still(-1.0, 0.5, 0.25), boot_ns=0, sensor=sensor)
    device.on_connect(0)
    device.on_subscribe(uuids.METAWEAR_NOTIFY, True, 0)
    for one in commands:
        device.on_write(uuids.METAWEAR_COMMAND, bytes.fromhex(one), 0)
    return device


RUN = ("03 02 01 00", "03 01 01")


def test_metamotion_raw_and_packed_frames_as_in_the_sdks_tests() -> None:
    # test_accelerometer_bmi160.py: 4 g raw, (-1.872, -2.919, -1.495) g; 8 g packed.
    raw = metamotion("03 03 28 05", "03 04 01", *RUN)
    digital = np.array([[-15338, -23916, -12246]], "<i2")
    t = np.zeros(1, np.int64)
    assert raw.encode(0, t, digital) == (bytes.fromhex("03 04 16c4 94a2 2ad0"),)
    np.testing.assert_allclose(raw.in_g(digital), [[-1.872, -2.919, -1.495]], atol=5e-4)
    packed = metamotion("03 03 28 08", "03 1C 01", *RUN)
    words = np.frombuffer(bytes.fromhex("62b7530de9fd 16d04d0e5702 8affa1050a01"), "<i2").reshape(3, 3)
    assert packed.encode(0, t, words) == (bytes.fromhex("03 1c 62b7530de9fd 16d04d0e5702 8affa1050a01"),)


@pytest.mark.parametrize(
    ("sensor", "config", "subscribe", "rate", "head", "size"),
    [
        ("bmi160", "03 03 28 0C", "03 04 01", 100, "0304", 8),
        ("bmi160", "03 03 29 08", "03 1C 01", 200, "031c", 20),
        ("bmi270", "03 03 A7 01", "03 05 01", 50, "0305", 20),
        ("bmi270", "03 03 A8 02", "03 04 01", 100, "0304", 8),
    ],
)
def test_metamotion_streams_when_all_is_switched_on(  # noqa: PLR0917 - a row of the table above
    sensor: str, config: str, subscribe: str, rate: int, head: str, size: int
) -> None:
    device = metamotion(config, subscribe, sensor=sensor)
    assert device.events(S) == []
    for one in RUN:
        device.on_write(uuids.METAWEAR_COMMAND, bytes.fromhex(one), S)
    frames = [one.value for one in device.events(2 * S)]
    assert {len(frame) for frame in frames} == {size}
    assert {frame[:2].hex() for frame in frames} == {head}
    assert len(frames) * (size - 2) // 6 == pytest.approx(rate, abs=3)
    counts = np.frombuffer(frames[0][2:8], "<i2")
    np.testing.assert_allclose(counts / device.counts_per_g, [-1.0, 0.5, 0.25])
    device.on_write(uuids.METAWEAR_COMMAND, bytes.fromhex("03 01 00"), 2 * S)
    assert device.events(3 * S) == []


def test_metamotion_says_which_sensor_it_has() -> None:
    for sensor, implementation in (("bmi160", 1), ("bmi270", 4)):
        device = metamotion("03 80", "13 80", sensor=sensor)
        answers = [one.value for one in device.events(S)]
        assert answers == [bytes([3, 0x80, implementation, 0]), bytes([0x13, 0x80])]
