"""Promise: every decoder reads the vendor's own examples (named at each), or bytes laid out from the document."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from collector.wearables import KINDS, Advertisement, Wearable, by_kind, recognise, uuids
from collector.wearables.base import STANDARD_GRAVITY_MPS2
from collector.wearables.espruino import EspruinoDecoder
from collector.wearables.metamotion import MetaMotionDecoder
from collector.wearables.movella import MovellaDecoder, read_sample
from collector.wearables.movesense import MovesenseDecoder
from collector.wearables.polar import PolarDecoder

# AccDataTest.kt, "process acc compressed data type 0": one block of 56 samples with 10 bits.
VERITY_FRAME = bytes.fromhex(
    "7107F06A9E8D0A38BE5CBEBA2F96B3EE4BE5ADFB42B9EBBE4CFEBA2F92BFEE4BE4B1FB12B9ECBD3C3EBB2F8FD3DE4BE3B5F7D2B8EDBD307E"
    "7B2F8BE3CE8BE2BAF7A2B8EEBC20BE7B2F88F3CECBE1BDEF52F8EFBC18FE3B2F8403BFCBE0C2EF32B8F0BB044EBC2E8113AF0BE0C6EFF2F7"
    "F1B9FC7DBC2E7D279F4BDFCAEBC2F7F2B8ECCD7C2E7B378F4BDECEE392F7F3B8E00DFD2D774B7FCBDDD2DF6237F5B7D44DBD2D745B6FCBDC"
    "D7D73237F6B5C88D7D2D716B4F4BDCDCD3F236F7B4BCDDFD2C6F7B3F4BDBE0CFD236F8B2B02DBE2C6C8F1FCBDAE3C7A276F9"
)


def test_polar_raw() -> None:
    frame = bytes.fromhex("02 0094357700000000 01 F7FFFFFFE703 F8FFFEFFE503")
    (decoded,) = PolarDecoder().feed(uuids.POLAR_PMD_DATA, frame)
    assert decoded.counts.tolist() == [[-9, -1, 999], [-8, -2, 997]]
    assert (decoded.scale_g, decoded.tick) == (0.001, 2_000_000_000)


def test_polar_delta_type_1() -> None:
    frame = bytes.fromhex("02 6500000000000000 81 F1FF1400F003 06 01 7B0F08")
    (decoded,) = PolarDecoder().feed(uuids.POLAR_PMD_DATA, frame)
    assert decoded.counts.tolist() == [[-15, 20, 1008], [-20, 17, 1008]]


def test_polar_delta_type_0_of_a_verity_sense() -> None:
    decoder = PolarDecoder()
    # The answer to the start command carries the factor: setting 5, one value.
    assert decoder.feed(uuids.POLAR_PMD_CONTROL, b"\xf0\x02\x02\x00\x00\x05\x01" + struct.pack("<f", 2.44e-4)) == []
    frame = b"\x02" + (5).to_bytes(8, "little") + b"\x80" + VERITY_FRAME
    (decoded,) = decoder.feed(uuids.POLAR_PMD_DATA, frame)
    assert decoded.counts.shape == (57, 3)
    assert decoded.counts[[0, 1, 56]].tolist() == [[1905, 27376, -29282], [2095, 27271, -29367], [12274, 20173, -32449]]
    assert decoded.scale_g == pytest.approx(2.44e-4)
    assert not decoder.rejects


def test_polar_delta_type_1_as_a_real_verity_sense_sends_it() -> None:
    # The first block of a frame of 227 bytes that a user reports (polar-ble-sdk #443): its answer to the start has
    # no factor, so these are milli-g; eight bits a delta, so they can be added up by hand. The arm moves: about 1 g.
    decoder = PolarDecoder()
    assert decoder.feed(uuids.POLAR_PMD_CONTROL, bytes.fromhex("F0 02 02 00 00")) == []
    frame = bytes.fromhex(
        "02 00416FC41245930A 81 EE021FFE82FF 080A 10DA20 D6A30B D9CBE7 D6F6C4 E6F1E1 F3E015 1AFE28 1BF837 2C2520 131911"
    )
    (decoded,) = decoder.feed(uuids.POLAR_PMD_DATA, frame)
    assert decoded.scale_g == 0.001
    assert decoded.counts[:4].tolist() == [[750, -481, -126], [766, -519, -94], [724, -612, -83], [685, -665, -108]]
    assert len(decoded.counts) == 11
    assert not decoder.rejects


@pytest.mark.parametrize(
    ("frame_type", "content", "xyz_mg"),
    [
        ("00", "F7FF7F 808182", [[-9, -1, 127], [-128, -127, -126]]),
        ("02", "F7FFFF FFFFFF E70300", [[-9, -1, 999]]),
    ],
)
def test_polar_raw_of_one_and_of_three_bytes(frame_type: str, content: str, xyz_mg: list[list[int]]) -> None:
    # online_measurement.pdf, "ACC data frame types": signed, least significant byte first, milli-g.
    frame = bytes.fromhex("02 0094357700000000" + frame_type + content)
    (decoded,) = PolarDecoder().feed(uuids.POLAR_PMD_DATA, frame)
    np.testing.assert_allclose(decoded.counts * decoded.scale_g, np.array(xyz_mg) / 1000, atol=8 / 32_768 / 2)


def test_polar_finds_the_factor_behind_other_settings() -> None:
    # Rate 52, resolution 16, range 8, channels 3, each {setting, count, values}, then the factor.
    answer = bytes.fromhex("F0 02 02 00 00 00 01 3400 01 01 1000 02 01 0800 04 01 03 05 01") + struct.pack("<f", 0.5)
    decoder = PolarDecoder()
    assert decoder.feed(uuids.POLAR_PMD_CONTROL, answer) == []
    frame = bytes.fromhex("02 6500000000000000 80 F1FF1400F003 06 01 7B0F08")
    assert decoder.feed(uuids.POLAR_PMD_DATA, frame)[0].scale_g == 0.5


def test_polar_whose_answer_was_lost_is_read_as_at_8_g() -> None:
    frame = bytes.fromhex("02 6500000000000000 80 F1FF1400F003 06 01 7B0F08")
    (decoded,) = PolarDecoder().feed(uuids.POLAR_PMD_DATA, frame)
    assert decoded.scale_g == pytest.approx(8 / 32_768, rel=1e-3)


@pytest.mark.parametrize("factor", [0.0, 1e-7, -1.0, 10.0, float("nan"), float("inf")])
def test_polar_believes_no_absurd_factor(factor: float) -> None:
    decoder = PolarDecoder()
    decoder.feed(uuids.POLAR_PMD_CONTROL, b"\xf0\x02\x02\x00\x00\x05\x01" + struct.pack("<f", factor))
    assert decoder.rejects == {"factor": 1}


@pytest.mark.parametrize(("delta", "rejects"), [(0, {}), (1, {"absurd-value": 1})])
def test_polar_deltas_lead_no_further_than_16_bits(delta: int, rejects: dict[str, int]) -> None:
    # From 32767, a block of one sample with two bits a channel; the first of them is the delta of x.
    frame = bytes.fromhex("02 6500000000000000 81 FF7F 0180 0000 02 01") + bytes([delta])
    decoder = PolarDecoder()
    found = decoder.feed(uuids.POLAR_PMD_DATA, frame)
    assert decoder.rejects == rejects
    assert [one.counts.tolist() for one in found] == ([] if rejects else [[[32_767, -32_767, 0]] * 2])


@pytest.mark.parametrize(
    ("status", "says"),
    [(0, []), (6, []), (13, ["the Polar lies in its charger"]), (99, ["the Polar answers with status 99"])],
)
def test_polar_tells_of_a_refusal(status: int, says: list[str]) -> None:
    found = PolarDecoder().feed(uuids.POLAR_PMD_CONTROL, bytes((0xF0, 0x02, 0x02, status, 0x00)))
    assert [one.notice for one in found] == says, "0 is success, 6 that it runs already"


@pytest.mark.parametrize(
    ("kind", "asked", "planned"),
    [
        ("polar-h10", (60.0, 3.0), (100.0, 4.0)),
        ("polar-h10", (500.0, 16.0), (200.0, 8.0)),  # the most that it has
        ("polar-sense", (50.0, 8.0), (52.0, 8.0)),
        ("polar-sense", (50.0, 16.0), (52.0, 16.0)),
        ("polar-sense", (100.0, 8.0), (104.0, 8.0)),
        ("polar-sense", (100.0, 2.0), (104.0, 2.0)),
    ],
)
def test_polar_plans_what_is_asked_or_the_next_more(
    kind: str, asked: tuple[float, float], planned: tuple[float, float]
) -> None:
    plan = by_kind(kind).plan(*asked)
    assert (plan.rate_hz, plan.range_g) == planned


def test_movesense_block_of_two_samples() -> None:
    payload = bytes.fromhex("0263 39300000 cdcccc3dcdcc4c3ecdcc1c41 9a99993ecdcccc3e33331b41")
    (decoded,) = MovesenseDecoder(2).feed(uuids.MOVESENSE_NOTIFY, payload)
    assert decoded.tick == 12_345
    expected_g = np.array([[0.1, 0.2, 9.8], [0.3, 0.4, 9.7]]) / STANDARD_GRAVITY_MPS2
    np.testing.assert_allclose(decoded.counts * decoded.scale_g, expected_g, atol=8 / 32_768 / 2)


def test_movesense_puts_continued_payloads_together() -> None:
    whole = bytes.fromhex("39300000") + np.arange(24, dtype="<f4").tobytes()
    decoder = MovesenseDecoder(8)
    assert decoder.feed(uuids.MOVESENSE_NOTIFY, b"\x02\x63" + whole[:18]) == []
    assert decoder.feed(uuids.MOVESENSE_NOTIFY, b"\x03\x63" + whole[18:60]) == []
    (decoded,) = decoder.feed(uuids.MOVESENSE_NOTIFY, b"\x03\x63" + whole[60:])
    assert decoded.counts.shape == (8, 3)


@pytest.mark.parametrize(
    ("frame", "range_g", "expected"),
    [
        ("03 04 16c4 94a2 2ad0", 4.0, [(-1.872, -2.919, -1.495)]),  # SDK test, BMI160
        (
            "03 1c 62b7530de9fd 16d04d0e5702 8affa1050a01",  # SDK test, BMI160 packed
            8.0,
            [(-4.538, 0.833, -0.131), (-2.995, 0.894, 0.146), (-0.029, 0.352, 0.065)],
        ),
    ],
)
def test_metamotion(frame: str, range_g: float, expected: list[tuple[float, ...]]) -> None:
    (decoded,) = MetaMotionDecoder(range_g).feed(uuids.METAWEAR_NOTIFY, bytes.fromhex(frame))
    np.testing.assert_allclose(decoded.counts * decoded.scale_g, expected, atol=6e-4)


def test_movella_readme_example() -> None:
    tick, values = read_sample(bytes.fromhex("f3462244 0da53c40 9c13a640 f01009c0 00000000"))
    assert tick == 1_143_097_075
    np.testing.assert_allclose(values[0], [2.9476, 5.1899, -2.1417], atol=5e-5)


def test_movella_medium_payload() -> None:
    value = struct.pack("<I3f3f", 123, 0.0, 9.80665, -4.903325, 1.0, 2.0, 3.0).ljust(40, b"\0")
    (decoded,) = MovellaDecoder().feed(uuids.DOT_MEDIUM, value)
    assert decoded.tick == 123
    np.testing.assert_allclose(decoded.counts[0] * decoded.scale_g, [0.0, 1.0, -0.5], atol=16 / 32_768)


def test_espruino_lines_cut_anywhere_between_other_output() -> None:
    text = b">\r\nspineclip,7,1234,0,8192,-4096,1,2,3\r\n=undefined\r\nspinebat,83\r\n"
    for cut in range(len(text)):
        decoder = EspruinoDecoder()
        found = decoder.feed(uuids.NUS_NOTIFY, text[:cut]) + decoder.feed(uuids.NUS_NOTIFY, text[cut:])
        assert [(frame.counter, frame.tick) for frame in found if len(frame.counts)] == [(7, 1234)]
        np.testing.assert_allclose(found[0].counts[0] * found[0].scale_g, [0.0, 1.0, -0.5])
        assert found[1].battery_pct == 83
        assert not decoder.rejects


def test_espruino_reads_the_first_line_of_all_and_a_full_battery() -> None:
    decoder = EspruinoDecoder()
    first, full = decoder.feed(uuids.NUS_NOTIFY, b"spineclip,0,0,1,2,3\nspinebat,100\nspinebat,101\n")
    assert (first.counter, first.tick, first.counts.tolist()) == (0, 0, [[1, 2, 3]])
    assert full.battery_pct == 100
    assert decoder.feed(uuids.NUS_NOTIFY, b"spineclip,65536,0,1,2,3\nspineclip,1,2\n") == []
    assert decoder.rejects == {"absurd-value": 1, "wrong-length": 1}


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (Advertisement("Polar H10 7C2A1B0F", ""), "polar-h10"),
        (Advertisement("Polar Sense 7C2A1B0F", ""), "polar-sense"),
        (Advertisement("Polar OH1 2B8D4C10", ""), "polar-oh1"),
        (Advertisement("Movesense 174630000192", ""), "movesense"),
        (Advertisement("WT901BLE67", ""), "witmotion"),
        (Advertisement("Bangle.js 1a2b", ""), "espruino"),
        (Advertisement("", "", frozenset({uuids.METAWEAR_SERVICE})), "metamotion"),
        (Advertisement("Xsens DOT", ""), "dot"),
        (Advertisement("BBC micro:bit [vuzap]", ""), "microbit"),
        (Advertisement("", "", frozenset({uuids.NICLA_SERVICE})), "nicla"),
        (Advertisement("InfiniTime", ""), "infinitime"),
        (Advertisement("mine", "", frozenset({uuids.DIY_SERVICE})), "diy"),
    ],
)
def test_recognised(seen: Advertisement, kind: str) -> None:
    found = recognise(seen)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("wearable", KINDS, ids=lambda wearable: wearable.kind)
def test_what_comes_from_elsewhere_is_refused_as_that(wearable: Wearable) -> None:
    decoder = wearable.decoder(wearable.plan(50.0, 8.0))
    assert decoder.feed("0000dead-0000-1000-8000-00805f9b34fb", bytes(20)) == []
    assert decoder.rejects == {"foreign-characteristic": 1}
