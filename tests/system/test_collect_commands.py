"""Promise: scan and collect do with a wearable near what they say, and end cleanly."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.firmware.base import Samples, Times
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import H10, Polar
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from spineclip import settings
from spineclip.broker import embedded_broker
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.placement import Placement
from spineclip.contract.topics import Channel, topic
from spineclip.contract.wire import Gap, SampleBatch
from spineclip.patients import Patients
from tests.system.test_collector import PATIENT, StandIn, Turning, check_against_truth, until
from tests.unit.motions import Still


class Shaken:
    """Three shakes a second with 1.5 g."""

    def samples(self, t_ns: Times) -> Samples:
        phase = 2 * np.pi * 3.0 * (t_ns % 10**10) / 1e9
        return np.stack([1.5 * np.sin(phase), np.zeros(len(t_ns)), np.ones(len(t_ns))], axis=1)


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


async def _ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    out = (await process.communicate())[0].decode()
    return process.returncode, out


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
        # With a number in its packets: a machine that is late for a second must not look like a loss.
        firmware = Diy(Turning(), rate_hz=100)
        device = radio.add(firmware)
        core = StandIn(BrokerAccess(broker.host, broker.port, broker.username, broker.password))
        (tmp_path / "password").write_text(broker.password)
        process = await _spineclip(
            "collect",
            "--patient", PATIENT, "--wearable", "diy", "--placement", "sternum", "--rate", "100",
            "--broker", f"{broker.host}:{broker.port}", "--username", broker.username,
            "--password-file", tmp_path / "password",
            home=tmp_path,
        )  # fmt: skip
        await until(lambda: len(core.records) >= 3, 60)
        process.send_signal(number)
        code, out = await asyncio.wait_for(_ended(process), 10 + 20)  # 20 more for a loaded machine
        await until(lambda: core.states[-1:] == ["disconnected"])
        core.close()
        assert not device.connected
    assert code == 0, out
    assert "all stored." in out
    assert broker.password not in out
    assert check_against_truth(core.in_order, firmware, within_ns=2 * 10**9) == []


async def test_f01_a_killed_collector_leaves_a_stream_that_the_next_one_takes_over(tmp_path: Path) -> None:
    """BlueZ keeps the links of a killed process, and the wearables go on: neither advertises, some still stream."""
    twins = [Polar(Turning(), model=H10), Movesense(Turning()), Diy(Turning()), MovellaDot(Turning())]
    async with VirtualRadio() as radio, embedded_broker() as broker:
        devices = [radio.add(twin) for twin in twins]
        core = StandIn(BrokerAccess(broker.host, broker.port, broker.username, broker.password))
        (tmp_path / "password").write_text(broker.password)
        table = settings.BrokerTable(
            host=broker.host, port=broker.port, username=broker.username, password_file=Path("password")
        )
        kinds = ("polar-h10", "movesense", "diy", "dot")
        clips = tuple(settings.ClipTable(wearable=kind, placement=Placement.STERNUM) for kind in kinds)
        settings.write(tmp_path / "c.toml", settings.Settings(patient=PATIENT, broker=table, clips=clips))

        def heard(boots: int) -> bool:
            """Tell whether samples of every wearable have come in so many lives."""
            lives = {(one.device, one.boot) for one in core.records.values() if isinstance(one, SampleBatch)}
            return len(lives) >= boots * len(kinds)

        first = await _spineclip("collect", "--settings", tmp_path / "c.toml", home=tmp_path)
        await until(lambda: heard(1), 60)
        first.kill()
        await first.wait()
        assert all(device.connected for device in devices)
        second = await _spineclip("collect", "--settings", tmp_path / "c.toml", home=tmp_path)
        await until(lambda: heard(2), 60)
        assert [device.counters.connects for device in devices] == [1, 1, 1, 1]
        second.send_signal(signal.SIGTERM)
        code, out = await _ended(second)
        core.close()
    assert code == 0, out
    for kind in kinds:
        records = [one for one in core.in_order if one.device.startswith(kind)]
        assert "collector-off" in {one.reason for one in records if isinstance(one, Gap)}
        ends = [one for one in records if isinstance(one, SampleBatch)]
        assert all(a.end_ns <= b.t0_ns for a, b in pairwise(ends))


async def test_pair_recognises_the_shaken_one_and_writes_the_settings(tmp_path: Path) -> None:
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Still(), name="WT901BLE67", address="C0:00:00:00:00:01"))
        radio.add(Espruino(Shaken(), address="C0:00:00:00:00:02"))
        process = await _spineclip(
            "pair", "--placement", "sternum", "--seconds", "2", "--settings", tmp_path / "c.toml", home=tmp_path
        )
        out = (await process.communicate())[0].decode()
    assert process.returncode == 0, out
    assert "espruino-c00000000002, worn at sternum" in out
    assert "buzzed or blinked" in out
    written = settings.read(tmp_path / "c.toml")
    assert [(clip.wearable, clip.placement) for clip in written.clips] == [("espruino-c00000000002", "sternum")]


async def _calibrate(home: Path, clip: Witmotion, *words: str) -> tuple[int | None, str]:
    async with VirtualRadio() as radio:
        radio.add(clip)
        process = await _spineclip(
            "calibrate", "--seconds", "2", "--countdown", "1", "--settings", home / "c.toml",
            "--data", home / "data", *words, home=home,
        )  # fmt: skip
        return await _ended(process)


async def test_calibrate_measures_neutral_and_poses_and_leaves_them_at_the_broker(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with embedded_broker() as broker:
        (tmp_path / "password").write_text(broker.password)
        table = settings.BrokerTable(
            host=broker.host, port=broker.port, username=broker.username, password_file=Path("password")
        )
        clips = (settings.ClipTable(wearable="witmotion", placement=Placement.STERNUM),)
        settings.write(tmp_path / "c.toml", settings.Settings(patient=PATIENT, broker=table, clips=clips))
        tall, bent = (Witmotion(Still(*g), address="C0:00:00:00:00:01") for g in ((0.0, 0.6, 0.8), (0.0, 0.8, 0.6)))
        code, out = await _calibrate(tmp_path, bent, "--pose", "slouched")
        assert code == 1
        assert "does not know how you sit tall yet" in out
        code, out = await _calibrate(tmp_path, tall)
        assert code == 0, out
        assert "Sit tall" in out
        code, out = await _calibrate(tmp_path, bent, "--pose", "slouched")
        assert code == 0, out
        assert "Let your back sink" in out
        session = Connection(
            BrokerAccess(broker.host, broker.port, broker.username, broker.password),
            client_id="reader",
            on_message=lambda _, payload: heard.append(payload),
        )
        await session.open()
        await session.subscribe(topic(PATIENT, Channel.CONFIG))
        await until(lambda: bool(heard), 5)
        await session.close()
    config = PatientConfig.from_json(heard[0])
    assert config == Patients(tmp_path / "data").config(PATIENT)
    calibration = config.clips["witmotion-c00000000001"].calibration
    assert calibration is not None
    assert calibration.neutral == pytest.approx((0.0, 0.6, 0.8), abs=1 / 2048)
    assert list(calibration.poses) == ["slouched"]
    assert calibration.poses["slouched"] == pytest.approx((0.0, 0.8, 0.6), abs=1 / 2048)


async def test_calibrate_does_not_take_a_moving_wearer(tmp_path: Path) -> None:
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Shaken()))
        clips = (settings.ClipTable(wearable="witmotion", placement=Placement.STERNUM),)
        settings.write(tmp_path / "c.toml", settings.Settings(patient=PATIENT, clips=clips))
        process = await _spineclip(
            "calibrate", "--seconds", "2", "--countdown", "0", "--settings", tmp_path / "c.toml", "--no-publish",
            "--data", tmp_path / "data", home=tmp_path,
        )  # fmt: skip
        out = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert "you moved" in out
    assert not (tmp_path / "data").exists()
