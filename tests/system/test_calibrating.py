"""Promise: sitting tall and still for some seconds teaches the clip; moving, or a clip that is silent, does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from processing.epochs import Posture
from spineclip.broker import Broker, embedded_broker
from spineclip.calibrating import MqttCalibrator
from spineclip.contract import wire
from spineclip.contract.connection import Connection
from spineclip.contract.placement import Placement
from spineclip.patients import Patients

SCALE_G = 16 / 32768
T0_NS = 1_790_000_000 * 10**9


TALL_G = (0.98, 0.0, 0.20)
ROUND_G = (0.85, 0.0, 0.55)  # turned by some 21 degrees


@contextlib.asynccontextmanager
async def _worn(
    tmp_path: Path, *, sway_g: float = 0.005, rest_g: tuple[float, float, float] = TALL_G
) -> AsyncIterator[MqttCalibrator]:
    """A calibrator beside a clip that sends."""
    async with embedded_broker() as broker:
        enough = asyncio.Event()
        sending = asyncio.create_task(_send(broker, sway_g, enough, rest_g))
        yield MqttCalibrator(broker, Patients(tmp_path), "p-1")
        enough.set()
        await sending


async def _send(broker: Broker, sway_g: float, enough: asyncio.Event, rest_g: tuple[float, float, float]) -> None:
    """Send ten seconds of a clip that reads `rest_g`, swaying, a batch every twentieth of a second."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        for seq in range(200):
            if enough.is_set():
                break
            t_s = seq + np.arange(50) / 50
            xyz_g = np.stack([np.full(50, rest_g[0]), sway_g * np.sin(9 * t_s), np.full(50, rest_g[2])], axis=1)
            counts = np.rint(xyz_g / SCALE_G).astype(np.int16)
            batch = wire.SampleBatch(
                "clip-1", Placement.STERNUM, 1, seq, T0_NS + seq * 10**9, 20_000_000, SCALE_G, counts
            )
            info = client.publish("spineclip/v1/p-1/samples", wire.encode(batch), qos=1)
            await asyncio.sleep(0.05)
            await asyncio.to_thread(info.wait_for_publish, 10)
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
        if (left_open := client.socket()) is not None:
            left_open.close()


@pytest.mark.parametrize(("sway_g", "verdict"), [(0.005, "done"), (0.3, "moved")])
async def test_only_a_still_wearer_teaches(sway_g: float, verdict: str, tmp_path: Path) -> None:
    patients = Patients(tmp_path)
    async with _worn(tmp_path, sway_g=sway_g) as calibrator:
        assert await calibrator.calibrate(1.0) == verdict
    clips = patients.config("p-1").clips
    if verdict == "moved":
        assert clips == {}
        return
    calibration = clips["clip-1"].calibration
    assert calibration is not None
    assert calibration.neutral == pytest.approx((0.98, 0.0, 0.20), abs=0.002)
    assert calibration.since_ns >= T0_NS


async def test_a_pose_joins_the_neutral_and_waits_for_it(tmp_path: Path) -> None:
    async with _worn(tmp_path) as calibrator:
        assert await calibrator.calibrate(1.0, Posture.SLOUCHED) == "no_neutral"
        assert calibrator.taught() == frozenset()
        assert await calibrator.calibrate(1.0) == "done"
        assert await calibrator.calibrate(1.0, Posture.SLOUCHED) == "near", "it sits as tall as before"
    async with _worn(tmp_path, rest_g=ROUND_G) as calibrator:
        assert await calibrator.calibrate(1.0, Posture.SLOUCHED) == "done"
        assert calibrator.taught() == {Posture.UPRIGHT, Posture.SLOUCHED}
        known = Patients(tmp_path).config("p-1").clips["clip-1"].calibration
        assert known is not None
        assert known.neutral == pytest.approx(TALL_G, abs=0.002)
        assert known.poses["slouched"] == pytest.approx(ROUND_G, abs=0.002)
        assert await calibrator.calibrate(1.0) == "forgotten", "tall is elsewhere now: the clip was put on anew"
        assert calibrator.taught() == {Posture.UPRIGHT}


async def test_silence_teaches_nothing(tmp_path: Path) -> None:
    patients = Patients(tmp_path)
    async with embedded_broker() as broker:
        assert await MqttCalibrator(broker, patients, "p-1").calibrate(0.2) == "silent"
    assert patients.known() == []


async def test_what_was_measured_before_an_outage_teaches_nothing(tmp_path: Path) -> None:
    """While the collector works off hours, they come in order, and beside them the newest shows the wearer now."""
    patients = Patients(tmp_path)

    def batch(seq: int, rest_g: tuple[float, float, float]) -> bytes:
        counts = np.tile(np.rint(np.array(rest_g) / SCALE_G).astype(np.int16), (50, 1))
        t0_ns = T0_NS + seq * 10**9
        return wire.encode(wire.SampleBatch("clip-1", Placement.STERNUM, 1, seq, t0_ns, 20_000_000, SCALE_G, counts))

    async with embedded_broker() as broker:
        sender = Connection(broker, client_id="collector", on_message=lambda _topic, _payload: None)
        await sender.open()
        calibrating = asyncio.create_task(MqttCalibrator(broker, patients, "p-1").calibrate(2.0))
        for second in range(60):
            sender.publish("spineclip/v1/p-1/samples", batch(second, ROUND_G))
            sender.publish("spineclip/v1/p-1/newest", batch(3600 + second, TALL_G), qos=0)
            await asyncio.sleep(0.05)
        assert await calibrating == "done"
        await sender.close()
    known = patients.config("p-1").clips["clip-1"].calibration
    assert known is not None
    assert known.neutral == pytest.approx(TALL_G, abs=0.002)
    assert known.since_ns >= T0_NS + 3600 * 10**9
