"""Promise: a simulated Movesense puts on the air what the vendor's documents say, byte by byte.

The expected bytes are the vendor's own examples (named in each test) or are laid out by hand from the documents; the
collector's decoders have no part in this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from collector.wearables import uuids
from firmware_sim.firmware.movesense import Movesense
from tests.unit.motions import Still
from tests.unit.twins import S, heard


def movesense(path: bytes, **options: Any) -> Movesense:
    device = Movesense(Still(0.0, 0.0, 1.0), boot_ns=0, **options)
    device.on_connect(0)
    device.on_subscribe(uuids.MOVESENSE_NOTIFY, True, 0)
    device.on_write(uuids.MOVESENSE_WRITE, b"\x01\x63" + path, 0)
    return device


def test_movesense_payload() -> None:
    # 12345 ms, (0.1, 0.2, 9.8) and (0.3, 0.4, 9.7) m/s2, reference 99, laid out after the protocol's description.
    device = movesense(b"/Meas/Acc/26")
    rows = np.array([[0.1, 0.2, 9.8], [0.3, 0.4, 9.7]], "<f4")
    (value,) = device.encode(0, np.array([12_345_678_901, 12_400_000_000]), rows)
    assert value == bytes.fromhex("0263 39300000 cdcccc3dcdcc4c3ecdcc1c41 9a99993ecdcccc3e33331b41")


@pytest.mark.parametrize(
    ("rate", "samples", "size"), [(13, 1, 18), (26, 2, 30), (52, 4, 54), (104, 8, 102), (208, 16, 198)]
)
def test_movesense_packets_have_the_documented_sizes(rate: int, samples: int, size: int) -> None:
    device = movesense(f"/Meas/Acc/{rate}".encode())
    answer, *data = heard(device, uuids.MOVESENSE_NOTIFY, 10 * S)
    assert answer == bytes.fromhex("0163c800")  # 200
    assert {len(value) for value in data} == {size}
    assert device.packet_samples == samples
    assert len(data) == pytest.approx(130, abs=1)
    ticks = [int.from_bytes(value[2:6], "little") for value in data]
    assert set(np.diff(ticks)) <= {1000 * samples // rate, 1000 * samples // rate + 1}


def test_movesense_long_payloads_continue_in_a_second_notification() -> None:
    device = movesense(b"/Meas/IMU9/104")
    _, first, second = heard(device, uuids.MOVESENSE_NOTIFY, S // 8)
    assert (first[:2], second[:2]) == (b"\x02\x63", b"\x03\x63")
    payload = first[2:] + second[2:]
    assert len(payload) == 4 + 8 * 36  # with the two bytes before it: the 294 of the document
    acc = np.frombuffer(payload[4:100], "<f4").reshape(8, 3)
    np.testing.assert_allclose(acc, [[0, 0, 9.80665]] * 8, rtol=1e-6)
    assert payload[100:196] == bytes(96)


def test_movesense_clock_is_milliseconds_and_wraps() -> None:
    device = movesense(b"/Meas/Acc/13", uptime_ns=(2**32 - 500) * 1_000_000)
    ticks = [int.from_bytes(v[2:6], "little") for v in heard(device, uuids.MOVESENSE_NOTIFY, S)[1:]]
    assert ticks[0] == 2**32 - 500 + 76  # a thirteenth of a second
    assert ticks[-1] == pytest.approx(500, abs=2)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("0007", "0107" + b"Hello".hex()),
        (f"0163{b'/Meas/Acc/52'.hex()}", "0163c800"),  # 200
        (f"0163{b'/Meas/Acc/50'.hex()}", "01639001"),  # 400
        (f"0163{b'/Meas/Nose/52'.hex()}", "01639401"),  # 404
        ("0263", ""),
        ("0963", ""),
    ],
)
def test_movesense_answers_like_the_sample_firmware(value: str, answer: str) -> None:
    device = Movesense(Still(), boot_ns=0)
    device.on_subscribe(uuids.MOVESENSE_NOTIFY, True, 0)
    device.on_write(uuids.MOVESENSE_WRITE, bytes.fromhex(value), 0)
    assert [one.hex() for one in heard(device, uuids.MOVESENSE_NOTIFY, S // 100)] == ([answer] if answer else [])


def test_movesense_has_room_for_one_subscription_and_may_not_answer_at_all() -> None:
    device = movesense(b"/Meas/Acc/13", answers=False)
    assert device.streaming
    device.on_write(uuids.MOVESENSE_WRITE, b"\x01\x64/Meas/Acc/26", 0)
    assert heard(device, uuids.MOVESENSE_NOTIFY, S // 100) == [bytes.fromhex("016401fb")]


def test_movesense_stops_when_it_is_unsubscribed_and_runs_at_its_own_rate() -> None:
    device = movesense(b"/Meas/Acc/104", odr_error=0.03)
    samples = 8 * (len(heard(device, uuids.MOVESENSE_NOTIFY, 100 * S)) - 1)
    assert samples == pytest.approx(100 * 104 * 1.03, abs=8)
    device.on_write(uuids.MOVESENSE_WRITE, b"\x02\x63", 100 * S)
    assert heard(device, uuids.MOVESENSE_NOTIFY, 200 * S) == []
