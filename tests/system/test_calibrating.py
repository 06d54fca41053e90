"""Promise: sitting tall and still for some seconds teaches the clip; moving, or a clip that is silent, does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.broker import Broker, embedded_broker
from spineclip.calibrating import MqttCalibrator
from spineclip.contract import wire
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.placement import Placement
from spineclip.patients import Patients

SCALE_G = 16 / 32768
T0_NS = 1_790_000_000 * 10**9


async def _send(broker: Broker, sway_g: float, enough: asyncio.Event) -> None:
    """Send ten seconds of a clip that reads (0.98, 0.00, 0.20) g, swaying, a batch every twentieth of a second."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        for seq in range(200):
            if enough.is_set():
                break
            t_s = seq + np.arange(50) / 50
            xyz_g = np.stack([np.full(50, 0.98), sway_g * np.sin(9 * t_s), np.full(50, 0.20)], axis=1)
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
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        enough = asyncio.Event()
        sending = asyncio.create_task(_send(broker, sway_g, enough))
        assert await MqttCalibrator(access, patients, "p-1").calibrate(1.0) == verdict
        enough.set()
        await sending
    clips = patients.config("p-1").clips
    if verdict == "moved":
        assert clips == {}
        return
    calibration = clips["clip-1"].calibration
    assert calibration is not None
    assert calibration.neutral == pytest.approx((0.98, 0.0, 0.20), abs=0.002)
    assert calibration.since_ns >= T0_NS


async def test_silence_teaches_nothing(tmp_path: Path) -> None:
    patients = Patients(tmp_path)
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        assert await MqttCalibrator(access, patients, "p-1").calibrate(0.2) == "silent"
    assert patients.known() == []
