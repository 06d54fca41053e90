"""Promise: `spineclip doctor` says in a sentence each what is wrong and what to do, and is silent about the rest."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from spineclip.cli.main import app
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.doctor import RELEASED_NS, Verdict, adapter, broker, clock, database, dbus, folder, private
from spineclip.enrolment import tell_broker
from tests.servers.mosquitto import Broker
from tests.servers.process import free_port
from tests.servers.secure_mosquitto import secure_mosquitto
from tests.unit.motions import Still


def test_no_bus_is_told_with_a_remedy() -> None:
    found = dbus("unix:path=/nowhere/bus")
    assert (found.verdict, "dbus" in found.advice) == (Verdict.BAD, True)


def test_no_bluetooth_is_a_finding_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    found = asyncio.run(adapter(None, 0.5))
    assert found.verdict is Verdict.BAD
    assert found.advice


async def test_a_wearable_that_is_near_is_named() -> None:
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Still()))
        found = await adapter(None, 1.0)
    assert found.verdict is Verdict.GOOD
    assert "witmotion" in found.sentence


async def test_a_radio_without_wearables_leaves_it_open() -> None:
    async with VirtualRadio():
        assert (await adapter(None, 0.5)).verdict is Verdict.UNSURE


@pytest.mark.server("mosquitto")
def test_a_broker_that_lets_us_in_is_good(mosquitto_server: Broker) -> None:
    access = BrokerAccess("127.0.0.1", mosquitto_server.port, mosquitto_server.username, mosquitto_server.password)
    assert asyncio.run(broker(access)).verdict is Verdict.GOOD


@pytest.mark.server("mosquitto")
def test_a_wrong_password_and_a_closed_port_are_told_apart(mosquitto_server: Broker) -> None:
    refused = asyncio.run(broker(BrokerAccess("127.0.0.1", mosquitto_server.port, "tests", "guess")))
    away = asyncio.run(broker(BrokerAccess("127.0.0.1", free_port(), "tests", "guess")))
    assert refused.verdict is away.verdict is Verdict.BAD
    assert refused.sentence != away.sentence


@pytest.mark.server("mosquitto")
def test_the_clinics_broker_is_good_with_its_authority(tmp_path: Path) -> None:
    with secure_mosquitto(tmp_path) as server:
        secret = server.passwords.admit("core")
        known = BrokerAccess("127.0.0.1", server.port, "core", secret, server.files.authority)
        tell_broker(server.pid)
        assert asyncio.run(broker(known)).verdict is Verdict.GOOD


def test_a_sound_database_is_good_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "metrics.sqlite"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE t (a)")
        writer.executemany("INSERT INTO t VALUES (?)", [(f"{i:0500d}",) for i in range(200)])
    writer.close()
    assert database("store", path).verdict is Verdict.GOOD
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    assert database("store", path).verdict is Verdict.BAD


def test_a_database_to_be_made_is_no_fault(tmp_path: Path) -> None:
    assert database("store", tmp_path / "new" / "metrics.sqlite").verdict is Verdict.GOOD


def test_a_clock_that_was_never_set_is_told() -> None:
    assert clock(DrivenClock(0)).verdict is Verdict.BAD
    assert clock(DrivenClock(RELEASED_NS + 1)).verdict is not Verdict.BAD


def test_a_secret_that_others_can_read_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("x")
    secret.chmod(0o644)
    assert private(secret).verdict is Verdict.BAD
    secret.chmod(0o600)
    assert private(secret).verdict is Verdict.GOOD


def test_a_folder_to_be_made_is_ours(tmp_path: Path) -> None:
    assert folder(tmp_path / "a" / "b").verdict is Verdict.GOOD
    assert list(tmp_path.iterdir()) == []


def test_settings_that_do_not_hold_are_a_finding_beside_the_others(tmp_path: Path) -> None:
    settings = tmp_path / "collector.toml"
    clip = '[[clips]]\nwearable = "diy"\nplacement = "belt"\n'
    settings.write_text(f'patient = "p-1"\n[broker]\nca_file = "not-there.crt"\n{clip}')
    line = ["doctor", "--settings", str(settings), "--data", str(tmp_path), "--no-bluetooth"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 1
    assert "not-there.crt" in result.output
    assert "clock:" in result.output
    assert "store:" in result.output
