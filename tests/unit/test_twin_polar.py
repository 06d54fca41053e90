"""Promise: a simulated Polar puts on the air what the vendor's documents say, byte by byte.

The expected bytes are the vendor's own examples (named in each test) or are laid out by hand from the documents; the
collector's decoders have no part in this.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wearables import uuids
from firmware_sim.firmware.base import AttError
from firmware_sim.firmware.delta import compress
from firmware_sim.firmware.polar import DEFAULT_CLOCK_NS, EPOCH_2000_NS, H10, VERITY_SENSE, Polar
from tests.unit.motions import Ramp, Still
from tests.unit.twins import S, heard

CONTROL, PMD = uuids.POLAR_PMD_CONTROL, uuids.POLAR_PMD_DATA


def polar(**options: Any) -> Polar:
    device = Polar(Still(), boot_ns=0, **options)
    device.on_connect(0)
    device.on_subscribe(CONTROL, True, 0)
    device.on_subscribe(PMD, True, 0)
    return device


def command(device: Polar, text: str, t_ns: int) -> str:
    device.on_write(CONTROL, bytes.fromhex(text), t_ns)
    return heard(device, CONTROL, t_ns + S // 10)[0].hex(" ")


# --- Polar -------------------------------------------------------------------------------------------------------


def test_polar_raw_frame_as_in_accdatatest() -> None:
    # AccDataTest.kt, "process acc raw data frame type 1".
    device = polar(clock_ns=0)
    counts = np.array([[-9, -1, 999], [-8, -2, 997]], "<i2")
    (frame,) = device.encode(0, np.array([S, 2 * S]), counts)
    assert frame == bytes.fromhex("02 0094357700000000 01 F7FFFFFFE703 F8FFFEFFE503")


def test_polar_delta_type_1_as_in_accdatatest() -> None:
    counts = np.array([[-15, 20, 1008], [-20, 17, 1008]])
    # 18 bits fill two bytes and two bits; the vendor's last byte is 08, whose set bit is one of the six left over.
    assert compress(counts, 16, width=6) == bytes.fromhex("F1FF1400F003 06 01 7B0F") + bytes([0x08 & 0b11])


# AccDataTest.kt, "process acc compressed data type 0": one block of 56 samples with 10 bits.
VERITY_FRAME = bytes.fromhex(
    "7107F06A9E8D0A38BE5CBEBA2F96B3EE4BE5ADFB42B9EBBE4CFEBA2F92BFEE4BE4B1FB12B9ECBD3C3EBB2F8FD3DE4BE3B5F7D2B8EDBD307E"
    "7B2F8BE3CE8BE2BAF7A2B8EEBC20BE7B2F88F3CECBE1BDEF52F8EFBC18FE3B2F8403BFCBE0C2EF32B8F0BB044EBC2E8113AF0BE0C6EFF2F7"
    "F1B9FC7DBC2E7D279F4BDFCAEBC2F7F2B8ECCD7C2E7B378F4BDECEE392F7F3B8E00DFD2D774B7FCBDDD2DF6237F5B7D44DBD2D745B6FCBDC"
    "D7D73237F6B5C88D7D2D716B4F4BDCDCD3F236F7B4BCDDFD2C6F7B3F4BDBE0CFD236F8B2B02DBE2C6C8F1FCBDAE3C7A276F9"
)


def unpack_by_hand(content: bytes) -> np.ndarray[Any, Any]:
    """Follow the document bit by bit: the text of all bits, least significant first, cut into numbers."""
    samples = [list(struct.unpack("<3h", content[:6]))]
    at = 6
    while at < len(content):
        width, count = content[at], content[at + 1]
        size = -(-width * count * 3 // 8)
        bits = "".join(f"{byte:08b}"[::-1] for byte in content[at + 2 : at + 2 + size])
        for k in range(count):
            row = []
            for channel in range(3):
                word = bits[(3 * k + channel) * width : (3 * k + channel + 1) * width][::-1]
                value = int(word, 2) - (1 << width if word[0] == "1" else 0)
                row.append(samples[-1][channel] + value)
            samples.append(row)
        at += 2 + size
    return np.array(samples)


def test_polar_delta_type_0_as_in_accdatatest() -> None:
    samples = unpack_by_hand(VERITY_FRAME)
    assert samples.shape == (57, 3)
    # The values that the vendor's test and its comments name.
    assert samples[0].tolist() == [1905, 27376, -29282]
    assert samples[1].tolist() == [1905 + 190, 27376 - 105, -29282 - 85]
    assert samples[-1].tolist() == [12274, 20173, -32449]
    assert compress(samples, 16, [56], width=10) == VERITY_FRAME


@given(
    st.lists(st.tuples(*[st.integers(-32768, 32767)] * 3), min_size=1, max_size=60),
    st.integers(1, 59),
)
def test_delta_compression_loses_nothing(rows: list[tuple[int, int, int]], block: int) -> None:
    counts = np.array(rows)
    rest = len(rows) - 1
    blocks = [min(block, rest - at) for at in range(0, rest, block)]
    np.testing.assert_array_equal(unpack_by_hand(compress(counts, 16, blocks)), counts)


def test_blocks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks"):
        compress(np.zeros((5, 3), int), 16, [3])


def test_polar_h10_answers_as_in_the_vendors_document() -> None:
    # online_measurement.pdf, "Host requests acc stream settings" and "starts acc stream".
    device = polar()
    assert (
        command(device, "01 02", 0)
        == "f0 01 02 00 00 00 04 19 00 32 00 64 00 c8 00 01 01 10 00 02 03 02 00 04 00 08 00"
    )
    assert command(device, "02 02 00 01 C8 00 01 01 10 00 02 01 08 00", S) == "f0 02 02 00 00"
    assert device.rate_hz == 200
    assert command(device, "02 02 00 01 C8 00 01 01 10 00 02 01 08 00", 2 * S) == "f0 02 02 06 00"
    assert command(device, "03 02", 3 * S) == "f0 03 02 00 00"
    assert command(device, "03 02", 4 * S) == "f0 03 02 06 00"
    assert device.on_read(CONTROL, 5 * S)[:2].hex() == "0f05"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("02 02 00 01 33 00 01 01 10 00 02 01 08 00", 8),  # 51 Hz
        ("02 02 00 01 C8 00 01 01 0E 00 02 01 08 00", 5),  # 14 bits
        ("02 02 00 01 C8 00 01 01 10 00 02 01 10 00", 5),  # 16 g
        ("02 02 00 01 C8 00 01 01 10 00 02 01 08 00 04 01 03", 5),  # an H10 has no setting for channels
        ("02 02 00 01", 4),
        ("02 00 00 01 82 00 01 01 0E 00", 2),  # ECG
        ("07 02", 1),
    ],
)
def test_polar_h10_refuses_with_the_documents_status(text: str, status: int) -> None:
    device = polar()
    assert command(device, text, 0).split()[3] == f"{status:02x}"
    assert not device.streaming


def test_polar_commands_need_the_control_point_to_be_heard() -> None:
    device = Polar(Still(), boot_ns=0)
    device.on_connect(0)
    with pytest.raises(AttError):
        device.on_write(CONTROL, b"\x01\x02", 0)


def test_polar_verity_tells_its_factor_and_packs_blocks() -> None:
    device = polar(model=VERITY_SENSE)
    # The factor of the document's example: 40 DA 7F 39 is 0.000244.
    start = "02 02 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"
    assert command(device, start, 0) == "f0 02 02 00 00 05 01 40 da 7f 39"
    frames = heard(device, PMD, 10 * S)
    assert {frame[9] for frame in frames} == {0x80}
    for frame in frames:
        samples = unpack_by_hand(frame[10:])
        assert len(samples) == 32
        np.testing.assert_array_equal(samples, [[0, 0, round(1 / 0.000244)]] * 32)
    assert max(map(len, frames)) <= device.mtu - 3


def test_polar_verity_sdk_mode_opens_more_rates() -> None:
    device = polar(model=VERITY_SENSE)
    fast = "02 02 00 01 A0 01 01 01 10 00 02 01 10 00 04 01 03"
    assert command(device, fast, 0).split()[3] == "08"
    assert command(device, "02 09", S) == "f0 02 09 00 00"
    assert command(device, "01 09", 2 * S).split()[3] == "02", (
        "the mode itself has no settings, and asking ends nothing"
    )
    assert "a0 01" in command(device, "01 02", 3 * S)
    assert command(device, fast, 4 * S).split()[3] == "00"
    assert device.rate_hz == 416


def test_polar_frames_tell_the_time_of_their_last_sample_by_their_own_clock() -> None:
    device = Polar(Ramp(200), boot_ns=7 * S, drift_ppm=100.0)
    for char in (CONTROL, PMD):
        device.on_subscribe(char, True, 7 * S)
    device.on_write(CONTROL, bytes.fromhex("0202 0001C800 01011000 02010800"), 7 * S)
    frames = heard(device, PMD, 60 * S)
    assert {len(frame) for frame in frames} == {226}  # 10 + 36 samples of 6 bytes
    clock = [int.from_bytes(frame[1:9], "little") for frame in frames]
    # An H10 that was without power believes that it is 2019; 36 samples at 200 Hz of its own clock are 180 ms.
    assert clock[0] == pytest.approx(DEFAULT_CLOCK_NS + 180_000_000, abs=10_000_000)
    assert set(np.diff(clock)) <= {180_000_000, 179_999_999, 180_000_001}
    true = device.truth.t_ns[35::36]
    drift = (clock[-1] - clock[0]) / (true[-1] - true[0]) - 1
    assert drift == pytest.approx(100e-6, rel=1e-3)


def test_polar_verity_keeps_the_time_over_a_reboot_and_an_h10_does_not() -> None:
    boot = EPOCH_2000_NS + 100 * S
    for model, expected in ((VERITY_SENSE, 160 * S), (H10, DEFAULT_CLOCK_NS)):
        device = Polar(Still(), model=model, boot_ns=boot, clock_ns=100 * S)
        device.reboot(boot + 60 * S)
        (frame,) = device.encode(0, np.array([boot + 60 * S]), np.zeros((1, 3), "<i2"))
        assert int.from_bytes(frame[1:9], "little") == expected
