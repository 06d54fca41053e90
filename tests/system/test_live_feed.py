"""Promise: the page hears the body now over a real broker, and survives what it cannot read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from amqtt.broker import Broker as AmqttBroker

from spineclip.broker import embedded_broker
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import BrokerError
from spineclip.contract.line import Line
from spineclip.contract.live import Live
from spineclip.contract.topics import Channel, topic
from spineclip.live_feed import live_feed
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port

LIVE = Live(
    time_ns=1_760_000_000 * 10**9,
    state="walking",
    posture="unknown",
    confidence=0.9,
    oriented=True,
    state_since_ns=1_760_000_000 * 10**9,
    sedentary_s=0.0,
    slouched_s=0.0,
    walking_min=3.0,
    goal_walking_min=20.0,
)


async def test_live_messages_reach_the_page_and_rubbish_is_counted() -> None:
    async with embedded_broker() as broker, live_feed(broker, "p-1") as feed:
        core = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        core.username_pw_set(broker.username, broker.password)
        core.connect(broker.host, broker.port)
        core.loop_start()
        for patient, payload in (("p-1", b"{"), ("p-2", LIVE.to_json()), ("p-1", LIVE.to_json())):
            core.publish(f"spineclip/v1/{patient}/live", payload, qos=1)
        async with asyncio.timeout(10):
            while feed.latest("p-1") is None:
                await asyncio.sleep(0.01)
        core.disconnect()
        core.loop_stop()
        received = feed.latest("p-1")
        assert received is not None
        assert received.live == LIVE
        assert feed.latest("p-2") is None, "another patient's live messages are not this page's"
        assert feed.rejects == {"json": 1}


async def test_a_broker_that_refuses_is_told_to_the_person() -> None:
    async with embedded_broker() as broker:
        with pytest.raises(BrokerError, match="refuses"):
            async with live_feed(replace(broker, password="guess")):
                pass


@asynccontextmanager
async def _choosy_broker(readable: str) -> AsyncIterator[BrokerAccess]:
    """Run a broker that lets everybody in and refuses subscriptions to all but one topic (SUBACK 0x80)."""
    access = BrokerAccess("127.0.0.1", free_port(), "page", "any")
    broker = AmqttBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{access.host}:{access.port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
                "amqtt.plugins.topic_checking.TopicAccessControlListPlugin": {"acl": {access.username: [readable]}},
            },
        }
    )
    await broker.start()
    try:
        yield access
    finally:
        await broker.shutdown()


@pytest.mark.filterwarnings("ignore:The 'acl' option is deprecated")  # amqtt 0.12 takes no other yet
async def test_a_page_that_may_not_read_is_told_so() -> None:
    async with _choosy_broker("spineclip/v1/p-1/live") as broker:
        async with live_feed(broker, "p-1") as feed:
            assert feed.connected
        with pytest.raises(BrokerError, match="does not let us read"):
            async with live_feed(broker, "p-2"):
                pass


async def test_a_broker_that_is_not_there_is_told_to_the_person() -> None:
    async with embedded_broker() as broker:
        pass
    with pytest.raises(BrokerError, match="cannot be reached"):
        async with live_feed(broker):
            pass


async def test_a_page_that_was_slow_does_not_blame_the_broker() -> None:
    async with embedded_broker() as broker:
        with pytest.raises(TimeoutError):
            async with live_feed(broker):
                raise TimeoutError


async def test_a_connection_that_is_lost_is_opened_again() -> None:
    async with embedded_broker() as broker, live_feed(broker, "p-1") as feed:
        feed.line._on_lost("as when a broker is restarted")
        async with asyncio.timeout(10):
            while feed.connected:
                await asyncio.sleep(0.01)
            while not feed.connected:
                await asyncio.sleep(0.01)


async def test_what_happens_now_is_kept_by_no_broker() -> None:
    async with embedded_broker() as broker:
        line = Line(broker, "core", [], lambda _topic, _payload: None)
        running = asyncio.create_task(line.run())
        await line.begun()
        heard: dict[str, list[bytes]] = {"there": [], "late": []}
        for who, told in heard.items():
            ear = Connection(broker, client_id=who, on_message=lambda _, payload, told=told: told.append(payload))
            await ear.open()
            await ear.subscribe(topic("p-1", Channel.LIVE))
            await ear.subscribe(topic("p-1", Channel.ACK))
            if who == "there":
                line.publish("p-1", Channel.LIVE, b"now")
                line.publish("p-1", Channel.ACK, b"stored", retain=True)
            async with asyncio.timeout(10):
                while b"stored" not in told:
                    await asyncio.sleep(0.01)
            await ear.close()
        assert heard == {"there": [b"now", b"stored"], "late": [b"stored"]}
        line.end()
        await running


@pytest.mark.server("mosquitto")
async def test_the_same_trouble_is_told_again_after_all_was_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    access = BrokerAccess("127.0.0.1", free_port(), "tests", "between-friends")
    line = Line(access, "core", [], lambda _topic, _payload: None)
    running = asyncio.create_task(line.run())

    def told() -> int:
        return sum("cannot be reached" in record.getMessage() for record in caplog.records)

    async with asyncio.timeout(60):
        while not told():
            await asyncio.sleep(0.01)
        with mosquitto(tmp_path, port=access.port, password=access.password):
            while not line.connected:
                await asyncio.sleep(0.01)
            assert told() == 1
        while told() < 2:
            await asyncio.sleep(0.01)
    line.end()
    await running


async def test_a_line_that_breaks_keeps_nobody_waiting() -> None:
    async with embedded_broker() as broker:
        line = Line(broker, "page", [""], lambda _topic, _payload: None)  # which is no topic
        running = asyncio.create_task(line.run())
        async with asyncio.timeout(10):
            await line.begun()
        with pytest.raises(ValueError, match="topic"):
            await running
