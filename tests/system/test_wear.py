"""Promise: `pair`, then `wear`: a wearable near is measured, analysed and shown, with nothing else running."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from processing.stores.sqlite import SqliteReader
from spineclip import settings as files
from spineclip.contract.config import PatientConfig
from spineclip.patients import Patients, store_file
from tests.running import Command, ask, spineclip
from tests.unit.motions import Still

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _paired(folder: Path) -> Path:
    settings = folder / "collector.toml"
    words = ["--wearable", "witmotion", "--placement", "sternum", "--settings", str(settings)]
    with spineclip("pair", *words, data=folder) as command:
        assert command.wait() == 0, command.text
        assert f"spineclip wear --settings {settings}" in command.text
    return settings


def _calibrated(folder: Path, settings: Path) -> None:
    words = ["--settings", str(settings), "--seconds", "2", "--countdown", "0"]
    with spineclip("calibrate", *words, data=folder) as command:
        assert command.wait() == 0, command.text
        assert "holds from the next `spineclip wear` on" in command.text


def _worn(folder: Path, settings: Path, *more: str) -> Command:
    """Wear until something is on the page and in the store; return what was said."""
    words = ["--settings", str(settings), "--no-browser", "--port", "0", *more]
    with spineclip("wear", *words, data=folder) as command:
        address = command.wait_for(r"http://127\.0\.0\.1:\d+/", 400).group()
        command.wait_for("streaming at 50 Hz")
        assert ask(address)[0] == 200
        reader = SqliteReader(store_file(folder))
        patient = files.read(settings).patient
        deadline = time.monotonic() + 60
        while reader.latest("activity", patient) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert command.end() == 0, command.text
        reader.close()
    assert "Traceback" not in command.text
    return command


async def test_pair_calibrate_wear_and_wear_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Still()))
        settings = await asyncio.to_thread(_paired, tmp_path)
        patient = files.read(settings).patient
        await asyncio.to_thread(_calibrated, tmp_path, settings)
        assert Patients(tmp_path).config(patient).time_zone == "Europe/Berlin", "nobody has said another"
        first = await asyncio.to_thread(_worn, tmp_path, settings, "--tz", "UTC")
        second = await asyncio.to_thread(_worn, tmp_path, settings)
    for command in (first, second):
        assert "samples received; what waits is stored" in command.said[-1]
    config = Patients(tmp_path).config(patient)
    assert config.time_zone == "UTC", "what was told once holds, wherever this machine is"
    (clip,) = config.clips.values()
    assert clip.calibration is not None
    assert isinstance(config, PatientConfig)
    reader = SqliteReader(store_file(tmp_path))
    assert reader.patients() == [patient]
    reader.close()


async def test_settings_of_a_clinic_are_left_to_collect(tmp_path: Path) -> None:
    settings = tmp_path / "collector.toml"
    settings.write_text(
        'patient = "p-1"\n[broker]\nhost = "clinic.example"\n[[clips]]\nwearable = "witmotion"\nplacement = "belt"\n'
    )
    with spineclip("wear", "--settings", str(settings), data=tmp_path) as command:
        assert await asyncio.to_thread(command.wait) == 1
    assert "sends to the broker at clinic.example" in command.text
    assert "spineclip collect" in command.text


async def test_without_bluetooth_it_says_so_at_once(tmp_path: Path) -> None:
    settings = tmp_path / "collector.toml"
    settings.write_text('patient = "p-1"\n[[clips]]\nwearable = "witmotion"\nplacement = "belt"\n')
    async with VirtualRadio(adapter=False):
        with spineclip("wear", "--settings", str(settings), "--no-browser", data=tmp_path) as command:
            assert await asyncio.to_thread(command.wait) == 1
    assert "no Bluetooth adapter" in command.text
    assert "Traceback" not in command.text
