"""Promise: every simulated wearable puts on the air what its vendor's documents say, byte by byte.

The expected bytes are the vendors' own examples (named in each test) or are laid out by hand from the documents; the
collector's decoders have no part in this.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wearables import uuids
from firmware_sim.firmware.base import AttError
from firmware_sim.firmware.delta import compress
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.eager import Infinitime, Microbit, Nicla
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import DEFAULT_CLOCK_NS, EPOCH_2000_NS, H10, VERITY_SENSE, Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from tests.unit.motions import Ramp, Still

S = 1_000_000_000
CONTROL, PMD = uuids.POLAR_PMD_CONTROL, uuids.POLAR_PMD_DATA


def heard(device: StreamingFirmware, char: str, until_ns: int) -> list[bytes]:
    return [one.value for one in device.events(until_ns) if one.char == char]


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
    assert "a0 01" in command(device, "01 02", 2 * S)
    assert command(device, fast, 3 * S).split()[3] == "00"
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


# --- Movesense ---------------------------------------------------------------------------------------------------


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


# --- MetaMotion --------------------------------------------------------------------------------------------------


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


# --- Movella DOT -------------------------------------------------------------------------------------------------


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


# --- micro:bit, Nicla, InfiniTime, home-made -----------------------------------------------------------------------


def first_value(device: StreamingFirmware) -> bytes:
    device.on_connect(0)
    device.on_subscribe(device.data_char, True, 0)
    return device.events(S)[0].value


BODY = Still(-0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Microbit, "06ff f401 e803"),  # -250, 500, 1000 mg
        (Nicla, "000080be 0000003f 0000803f"),  # floats
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


# --- all of them -------------------------------------------------------------------------------------------------

SILENT_UNTIL_TOLD = [Polar, Movesense, Metamotion, MovellaDot, Espruino]


@pytest.mark.parametrize("make", [*SILENT_UNTIL_TOLD, Microbit, Nicla, Infinitime, Diy])
def test_the_truth_is_what_the_bytes_say(make: Callable[..., StreamingFirmware]) -> None:
    device = make(Still(0.3333333, -0.7777777, 0.1234567), boot_ns=0)
    device.on_connect(0)
    for service in device.services:
        for one in service.characteristics:
            if one.notifies:
                device.on_subscribe(one.uuid, True, 0)
    if not device.streaming:
        device.start(50.0, 0)
    events = device.events(10 * S)
    assert device.truth.samples == len(device.truth.t_ns) == len(device.truth.xyz_g) > 0
    assert all(len(one.value) <= device.mtu - 3 for one in events)
    # Resolution: never worse than a milli-g, or half a step of 1/1024 g.
    np.testing.assert_allclose(
        device.truth.xyz_g, [[0.3333333, -0.7777777, 0.1234567]] * device.truth.samples, atol=6e-4
    )


@pytest.mark.parametrize("make", [*SILENT_UNTIL_TOLD, Microbit, Nicla, Infinitime, Diy])
@given(data=st.data())
def test_no_bytes_that_are_written_break_a_wearable(
    make: Callable[..., StreamingFirmware], data: st.DataObject
) -> None:
    device = make(Still(), boot_ns=0)
    device.on_connect(0)
    chars = [one for service in device.services for one in service.characteristics]
    for number in range(data.draw(st.integers(1, 8))):
        one = data.draw(st.sampled_from(chars))
        if one.notifies:
            device.on_subscribe(one.uuid, data.draw(st.booleans()), number)
        try:
            device.on_write(one.uuid, data.draw(st.binary(max_size=40)), number)
        except AttError as refused:
            assert 0 < refused.code < 256
    device.events(S)
    device.reboot(S)
    device.on_disconnect(S)
    assert device.events(2 * S) == []


# --- Espruino ----------------------------------------------------------------------------------------------------


def espruino(*lines: bytes, **options: Any) -> Espruino:
    device = Espruino(BODY, boot_ns=0, **options)
    device.on_connect(0)
    device.on_subscribe(uuids.NUS_NOTIFY, True, 0)
    for line in lines:
        device.on_write(uuids.NUS_WRITE, line, 0)
    return device


STREAM = (b"\x03\x10var N=4;\n", b"\x10Bangle.setPollInterval(10)", b"\n\x10Bangle.on('accel',f)\n")


def test_espruino_prints_lines_in_pieces_of_twenty_bytes() -> None:
    device = espruino(*STREAM, clock_ms=1_700_000_000_000)
    pieces = [one.value for one in device.events(S // 10)]
    assert max(map(len, pieces)) == 20
    lines = b"".join(pieces).split(b"\r\n")
    # The samples lie on the grid of 10 ms; 8192 counts are one g.
    sample = "-2048,4096,8192"
    assert lines[0].decode() == f"spineclip,0,1700000000010,{','.join([sample] * 4)}"
    assert lines[1].decode() == f"spineclip,1,1700000000050,{','.join([sample] * 4)}"
    assert lines[-1] == b""


def test_espruino_echoes_unless_told_not_to_and_stops() -> None:
    device = espruino(b"1+1\n", *STREAM)
    assert b"".join(one.value for one in device.events(20_000_000)) == b"1+1\r\n=undefined\r\n>"
    device.events(S)
    device.on_write(uuids.NUS_WRITE, b"\x03\x10Bangle.removeAllListeners('accel')\n", S)
    assert device.events(2 * S) == []


@pytest.mark.parametrize(("name", "rate"), [("Bangle.js 1a2b", 20.0), ("Puck.js 1a2b", 52.0)])
def test_espruino_boards_take_their_own_branch_of_a_script(name: str, rate: float) -> None:
    both = (
        b"\x10if(global.Bangle){Bangle.setPollInterval(50);}else{Puck.accelOn([12.5,26,52,104][2]);}x.on('accel',f)\n"
    )
    assert espruino(both, name=name).rate_hz == rate


def test_espruino_tells_its_battery_when_asked() -> None:
    device = espruino(b'\x10Bluetooth.println("bat,"+E.getBattery());\n', battery_pct=42)
    assert [one.value for one in device.events(S)] == [b"bat,42\r\n"]


def test_espruino_clears_a_half_typed_line_and_buzzes() -> None:
    device = espruino(b"\x10Bangle.buzz(", b"\x03\x10Bangle.buzz(200)\n", b"\x10reset()\n")
    assert device.buzzes == 1
    assert not device.streaming
