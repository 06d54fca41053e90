"""Promise: from a wearable through real bleak, outbox and a real broker nothing is lost and nothing comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from collector.service import Collector, CollectorSettings, WornClip
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.base import Samples, Times
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import H10, Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.messages import Ack, Stored, load
from spineclip.contract.placement import Placement
from spineclip.contract.topics import Channel, topic
from spineclip.contract.wire import Gap, Record, SampleBatch, decode
from tests.servers.mosquitto import mosquitto

PATIENT = "p-test"


class Turning:
    """A body that turns every 7.3 s from a given time on; y rises for ten minutes, so that no turn is like another."""

    def __init__(self, begins_ns: int = 0) -> None:
        self._begins_ns = begins_ns

    def resumes_ns(self, t_ns: int) -> int:
        return max(t_ns, self._begins_ns)

    def samples(self, t_ns: Times) -> Samples:
        angle = (t_ns % (600 * 10**9)) / 1e9 * 2 * np.pi / 7.3
        rise = 0.9 * (t_ns % (600 * 10**9)) / (600 * 10**9)
        xyz_g = np.stack([np.sin(angle), rise, np.cos(angle)], axis=1)
        xyz_g[t_ns < self._begins_ns] = np.nan
        return xyz_g


class StandIn:
    """The core's part of the contract: takes records, drops what it has seen, acks what is contiguous."""

    def __init__(self, access: BrokerAccess, *, acks: bool = True) -> None:
        self.records: dict[tuple[str, int, int], Record] = {}
        self.deliveries = 0
        self._through: dict[tuple[str, int], int] = {}
        self.states: list[str] = []
        self.acks = acks
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, client_id="stand-in")
        if access.username:
            client.username_pw_set(access.username, access.password)
        client.on_connect = lambda c, *_: c.subscribe(
            [(topic(PATIENT, Channel.SAMPLES), 1), (topic(PATIENT, Channel.STATE), 1)]
        )
        client.on_message = self._message
        client.reconnect_delay_set(0.1, 0.3)
        client.connect(access.host, access.port)
        client.loop_start()
        self.client = client

    def _message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/state"):
            self.states.append(load(message.payload)["state"])
            return
        record = decode(message.payload, now_ns=1 << 62)
        self.deliveries += 1
        known = self.records.setdefault((record.device, record.boot, record.seq), record)
        if isinstance(record, SampleBatch) and isinstance(known, SampleBatch):
            assert np.array_equal(record.xyz, known.xyz)
            assert record.t0_ns == known.t0_ns
        if self.acks:
            self.ack()

    def ack(self) -> None:
        stored = {}
        for device, boot in sorted({(device, boot) for device, boot, _ in self.records}):
            through = self._through.get((device, boot), -1)
            while (device, boot, through + 1) in self.records:
                through += 1
            self._through[device, boot] = through
            if through >= 0:
                stored[device] = Stored(boot, through)
        self.client.publish(topic(PATIENT, Channel.ACK), Ack(stored).to_json(), qos=1, retain=True)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        left_open = self.client.socket()
        if left_open is not None:
            left_open.close()

    @property
    def in_order(self) -> list[Record]:
        return [self.records[key] for key in sorted(self.records)]


START_NS = 1_700_000_000 * 10**9


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(collector: Collector) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(collector.run())
    try:
        yield task
    finally:
        collector.stop()
        await asyncio.wait_for(task, 15)


def settings_for(folder: Path, access: BrokerAccess, *wearables: str) -> CollectorSettings:
    clips = tuple(WornClip(text, Placement.STERNUM) for text in wearables or ("witmotion",))
    return CollectorSettings(PATIENT, clips, access, folder / "outbox.sqlite", rate_hz=100.0)


