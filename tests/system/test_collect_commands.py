"""Promise: scan and collect do with a wearable near what they say, and end cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from collector.broker import BrokerAccess
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from spineclip.broker import embedded_broker
from tests.system.test_collector import PATIENT, StandIn, Turning, check_against_truth, until


async def _spineclip(*words: str | Path, home: Path) -> asyncio.subprocess.Process:
    environment = os.environ | {"HOME": str(home), "COLUMNS": "160", "XDG_STATE_HOME": str(home)}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "spineclip",
        *map(str, words),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_scan_lists_name_kind_strength_and_battery(tmp_path: Path) -> None:
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Turning(), name="WT901BLE67", battery_v=3.87))
        process = await _spineclip("scan", "--seconds", "1", home=tmp_path)
        out = (await process.communicate())[0].decode()
    assert process.returncode == 0, out
    (row,) = [line for line in out.splitlines() if "WT901BLE67" in line]
    assert "witmotion-c05749540001" in row
    assert "dBm" in row
    assert "80 %" in row  # (3.87 V - 3.40 V) / 0.59 V


async def test_scan_without_wearables_or_bluetooth_is_one_sentence(tmp_path: Path) -> None:
    async with VirtualRadio():
        process = await _spineclip("scan", "--seconds", "0.5", home=tmp_path)
        out = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert out.startswith("no wearable that we know was seen")
    async with VirtualRadio(adapter=False):
        process = await _spineclip("scan", home=tmp_path)
        out = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert out.startswith("this computer has no Bluetooth adapter. Plug one in")
    assert "Traceback" not in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_f22_collect_drains_and_exits_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    async with VirtualRadio() as radio, embedded_broker() as broker:
        firmware = Witmotion(Turning())
        device = radio.add(firmware)
        core = StandIn(BrokerAccess(broker.host, broker.port, broker.username, broker.password))
        (tmp_path / "password").write_text(broker.password)
        process = await _spineclip(
            "collect",
            "--patient", PATIENT, "--wearable", "witmotion", "--placement", "sternum", "--rate", "100",
            "--broker", f"{broker.host}:{broker.port}", "--username", broker.username,
            "--password-file", tmp_path / "password",
            home=tmp_path,
        )  # fmt: skip
        await until(lambda: len(core.records) >= 3, 30)
        process.send_signal(number)
        out = (await asyncio.wait_for(process.communicate(), 12))[0].decode()
        await until(lambda: core.states[-1:] == ["disconnected"], 3)
        core.close()
        assert not device.connected
    assert process.returncode == 0, out
    assert "all stored." in out
    assert broker.password not in out
    assert check_against_truth(core.in_order, firmware) == []
