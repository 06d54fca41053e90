"""Promise: the page hears the body now over a real broker, and survives what it cannot read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import paho.mqtt.client as mqtt
import pytest

from spineclip.broker import embedded_broker
from spineclip.contract.errors import BrokerError
from spineclip.contract.live import Live
from spineclip.live_feed import live_feed

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


async def test_a_broker_that_is_not_there_is_told_to_the_person() -> None:
    async with embedded_broker() as broker:
        pass
    with pytest.raises(BrokerError, match="does not answer"):
        async with live_feed(broker, timeout_s=0.3):
            pass
