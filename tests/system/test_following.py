"""Promise: a goal or a pause that is changed in its file reaches whoever listens to the broker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from dashboards.words import Words
from processing.stores.sqlite import SqliteStore
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import Goals, PatientConfig
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.topics import Channel, topic
from spineclip.enrolment import tell_broker
from spineclip.following import LOOK_EVERY_S, follow
from spineclip.patients import Patients, store_file
from spineclip.retained import publish_config
from tests.running import spineclip
from tests.servers.secure_mosquitto import secure_mosquitto


async def test_a_change_of_the_file_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = DrivenClock(0)
    patients = Patients(tmp_path)
    first = patients.change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    heard: asyncio.Queue[PatientConfig] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    async with embedded_broker() as broker:
        await publish_config(broker, "p-1", first)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv311)
        client.username_pw_set(broker.username, broker.password)
        client.on_message = lambda _c, _u, message: loop.call_soon_threadsafe(
            heard.put_nowait, PatientConfig.from_json(message.payload)
        )
        client.on_connect = lambda listener, *_: listener.subscribe(topic("p-1", Channel.CONFIG), qos=1)
        await asyncio.to_thread(client.connect, broker.host, broker.port)
        client.loop_start()
        following = asyncio.create_task(follow(broker, patients, "p-1", clock, told=True))
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


async def test_who_was_erased_and_comes_back_is_announced_again(tmp_path: Path) -> None:
    clock = DrivenClock(0)
    patients = Patients(tmp_path)
    first = patients.change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def look() -> None:
        while clock.next_wake_utc_ns is None:
            await asyncio.sleep(0.01)
        clock.advance(LOOK_EVERY_S)

    async with embedded_broker() as broker:
        listener = Connection(
            broker, client_id="listener", on_message=lambda _topic, content: heard.put_nowait(content)
        )
        await listener.open()
        await listener.subscribe(topic("p-1", Channel.CONFIG))
        following = asyncio.create_task(follow(broker, patients, clock=clock))
        try:
            assert PatientConfig.from_json(await asyncio.wait_for(heard.get(), 20)) == first
            patients.erase("p-1")
            await look()
            await look()
            patients.change("p-1", lambda _: first)
            await look()
            assert PatientConfig.from_json(await asyncio.wait_for(heard.get(), 20)) == first
        finally:
            following.cancel()
            await listener.close()


@pytest.mark.server("mosquitto")
@pytest.mark.parametrize("view", [("page", "p-1"), ("therapist",)], ids=["page", "therapist"])
async def test_in_a_clinic_new_goals_reach_the_core_through_an_open_view(tmp_path: Path, view: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "mosquitto").mkdir()
    SqliteStore(store_file(data)).close()
    Patients(data).change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    heard: asyncio.Queue[PatientConfig] = asyncio.Queue()
    with secure_mosquitto(tmp_path / "mosquitto") as broker:
        password_file, ca_file = tmp_path / "password", broker.files.authority
        password_file.write_text(broker.passwords.admit("page"))
        access = BrokerAccess("localhost", broker.port, "core", broker.passwords.admit("core"), ca_file)
        tell_broker(broker.pid)
        core = Connection(
            access,
            client_id="core",
            on_message=lambda _, payload: heard.put_nowait(PatientConfig.from_json(payload)),
        )
        await core.open()
        await core.subscribe(topic("p-1", Channel.CONFIG))
        there = ["--host", "localhost", "--broker-port", str(broker.port), "--ca", str(ca_file)]
        shown = [*view, "--no-browser", "--port", "0", *there, "--password-file", str(password_file)]
        with spineclip(*shown, data=data) as command:
            first = await asyncio.wait_for(heard.get(), 60)
            assert first.time_zone == "Europe/Berlin", "what was changed while nobody followed"
            if "page" in view:
                address = await asyncio.to_thread(command.wait_for, r"http://127\.0\.0\.1:\d+/")
                html = (await asyncio.to_thread(httpx.get, address.group(), timeout=30)).text
                assert Words("en")("calibrate.start") in html, "with a broker the page can calibrate"
                assert Words("en")("calibrate.title") in html
            with spineclip("goals", "p-1", "--walking", "12", data=data) as agreeing:
                assert await asyncio.to_thread(agreeing.wait) == 0, agreeing.text
            changed = await asyncio.wait_for(heard.get(), 60)
            assert changed.goals[-1].walking_min == 12.0
            assert await asyncio.to_thread(command.end) == 0, command.text
            assert "Traceback" not in command.text
        await core.close()
