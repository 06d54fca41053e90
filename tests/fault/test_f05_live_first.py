"""F5: while an hour is worked off, the present is known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from collector.outbox import Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.contract.live import Live
from spineclip.contract.topics import Channel, topic
from tests.fault.world import PATIENT, core_here, metrics, until, uplink_here
from tests.servers.mosquitto import Broker
from tests.system.collecting import T0_NS, day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")
BACKLOG = 3600
PACE_S = 0.5
WAITING = 64
"""So few waiting records are no past any more."""


async def test_the_present_is_known_while_the_past_is_worked_off(
    tmp_path: Path, broker: Broker, figure: Callable[[str], None]
) -> None:
    """F5: an hour of batches waits, and new ones come while they are worked off.

    Promise: the page is told the newest second, at most 10 s behind, while most of the past waits; the same metrics.
    """
    day = day_of_somebody(BACKLOG + 300)
    outbox, store = Outbox(tmp_path / "outbox.sqlite", SystemClock()), SqliteStore(tmp_path / "metrics.db")
    boot = outbox.begin("clip-1")
    records = [replace(record, boot=boot, seq=seq) for seq, record in enumerate(day)]
    outbox.append(records[:BACKLOG])
    newest_s = BACKLOG
    heard: list[tuple[float, int, int]] = []  # how far behind the newest, how much waits, when

    def on_message(_: object, __: object, message: mqtt.MQTTMessage) -> None:
        live = Live.from_json(bytes(message.payload))
        heard.append((newest_s - (live.time_ns - T0_NS) / 1e9, outbox.backlog, live.time_ns))

    page = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    page.username_pw_set(broker.username, broker.password)
    page.on_message = on_message
    page.connect(broker.host, broker.port)
    page.subscribe(topic(PATIENT, Channel.LIVE))
    page.loop_start()
    try:
        now = DrivenClock(T0_NS + BACKLOG * 10**9)
        async with core_here(broker, store, finish=True, clock=now) as core, uplink_here(broker, outbox) as uplink:
            await until(lambda: uplink.connected)
            began_s = time.monotonic()
            for record in records[BACKLOG:]:
                outbox.append([record])
                newest_s += 1
                uplink.wake()
                await asyncio.sleep(PACE_S)
                if outbox.backlog <= WAITING:
                    break
            took_s = time.monotonic() - began_s
            await until(lambda: outbox.backlog == 0 and core.waiting == 0)
    finally:
        page.disconnect()
        page.loop_stop()
        outbox.close()
    same = metrics(store) == in_batch(day[:newest_s], PATIENT)
    store.close()
    meanwhile = [(behind_s, waiting) for behind_s, waiting, _ in heard if waiting > WAITING]
    figure(
        f"{BACKLOG} s drained at {BACKLOG / took_s:.0f} x real time, {BACKLOG / took_s:.0f} records/s; meanwhile "
        f"{len(meanwhile)} live seconds, {max(behind for behind, _ in meanwhile):.0f} s behind at most; same: {same}"
    )
    assert same, "looking ahead leaves the metrics as they are"
    first = next(k for k, (behind_s, _, _) in enumerate(heard) if behind_s <= 10)
    assert heard[first][1] > BACKLOG / 4, "the present is told while most of the past waits"
    times = [time_ns for _, _, time_ns in heard[first:]]
    assert max(behind_s for behind_s, waiting in [row[:2] for row in heard[first:]] if waiting > WAITING) <= 10
    assert min(times) >= times[0] - 10 * 10**9, "the past is not told as the present"
