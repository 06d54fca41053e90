"""Promise: what is written to a wearable is what its vendor's documents, or its own profile, say."""

from __future__ import annotations

import pytest

from collector.wearables.generic import Generic
from collector.wearables.movella import MovellaDot
from collector.wearables.profile import parse_profile
from collector.wearables.uuids import DOT_BATTERY, DOT_CONTROL, DOT_DEVICE_CONTROL
from tests.unit.notes import Notes

# "Movella DOT BLE Services Specification", revision C: measurement control is type 1, action (1 starts, 0 stops) and
# payload mode (21 is rate quantities); device control has 32 bytes, of which the first says which others count
# (bit 0: identify, in byte 1; bit 4: output rate, in bytes 24 and 25, low byte first).
DOT_STOP = (DOT_CONTROL, "010015", True)


async def test_a_dot_is_stopped_and_told_its_rate_before_it_is_started() -> None:
    notes, dot = Notes(), MovellaDot()
    plan = dot.plan(14.0, 4.0)
    assert (plan.rate_hz, plan.range_g) == (15.0, 16.0)
    await dot.prepare(notes, plan)
    await dot.start(notes, plan)
    assert notes.written == [
        DOT_STOP,
        (DOT_DEVICE_CONTROL, "10" + 23 * "00" + "0f00" + 6 * "00", True),
        (DOT_CONTROL, "010115", True),
    ]


async def test_a_dot_is_stopped() -> None:
    notes = Notes()
    await MovellaDot().stop(notes)
    assert notes.written == [DOT_STOP]


async def test_a_dot_blinks() -> None:
    notes = Notes()
    assert await MovellaDot().buzz(notes)
    assert notes.written == [(DOT_DEVICE_CONTROL, "0101" + 30 * "00", True)]


@pytest.mark.parametrize(
    ("value", "percent"), [(b"\x2a\x00", 42), (b"\x64\x01", 100), (b"\x65\x00", None), (b"", None)]
)
async def test_a_dot_tells_its_battery_in_percent_first(value: bytes, percent: int | None) -> None:
    assert await MovellaDot().ask_battery(Notes({DOT_BATTERY: value})) == percent


HOME_MADE = """
kind: mine
label: My clip
service: 5b1c0001-7370-696e-6563-6c6970000000
data: 5b1c0002-7370-696e-6563-6c6970000000
samples: {type: i16}
prepare: [{to: 5b1c0003-7370-696e-6563-6c6970000000, bytes: "0a"}]
rates:
  - {hz: 25, writes: [{to: 5b1c0003-7370-696e-6563-6c6970000000, bytes: "01 19", response: false}]}
  - {hz: 50, writes: [{to: 5b1c0003-7370-696e-6563-6c6970000000, bytes: "01 32"}]}
start: [{to: 5b1c0003-7370-696e-6563-6c6970000000, bytes: "02"}]
"""


async def test_a_profile_s_writes_ask_for_a_response_unless_it_says_otherwise() -> None:
    mine = Generic(parse_profile(HOME_MADE, "mine.yaml"))
    control = "5b1c0003-7370-696e-6563-6c6970000000"
    for rate_hz, chosen in ((20.0, (control, "0119", False)), (50.0, (control, "0132", True))):
        notes = Notes({control: b""})
        plan = mine.plan(rate_hz, 8.0)
        await mine.prepare(notes, plan)
        await mine.start(notes, plan)
        assert notes.written == [(control, "0a", True), chosen, (control, "02", True)]