def check_against_truth(
    records: list[Record], firmware: StreamingFirmware, *, within_ns: int = 50_000_000
) -> list[Gap]:
    """Check that each sample that was sent came once, near its time, or lies in a gap; return the gaps.

    Near is what the batch itself says of its times' uncertainty: a busy machine hears of packets late, and knows it.
    """
    for before, after in pairwise(records):
        assert (after.start_ns if isinstance(after, Gap) else after.t0_ns) >= before.end_ns
    batches = [record for record in records if isinstance(record, SampleBatch)]
    got = np.concatenate([batch.xyz_g() for batch in batches])
    sent = np.round(firmware.truth.xyz_g, 9)
    at = {tuple(row): k for k, row in enumerate(sent.tolist())}
    where = [at[tuple(row)] for row in np.round(got, 9).tolist()]
    assert where == sorted(set(where)), "a sample came twice or out of order"
    times = np.concatenate([batch.times_ns() for batch in batches])
    near = np.concatenate([np.full(batch.n, max(within_ns, batch.clock_error_ns or 0)) for batch in batches])
    assert np.all(np.abs(times - firmware.truth.t_ns[where]) <= near)
    gaps = [record for record in records if isinstance(record, Gap)]
    missing = firmware.truth.t_ns[np.setdiff1d(np.arange(where[0], where[-1]), where)]
    near_ns = 60_000_000  # this wearable tells neither number nor time: a gap's ends are as exact as the times
    assert all(any(gap.start_ns - near_ns <= t < gap.end_ns + near_ns for gap in gaps) for t in missing.tolist())
    return gaps


async def _played(radio: VirtualRadio, clock: DrivenClock, collector: Collector, seconds: int) -> None:
    """Let the wearable be found and stream for so long. In lock-step: this wearable tells neither number nor time, so
    on a busy machine nobody could tell a packet that was heard late from one that was lost."""
    conductor = Conductor(radio, clock, settled=collector.settled)
    while not conductor.attended:
        await conductor.run(clock.utc_ns() + 10**8)
    await conductor.run(clock.utc_ns() + seconds * 10**9)


async def test_a_wearable_reaches_a_broker_and_leaves_nothing_behind(tmp_path: Path) -> None:
    said: list[str] = []
    clock = DrivenClock(START_NS)
    async with VirtualRadio(clock=clock) as radio, embedded_broker() as broker:
        firmware = Witmotion(Turning(START_NS), boot_ns=START_NS - 10**11)
        radio.add(firmware)
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access)
        collector = Collector(settings_for(tmp_path, access), clock, said.append)
        async with running(collector):
            await _played(radio, clock, collector, 6)
            await until(lambda: len(core.records) >= 4 and collector.backlog <= 1)
        assert collector.backlog == 0
        await until(lambda: core.states[-1:] == ["disconnected"])
        core.close()
    assert core.states[0] == "ready"
    assert check_against_truth(core.in_order, firmware) == []
    assert core.deliveries == len(core.records)
    assert any("streaming at 100 Hz" in sentence for sentence in said)


@pytest.mark.server("mosquitto")
async def test_f4_a_broker_that_comes_back_empty_costs_nothing(tmp_path: Path) -> None:
    clock = DrivenClock(START_NS)
    async with VirtualRadio(clock=clock) as radio:
        firmware = Witmotion(Turning(START_NS), boot_ns=START_NS - 10**11)
        radio.add(firmware)
        with mosquitto(tmp_path) as broker:
            port = broker.port
            access = BrokerAccess(broker.host, port, broker.username, broker.password)
            core = StandIn(access, acks=False)
            collector = Collector(settings_for(tmp_path, access), clock)
            task = asyncio.create_task(collector.run())
            await _played(radio, clock, collector, 4)
            await until(lambda: len(core.records) >= 2)
            core.close()
        # The broker is dead, and what the first core saw was never acked. The test's broker makes a new password
        # when it starts again, so the collector begins a new life with it, on the same outbox.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with mosquitto(tmp_path, port=port) as broker:
            access = BrokerAccess(broker.host, port, broker.username, broker.password)
            core = StandIn(access)
            collector = Collector(settings_for(tmp_path, access), clock)
            async with running(collector):
                await _played(radio, clock, collector, 4)
                await until(lambda: len({boot for _, boot, _ in core.records}) == 2)
                await until(lambda: len(core.records) >= 6)
            assert collector.backlog == 0
            core.close()
    reasons = [gap.reason for gap in check_against_truth(core.in_order, firmware)]
    assert reasons == ["collector-off"]


