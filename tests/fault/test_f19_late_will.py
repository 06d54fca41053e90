"""F19: a broker publishes the will of a session that is long over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from collector.outbox import Outbox
from spineclip.contract.clock import SystemClock
from spineclip.contract.messages import CollectorReport, CollectorState
from tests.fault.world import PATIENT, until, uplink_here
from tests.servers.mosquitto import Broker

pytestmark = pytest.mark.server("mosquitto")


async def test_f19_late_will(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F19: the last will of an old session is published when a new session is long there.

    Promise: readers ignore it by its session, and what is retained is mended, so that nobody thinks the collector lost.
    """
    seen: list[CollectorReport] = []
    name = f"spineclip/v1/{PATIENT}/state"
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.on_message = lambda _c, _d, message: seen.append(CollectorReport.from_json(message.payload))
    client.on_connect = lambda c, *_: c.subscribe(name, 1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    try:
        async with uplink_here(broker, outbox):
            await until(lambda: [report.state for report in seen] == [CollectorState.READY])
            newest = seen[0]
            old = CollectorReport(CollectorState.LOST, newest.session - 1)
            client.publish(name, old.to_json(), qos=1, retain=True)
            await until(lambda: len(seen) == 3)
            assert not old.supersedes(newest)
            assert seen[1:] == [old, newest]
        await until(lambda: seen[-1].state is CollectorState.DISCONNECTED)
        assert seen[-1].supersedes(newest)
    finally:
        client.disconnect()
        client.loop_stop()
        client.on_connect = client.on_message = None
        outbox.close()
    figure("ignored by its session; the retained report was 'ready' again at once")
