"""Promise: a simulated Espruino board prints what the script says, in pieces of twenty bytes."""

from __future__ import annotations

from typing import Any

import pytest

from collector.wearables import uuids
from firmware_sim.firmware.espruino import Espruino
from tests.unit.motions import Still
from tests.unit.twins import S

BODY = Still(-0.25, 0.5, 1.0)


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