async def test_lock_step_replay_is_exact_and_the_same_every_time(tmp_path: Path) -> None:
    """What arrives at its sample's instant gets its sample's time, within a microsecond, at any speed."""
    lives: list[list[Record]] = []
    start_ns = 1_700_000_000 * 10**9
    for life in range(2):
        clock = DrivenClock(start_ns - 600 * 10**9)
        async with VirtualRadio(clock=clock) as radio, embedded_broker() as broker:
            firmware = Witmotion(Turning(start_ns), drift_ppm=35.0, boot_ns=start_ns - 700 * 10**9)
            radio.add(firmware)
            access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
            core = StandIn(access)
            collector = Collector(settings_for(tmp_path / str(life), access), clock)
            async with running(collector):
                conductor = Conductor(radio, clock, settled=collector.settled)
                await conductor.begin_at(start_ns)
                await conductor.run(start_ns + 120 * 10**9)
            assert collector.backlog == 0
            core.close()
        batches = [record for record in core.in_order if isinstance(record, SampleBatch)]
        times = np.concatenate([batch.times_ns() for batch in batches])
        values = np.concatenate([batch.xyz_g() for batch in batches])
        # The wearable was stopped with its last packets on their way to nobody.
        sent = firmware.truth.t_ns[: len(times)]
        assert len(times) >= 11_990
        # half a thousandth of a period: where packets come as evenly as here, the rate is believed only slowly
        assert np.abs(times - sent).max() < 5_000
        assert np.array_equal(values, firmware.truth.xyz_g[: len(times)])
        lives.append(core.in_order)
    first, second = (
        [(r.seq, r.t0_ns, r.dt_ns, r.xyz.tobytes()) for r in life if isinstance(r, SampleBatch)] for life in lives
    )
    n = min(len(first), len(second)) - 1
    assert first[:n] == second[:n]


@pytest.mark.parametrize("make", [lambda motion: Polar(motion, model=H10), Movesense, MovellaDot])
async def test_a_replay_at_any_speed_loses_no_first_samples_of_who_streams_only_when_told(
    make: Callable[[Turning], StreamingFirmware], tmp_path: Path
) -> None:
    """The recording begins at a given time; every sample from its first one on arrives, as fast as it goes."""
    start_ns = 1_700_000_000 * 10**9
    clock = DrivenClock(start_ns - 600 * 10**9)
    async with VirtualRadio(clock=clock) as radio, embedded_broker() as broker:
        firmware = make(Turning(start_ns))
        radio.add(firmware)
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access)
        kind = {"Polar": "polar-h10", "Movesense": "movesense", "MovellaDot": "dot"}[type(firmware).__name__]
        collector = Collector(settings_for(tmp_path, access, kind), clock)
        async with running(collector):
            conductor = Conductor(radio, clock, settled=collector.settled)
            await conductor.begin_at(start_ns)
            await conductor.run(start_ns + 20 * 10**9)
        core.close()
    got = np.concatenate([one.xyz_g() for one in core.in_order if isinstance(one, SampleBatch)])
    sent, at_ns = firmware.truth.xyz_g, firmware.truth.t_ns
    assert at_ns[0] - start_ns <= 1e9 / firmware.rate_hz
    assert len(got) >= 19 * firmware.rate_hz
    assert np.abs(got - sent[: len(got)]).max() < 1e-5
    assert [one.reason for one in core.in_order if isinstance(one, Gap)] == []
