"""Promise: WitMotion's frames are read as the vendor writes them, wherever the radio cuts them."""

from __future__ import annotations

import numpy as np
import pytest

from collector.wearables import Advertisement, recognise
from collector.wearables.base import Stream
from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_SERVICE, WITMOTION_WRITE
from collector.wearables.witmotion import WitMotion, WitMotionDecoder, battery_pct
from tests.unit.notes import Notes

# From the layout: 55 61, then ax ay az = 100, -200, 2048 counts of 16/32768 g, then gyro and angles.
FRAME = bytes.fromhex("5561640038ff00080a00ecff1e00000000000040")


def test_reads_the_frame_of_the_layout() -> None:
    (decoded,) = WitMotionDecoder().feed(WITMOTION_NOTIFY, FRAME)
    np.testing.assert_allclose(decoded.counts[0] * decoded.scale_g, [100 / 2048, -200 / 2048, 1.0], atol=1e-12)
    assert decoded.tick is None
    assert decoded.counter is None


@pytest.mark.parametrize("cut", range(1, 40))
def test_finds_frames_wherever_the_stream_is_cut(cut: int) -> None:
    decoder = WitMotionDecoder()
    stream = FRAME * 2
    found = decoder.feed(WITMOTION_NOTIFY, stream[:cut]) + decoder.feed(WITMOTION_NOTIFY, stream[cut:])
    assert len(found) == 2
    assert not decoder.rejects


def test_finds_its_way_back_after_foreign_bytes() -> None:
    decoder = WitMotionDecoder()
    found = decoder.feed(WITMOTION_NOTIFY, b"\x00\x55\x01junk" + FRAME)
    assert len(found) == 1
    assert decoder.rejects == {"resync": 1}


def test_half_a_frame_does_not_spoil_the_next_notification() -> None:
    decoder = WitMotionDecoder()
    assert decoder.feed(WITMOTION_NOTIFY, FRAME[:11]) == []
    (decoded,) = decoder.feed(WITMOTION_NOTIFY, FRAME)
    assert decoded.counts.tolist() == [[100, -200, 2048]]
    assert decoder.rejects == {"truncated": 1}


def test_a_foreign_characteristic_is_counted() -> None:
    decoder = WitMotionDecoder()
    assert decoder.feed("somewhere-else", FRAME) == []
    assert decoder.rejects == {"foreign-characteristic": 1}


def test_reads_the_battery_register() -> None:
    reply = bytes.fromhex("55716400") + (387).to_bytes(2, "little") + bytes(14)
    (decoded,) = WitMotionDecoder().feed(WITMOTION_NOTIFY, reply)
    assert decoded.battery_pct == 80  # (3.87 V - 3.40 V) / 0.59 V
    assert len(decoded.counts) == 0


def test_the_battery_rises_from_empty_to_full() -> None:
    steps = [battery_pct(centivolts) for centivolts in range(330, 420)]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, 100)


def test_is_recognised_by_service_or_name() -> None:
    for seen in (
        Advertisement("WT901BLE67", "C0:FF:EE:00:00:01"),
        Advertisement("", "C0:FF:EE:00:00:01", frozenset({WITMOTION_SERVICE})),
    ):
        found = recognise(seen)
        assert found is not None
        assert found.kind == "witmotion"
    assert recognise(Advertisement("a lamp", "C0:FF:EE:00:00:02")) is None


async def test_prepares_by_unlocking_and_setting_the_rate() -> None:
    notes, wearable = Notes({WITMOTION_WRITE: b""}), WitMotion()
    assert wearable.plan(60.0, 8.0) == Stream(100.0, 16.0)
    await wearable.prepare(notes, wearable.plan(60.0, 8.0))
    await wearable.ask_battery(notes)
    commands = "ffaa6988b5", "ffaa030900", "ffaa276400"
    assert notes.written == [(WITMOTION_WRITE, command, False) for command in commands]


@pytest.mark.parametrize(
    ("rate_hz", "code"), [(1, 3), (2, 4), (5, 5), (10, 6), (20, 7), (50, 8), (100, 9), (200, 11)]
)  # fmt: skip
async def test_each_rate_has_the_vendors_number(rate_hz: float, code: int) -> None:
    # REG.h of WitStandardProtocol_JY901, "RRATE_1HZ 0x03" to "RRATE_200HZ 0x0b".
    notes, wearable = Notes({WITMOTION_WRITE: b""}), WitMotion()
    assert wearable.plan(rate_hz, 16.0).rate_hz == rate_hz
    await wearable.prepare(notes, wearable.plan(rate_hz, 16.0))
    assert notes.written[-1][1] == f"ffaa03{code:02x}00"
