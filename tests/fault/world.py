"""What the fault tests are made of: a collector's half and a core, here or as processes, and who watches them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from collector.outbox import Outbox
from collector.uplink import Uplink
from processing.metrics import Point
from processing.service import Core
from processing.stores.base import MetricReader, MetricStore
from spineclip.contract.clock import Clock, SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.wire import Record, SampleBatch, decode
from tests.servers.address import Address
from tests.system.collecting import content, serving

HOUSE = Path(__file__).resolve().parents[2]
PATIENT = "p-1"
PATIENCE_S = 60.0
"""How long a loaded machine may take for what takes a second."""
_BESIDE = ("gap", "device", "fault")


async def until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> float:
    """Wait until something is so; return how long that took."""
    began_s = time.monotonic()
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
    return time.monotonic() - began_s


def access(broker: Address, port: int | None = None) -> BrokerAccess:
    """How a collector is let in."""
    return BrokerAccess(broker.host, port or broker.port, broker.username, broker.password)


def metrics(store: MetricReader, patient: str = PATIENT) -> dict[object, Point]:
    """All that is stored of a patient and follows from samples alone.

    Without the days of which nothing came: somebody's day is long past, and a core that runs for half a minute tells of
    those since.
    """
    return {
        key: point
        for key, point in content(store, patient).items()
        if key[0] not in _BESIDE and not (key[0] == "daily" and point.fields["coverage"] == 0.0)
    }


@contextlib.asynccontextmanager
async def core_here(
    broker: Address,
    store: MetricStore,
    *,
    port: int | None = None,
    finish: bool = False,
    commit_s: float = 0.2,
    clock: Clock | None = None,
) -> AsyncIterator[Core]:
    """A core in this process, stopped in order at the end."""
    service = Core(store, access(broker, port), clock or SystemClock(), commit_s=commit_s)
    async with serving(service, finish=finish):
        yield service


@contextlib.asynccontextmanager
async def uplink_here(
    broker: Address, outbox: Outbox, *, port: int | None = None, patient: str = PATIENT
) -> AsyncIterator[Uplink]:
    """An uplink in this process."""
    uplink = Uplink(patient, access(broker, port), outbox)
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        await uplink.stop(0.0)
        await asyncio.wait([task], timeout=5.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Process:
    """A process that is watched line by line."""

    def __init__(self, words: list[str]) -> None:
        self.lines: list[str] = []
        self.popen = subprocess.Popen(
            [sys.executable, *words], cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self.popen.pid

    async def said(self, word: str, seconds: float = PATIENCE_S) -> float:
        """Wait until a line begins with a word."""
        return await until(lambda: any(line.startswith(word) for line in list(self.lines)), seconds)

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    async def gone(self, seconds: float = PATIENCE_S) -> int:
        """Wait for its end; return its exit code."""
        await until(lambda: self.popen.poll() is not None, seconds)
        return self.popen.wait()

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self._reader.join(5)
        if self.popen.stdout is not None:
            self.popen.stdout.close()


@contextlib.contextmanager
def process(*words: str | Path) -> Iterator[Process]:
    """Run a Python module; it is gone at the end, whatever happened."""
    started = Process([str(word) for word in words])
    try:
        yield started
    finally:
        started.close()


def sender(folder: Path, broker: Address, seconds: int, pace_s: float, *, port: int | None = None) -> Any:
    """A sender's process on the outbox of a folder."""
    secret = folder / "password"
    secret.write_text(broker.password)
    return process(
        "-m", "tests.fault.sender", folder / "outbox.sqlite", broker.host, str(port or broker.port), broker.username,
        secret, PATIENT, str(seconds), str(pace_s),
    )  # fmt: skip


@contextlib.asynccontextmanager
async def core_process(folder: Path, broker: Address, *more: str | Path) -> AsyncIterator[Process]:
    """``spineclip core`` on the SQLite file of a folder (or on what `more` says), once it listens."""
    secret, alive = folder / "password", folder / "alive"
    secret.write_text(broker.password)
    alive.unlink(missing_ok=True)
    with process(
        "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port), "--user", broker.username,
        "--password-file", secret, "--store", folder / "metrics.db", "--alive", alive, *more,
    ) as core:  # fmt: skip
        await until(alive.exists)
        yield core


class Spy:
    """Listens to a patient's records and acks, beside the core."""

    def __init__(self, broker: Address, patient: str = PATIENT) -> None:
        self.records: dict[tuple[str, int, int], Record] = {}
        self.deliveries = 0
        self.acks = 0
        self.first_s = float("inf")
        self.last_ack = b""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.username_pw_set(broker.username, broker.password)
        client.reconnect_delay_set(0.1, 0.3)
        subscribed = threading.Event()
        client.on_connect = lambda c, *_: c.subscribe(
            [(f"spineclip/v1/{patient}/samples", 1), (f"spineclip/v1/{patient}/ack", 1)]
        )
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = self._message
        client.connect(broker.host, broker.port)
        client.loop_start()
        assert subscribed.wait(PATIENCE_S)
        self._client = client

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/ack"):
            self.acks += 1
            self.last_ack = message.payload
            return
        record = decode(message.payload, now_ns=1 << 62)
        self.deliveries += 1
        if self.first_s == float("inf"):
            self.first_s = time.monotonic()
        self.records.setdefault((record.device, record.boot, record.seq), record)

    @property
    def batches(self) -> list[SampleBatch]:
        """Batches in order, each once."""
        return [r for _, r in sorted(self.records.items()) if isinstance(r, SampleBatch)]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_message = self._client.on_subscribe = None


@contextlib.contextmanager
def spying(broker: Address, patient: str = PATIENT) -> Iterator[Spy]:
    spy = Spy(broker, patient)
    try:
        yield spy
    finally:
        spy.close()
