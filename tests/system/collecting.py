"""A collector without wearable and disk: it keeps records until they are acknowledged, and sends them as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt

from processing.metrics import MEASUREMENTS, Point
from processing.service import Core
from processing.stores.base import MetricReader
from processing.stores.sqlite import SqliteStore
from spineclip.broker import Broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.live import Live
from spineclip.contract.messages import Ack, Buzz, Event, Resend, command_from_json
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Record, SampleBatch, encode

T0_NS = 1_760_000_000 * 10**9
SCALE_G = 1 / 2048


@contextlib.asynccontextmanager
async def core(
    broker: Broker, path: Path, *, finish: bool = False, now_ns: int = T0_NS, each_second: bool = False
) -> AsyncIterator[Core]:
    """A core in this process, until it is stopped as by SIGTERM."""
    store = SqliteStore(path)
    access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
    service = Core(store, access, DrivenClock(now_ns), commit_s=0.2, each_second=each_second)
    with contextlib.closing(store):
        async with serving(service, finish=finish):
            yield service


@contextlib.asynccontextmanager
async def serving(service: Core, *, finish: bool = False) -> AsyncIterator[None]:
    """Let a core run once it listens, and stop it in order at the end."""
    task = asyncio.create_task(service.run())
    try:
        async with asyncio.timeout(60):
            while not (service.connected or task.done()):
                await asyncio.sleep(0.01)
        yield
        await service.stop(finish=finish)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def day_of_somebody(seconds: int, *, device: str = "clip-1", boot: int = 1, seed: int = 1) -> list[SampleBatch]:
    """Batches of a second at 50 Hz: a minute of walking, then rest that is bent by 40 degrees, and so on."""
    rng = np.random.default_rng(seed)
    t = np.arange(seconds * 50) / 50
    walks = (t // 60) % 2 == 0
    bounce = np.where(walks, 0.3 * np.sin(2 * np.pi * 1.9 * t) + 0.1 * np.sin(2 * np.pi * 3.8 * t), 0.0)
    angle = np.where(walks, 0.0, np.radians(40))
    xyz = np.column_stack([np.cos(angle) + bounce, 0.3 * bounce, np.sin(angle) + 0.4 * bounce])
    xyz += rng.normal(0, 0.01, xyz.shape)
    counts = np.round(xyz / SCALE_G).astype(np.int16)
    return [
        SampleBatch(
            device, Placement.LOWER_BACK, boot, k, T0_NS + k * 10**9, 20_000_000, SCALE_G, counts[50 * k : 50 * k + 50]
        )
        for k in range(seconds)
    ]


class Collecting:
    """One patient's collector on a broker."""

    def __init__(self, client: mqtt.Client, patient: str) -> None:
        self.patient = patient
        self.waiting: dict[tuple[str, int, int], Record] = {}
        self.acks: list[Ack] = []
        self.live: list[Live] = []
        self.events: list[Event] = []
        self.asked: list[Resend] = []
        self.buzzed: list[Buzz] = []
        self._client = client
        client.on_message = self._message

    def send(self, records: Iterable[Record]) -> None:
        """Commit records and send them."""
        for record in records:
            self.waiting[record.device, record.boot, record.seq] = record
            self.publish("samples", encode(record))

    def send_again(self) -> None:
        """Send everything that is not acknowledged, oldest first."""
        # a copy taken at once: acks arrive in the client's thread
        for _, record in sorted(list(self.waiting.items()), key=lambda item: item[0]):  # noqa: C414
            self.publish("samples", encode(record))

    def publish(self, channel: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(f"spineclip/v1/{self.patient}/{channel}", payload, qos=1, retain=retain)

    def acked(self, device: str = "clip-1") -> int:
        """The newest acknowledged number, -1 before the first."""
        stored = self.acks[-1].stored.get(device) if self.acks else None
        return -1 if stored is None else stored.through_seq

    async def until_acked(self, seq: int, device: str = "clip-1", *, timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while self.acked(device) < seq:
                await asyncio.sleep(0.02)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        match message.topic.split("/")[-1]:
            case "ack":
                self.acks.append(Ack.from_json(message.payload))
                for device, stored in self.acks[-1].stored.items():
                    for key in [
                        k for k in self.waiting if k[0] == device and k[1:] <= (stored.boot, stored.through_seq)
                    ]:
                        del self.waiting[key]
            case "live":
                self.live.append(Live.from_json(message.payload))
            case "event":
                self.events.append(Event.from_json(message.payload))
            case "cmd":
                command = command_from_json(message.payload)
                if isinstance(command, Buzz):
                    self.buzzed.append(command)
                else:
                    self.asked.append(command)
                    for key in sorted(self.waiting):
                        if key[:2] == (command.device, command.boot) and (
                            command.from_seq <= key[2] <= command.through_seq
                        ):
                            self.publish("samples", encode(self.waiting[key]))


@contextlib.asynccontextmanager
async def collecting(broker: Any, patient: str) -> AsyncIterator[Collecting]:
    """Connect a collector to a broker (host, port, username, password)."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.max_inflight_messages_set(500)
    subscribed = asyncio.Event()
    loop = asyncio.get_running_loop()
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(subscribed.set)
    collector = Collecting(client, patient)
    await asyncio.to_thread(client.connect, broker.host, broker.port)
    client.loop_start()
    client.subscribe([(f"spineclip/v1/{patient}/{channel}", 1) for channel in ("ack", "cmd", "live", "event")])
    await subscribed.wait()
    try:
        yield collector
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


def content(store: MetricReader, patient: str) -> dict[tuple[str, int, tuple[str, ...]], Point]:
    """Everything that is stored of a patient but nudges, which belong to the present and not to the record."""
    return {
        (name, point.time_ns, tuple(point.tags.values())): point
        for name in MEASUREMENTS
        if name != "nudge"
        for point in store.points(name, patient, 0, 1 << 62)
    }
