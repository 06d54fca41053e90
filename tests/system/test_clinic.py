"""The whole clinic on loopback: what compose starts, started here, and its numbers read back by its own panels.

mosquitto with the clinic's configuration (TLS, passwords, access list), InfluxDB 1.6.7 in the place of 2.8, the core as
a process of its own with the compose file's own command, and two collectors, each with a virtual wearable on a person
who does what a script says.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.service import Collector, CollectorSettings, WornClip
from dashboards.grafana.provisioning import dashboards
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.motion import Motion
from firmware_sim.radio import VirtualRadio
from firmware_sim.script import Stretch, sits, stands, walks
from processing.stores.influx_link import Address, InfluxLink
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.placement import Placement
from spineclip.enrolment import tell_broker
from tests.servers.influx import Influx, influx
from tests.servers.secure_mosquitto import SecureBroker, secure_mosquitto

pytestmark = [pytest.mark.server("mosquitto"), pytest.mark.server("influx"), pytest.mark.slow, pytest.mark.timeout(300)]
HOUSE = Path(__file__).parents[2]
NS = 10**9
SCRIPTS: dict[str, tuple[Stretch, ...]] = {
    "p-north": (sits(120), walks(240, 110), sits(180), walks(60, 105), stands(120)),
    "p-south": (stands(60), walks(120, 115), sits(540)),
}
WALKED_MIN = {"p-north": 5.0, "p-south": 2.0}
DURATION_S = 720
TOLERANCE_MIN = 0.5
"""A walk begins and ends within some seconds of its true times; four ends in the one script, two in the other."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """Servers, and the folder in which secrets lie as in ``/run/secrets``."""

    broker: SecureBroker
    database: Influx
    secrets: Path


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    for part in ("mosquitto", "influx", "secrets"):
        (folder / part).mkdir()
    secrets = folder / "secrets"
    with secure_mosquitto(folder / "mosquitto") as broker, influx(folder / "influx") as database:
        (secrets / "mqtt_core").write_text(broker.passwords.admit("core"))
        (secrets / "influx_core").write_text(database.token)
        (secrets / "ca.crt").write_bytes(broker.files.authority.read_bytes())
        yield Clinic(broker, database, secrets)


@contextmanager
def core(clinic: Clinic, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the core as compose does: the same command, with this machine's addresses and folder of secrets."""
    command = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())["services"]["core"]["command"]
    here = {"mosquitto": "localhost", "8883": str(clinic.broker.port), "http://influxdb:8086": clinic.database.url}
    here["/tmp/core.alive"] = str(clinic.secrets / "core.alive")  # noqa: S108
    words = [here.get(word, word).replace("/run/secrets", str(clinic.secrets)) for word in command]
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "spineclip", *words], cwd=HOUSE, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _settings(clinic: Clinic, patient: str, address: str, folder: Path) -> CollectorSettings:
    password = clinic.broker.passwords.admit(patient)
    access = BrokerAccess("localhost", clinic.broker.port, patient, password, clinic.secrets / "ca.crt")
    return CollectorSettings(
        patient, (WornClip(address, Placement.STERNUM),), access, folder / f"{patient}.sqlite", rate_hz=50.0
    )


async def test_the_whole_clinic(clinic: Clinic, tmp_path: Path) -> None:
    start_ns = (time.time_ns() // NS - DURATION_S - 60) * NS
    clock = DrivenClock(start_ns - 60 * NS)  # until they are connected, and stand or sit for a while
    clips = {
        patient: Witmotion(
            Motion(script, start_ns=start_ns, seed=seed), address=f"C0:57:49:54:00:0{seed}", keep_truth=False
        )
        for seed, (patient, script) in enumerate(SCRIPTS.items(), 1)
    }
    settings = [_settings(clinic, patient, clip.address, tmp_path) for patient, clip in clips.items()]
    tell_broker(clinic.broker.pid)
    async with VirtualRadio(clock=clock) as radio:
        for clip in clips.values():
            radio.add(clip)
        collectors = [Collector(one, clock) for one in settings]
        tasks = [asyncio.create_task(one.run()) for one in collectors]

        async def settled() -> None:
            for one in collectors:
                await one.settled()

        conductor = Conductor(radio, clock, settled=settled, grain_s=0.5)
        with core(clinic, tmp_path / "core.log") as first:
            await conductor.run(start_ns + DURATION_S // 3 * NS)
            first.kill()  # as a power cut does, in the middle of its work
            await asyncio.to_thread(first.wait)
        with core(clinic, tmp_path / "core.log") as second:
            await conductor.run(start_ns + DURATION_S * NS)
            async with asyncio.timeout(90):
                while any(one.backlog for one in collectors):
                    await asyncio.sleep(0.05)
            for one in collectors:
                one.stop()
            await asyncio.gather(*tasks)
            assert second.poll() is None, (tmp_path / "core.log").read_text()
            assert (clinic.secrets / "core.alive").exists()
    assert "Traceback" not in (tmp_path / "core.log").read_text()
    link = InfluxLink(Address(clinic.database.url, clinic.database.bucket, clinic.database.read_token))
    try:
        _read_back(link, start_ns)
    finally:
        link.close()


def _read_back(link: InfluxLink, start_ns: int) -> None:
    """Ask what the dashboards ask, with the token that Grafana has."""
    overview = dashboards()["overview"]["panels"][0]["targets"]
    week = _table(link, next(row["query"] for row in overview if '"Walked 7 d"' in row["query"]))
    print("\npatient  walked (min)  truth")
    for patient, minutes in WALKED_MIN.items():
        print(f"{patient}  {week[patient]['Walked 7 d']:12.2f}  {minutes:5.1f}")
        assert week[patient]["Walked 7 d"] == pytest.approx(minutes, abs=TOLERANCE_MIN)
    assert week.keys() == WALKED_MIN.keys()
    seen = _table(link, next(row["query"] for row in overview if row["refId"] == "L"))
    assert seen.keys() == WALKED_MIN.keys()
    # nothing is missing although the core was killed: every five seconds of the script have their point. The newest
    # fifteen are not final yet when the wearables stop.
    (timeline,) = [panel for panel in dashboards()["patient"]["panels"] if panel["title"] == "Activity"]
    shown = f"time >= {start_ns} AND time < {start_ns + DURATION_S * NS}"
    for patient in WALKED_MIN:
        query = timeline["targets"][0]["query"].replace("$timeFilter", shown).replace("$__interval", "5s")
        series = link.query(query.replace("/^$patient$/", f"/^{patient}$/"))
        times = [row[0] for one in series for row in one["values"] if row[1] is not None]
        assert DURATION_S / 5 - 6 <= len(times) <= DURATION_S / 5 + 1
        assert {after - before for before, after in pairwise(times)} == {5 * NS}


def _table(link: InfluxLink, query: str) -> dict[str, dict[str, Any]]:
    return {
        one["tags"]["patient"]: dict(zip(one["columns"], one["values"][0], strict=True)) for one in link.query(query)
    }
