"""Promise: a goal or a pause that is changed in its file reaches whoever listens to the broker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.announce import announce
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import Goals, PatientConfig
from spineclip.contract.topics import Channel, topic
from spineclip.following import LOOK_EVERY_S, follow
from spineclip.patients import Patients


async def test_a_change_of_the_file_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = DrivenClock(0)
    patients = Patients(tmp_path)
    first = patients.change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    heard: asyncio.Queue[PatientConfig] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    async with embedded_broker() as broker:
        await announce(broker, "p-1", first)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv311)
        client.username_pw_set(broker.username, broker.password)
        client.on_message = lambda _c, _u, message: loop.call_soon_threadsafe(
            heard.put_nowait, PatientConfig.from_json(message.payload)
        )
        client.on_connect = lambda listener, *_: listener.subscribe(topic("p-1", Channel.CONFIG), qos=1)
        await asyncio.to_thread(client.connect, broker.host, broker.port)
        client.loop_start()
        following = asyncio.create_task(follow(broker, patients, "p-1", clock))
        try:
            assert await asyncio.wait_for(heard.get(), 20) == first
            while clock.next_wake_utc_ns is None:
                await asyncio.sleep(0.01)
            (patients.folder / "p-1.json").write_text("{ broken")
            clock.advance(LOOK_EVERY_S)
            while "cannot be used" not in caplog.text:  # ends with the test's time limit
                await asyncio.sleep(0.01)
            assert heard.empty(), "a file that cannot be used changes nothing"
            (patients.folder / "p-1.json").write_bytes(first.to_json())
            goal = Goals(since="2026-03-01", walking_min=12.0)
            changed = patients.change("p-1", lambda config: replace(config, goals=(goal,)))
            while clock.next_wake_utc_ns is None:
                await asyncio.sleep(0.01)
            clock.advance(LOOK_EVERY_S)
            assert await asyncio.wait_for(heard.get(), 20) == changed
        finally:
            following.cancel()
            await asyncio.to_thread(client.disconnect)
            client.loop_stop()
