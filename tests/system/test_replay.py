"""Promise: the same samples give the same metrics, through Bluetooth and MQTT or straight from the file.

What the wearable does to samples: it rounds to 16/32768 g (half a count is 0.244 mg an axis, so at most 0.423 mg in
length and direction), and its times are found again from when its packets arrived. From that the tolerances:

* intensity, a mean deviation from a mean: each sample moves by 0.423 mg at most and so does their mean, together
  0.85 mg;
* angles: 0.423 mg turns gravity (0.75 g at the least, on sensors that nobody calibrated) by 0.033 degrees, and the
  wearer's neutral, which is measured too, by as much: 0.07, and 0.01 for two roundings on the way to the store;
* states and postures are decisions: where the evidence lies within that of a threshold they may tip, and may stay
  tipped for as long as the smoothing looks (15 s, three slots of 5 s) on either side.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from collector.wearables import KINDS
from firmware_sim.recordings import Reading, Recording, read
from firmware_sim.trouble import TROUBLES
from processing import pipeline, records
from processing.analysis import Track, analyze
from processing.metrics import Value
from processing.samples import Block
from processing.stores.sqlite import SqliteStore
from spineclip.cli.replay import TroubleKind, WearableKind
from spineclip.contract import wire
from spineclip.contract.clock import Clock
from spineclip.contract.config import Clip, PatientConfig
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import wearable_id
from spineclip.contract.placement import Placement
from spineclip.replaying import ADDRESS, DEFAULT_KIND, Outcome, Task, replay
from spineclip.station import Station, seed

PATIENT = "p-replayed"
DEVICE = wearable_id(DEFAULT_KIND, ADDRESS)
HALF_COUNT_G = 16 / 32768 / 2
INTENSITY_MG = 0.85
ANGLE_DEG = 0.08
TIME_NS = 20_000
MEASUREMENTS = ("activity", "bout", "streak", "hourly", "daily")

_Rows = dict[tuple[str, int], Mapping[str, Value]]


class _Tap:
    """Hears what goes from the collector to the core, as the core does."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    @contextlib.asynccontextmanager
    async def beside(self, stages: Station, _clock: Clock) -> AsyncIterator[None]:
        loop, listening = asyncio.get_running_loop(), asyncio.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.username_pw_set(stages.broker.username, stages.broker.password)
        client.on_message = lambda _c, _d, message: self.payloads.append(bytes(message.payload))
        client.on_connect = lambda c, *_: c.subscribe("spineclip/v1/+/samples", qos=1)
        client.on_subscribe = lambda *_: loop.call_soon_threadsafe(listening.set)
        client.connect(stages.broker.host, stages.broker.port)
        client.loop_start()
        try:
            await asyncio.wait_for(listening.wait(), 10)
            yield
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    def blocks(self) -> list[Block]:
        found = {}
        for payload in self.payloads:
            record = wire.decode(payload, now_ns=1 << 62)
            found[record.boot, record.seq] = record
        return [records.block(found[key]) for key in sorted(found) if isinstance(found[key], wire.SampleBatch)]


def _straight(blocks: list[Block], placement: Placement, axes: dict[str, str]) -> _Rows:
    config = PatientConfig(clips={DEVICE: Clip(placement, axes)})
    return {
        (point.measurement, point.time_ns): dict(point.fields)
        for result in analyze([Track(DEVICE, placement, blocks)], config, PATIENT)
        for point in result.points
        if point.measurement in MEASUREMENTS
    }


def _cut(recording: Recording, minutes: float) -> Recording:
    n = int(np.searchsorted(recording.t_ns, recording.t_ns[0] + round(minutes * 60e9)))
    return replace(recording, t_ns=recording.t_ns[:n], xyz_g=recording.xyz_g[:n])


async def _replayed(
    recording: Recording,
    placement: Placement,
    axes: dict[str, str],
    folder: Path,
    *,
    kind: str = DEFAULT_KIND,
    troubles: tuple[str, ...] = (),
) -> tuple[Outcome, _Rows, list[Block]]:
    tap = _Tap()
    store = SqliteStore(folder / "metrics.sqlite")
    with contextlib.closing(store):
        task = Task(recording, PATIENT, placement, axes, None, "UTC", kind, troubles)
        outcome = await replay(task, store, folder / "outbox.sqlite", beside=tap.beside)
        stored = {
            (name, point.time_ns): dict(point.fields)
            for name in MEASUREMENTS
            for point in store.points(name, PATIENT, -(1 << 62), 1 << 62)
        }
    return outcome, stored, tap.blocks()


CASES = {
    "harth": (
        "harth/lower_back/S009.parquet",
        Reading(),
        Placement.LOWER_BACK,
        {"x": "up", "y": "right", "z": "forward"},
    ),
    "sitting_posture": (
        "sitting_posture/subject02.parquet",
        Reading(columns=("T4",)),
        Placement.UPPER_BACK,
        {"x": "up", "y": "left", "z": "backward"},
    ),
}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
async def test_a_replayed_recording_ends_in_the_metrics_of_analyze(
    case: str, shared_data: Path, tmp_path: Path
) -> None:
    path, reading, placement, axes = CASES[case]
    recording = _cut(await asyncio.to_thread(read, shared_data / path, reading), 3.97)
    outcome, stored, blocks = await _replayed(recording, placement, axes, tmp_path)

    assert (outcome.sent, outcome.received, outcome.rejected) == (len(recording.t_ns), len(recording.t_ns), 0)
    t_ns = np.concatenate([block.t_ns for block in blocks])
    xyz_g = np.concatenate([block.xyz_g for block in blocks])
    assert np.abs(t_ns - recording.t_ns).max() <= TIME_NS
    assert np.abs(xyz_g - recording.xyz_g).max() <= HALF_COUNT_G + 1e-12

    as_timed_and_rounded = _straight(blocks, placement, axes)
    assert stored == as_timed_and_rounded, "bit for bit what analyze makes of the samples as the wearable sent them"

    plain = _straight([Block(recording.t_ns, recording.xyz_g)], placement, axes)
    slots = sorted(key for key in plain if key[0] == "activity")
    assert slots == sorted(key for key in stored if key[0] == "activity")
    same = [key for key in slots if plain[key]["state"] == stored[key]["state"]]
    assert len(slots) - len(same) <= 6, "at most one decision has tipped"
    named = [key for key in same if plain[key]["posture"] == stored[key]["posture"]]
    # What stretches of the wearer's were before tells the postures apart later, so a tipped one is heard in others.
    assert len(same) - len(named) <= len(slots) / 3
    for key in same:
        _close(plain[key], stored[key], "intensity_mg", INTENSITY_MG)
        _close(plain[key], stored[key], "flexion_deg", ANGLE_DEG)
        _close(plain[key], stored[key], "lateral_deg", ANGLE_DEG)
        _close(plain[key], stored[key], "coverage", 0.01)
    steps = [sum(float(rows[key].get("steps", 0.0)) for key in slots) for rows in (plain, stored)]
    assert steps[0] == pytest.approx(steps[1], abs=2.0)


def _close(plain: Mapping[str, Value], stored: Mapping[str, Value], name: str, tolerance: float) -> None:
    assert (name in plain) == (name in stored)
    if name in plain:
        assert float(plain[name]) == pytest.approx(float(stored[name]), abs=tolerance), name


def _made(minutes: float, rate_hz: float = 50.0, speed: float = 9.0) -> Recording:
    """Make a recording of a body that sways at some rad/s, with a gap of a minute in the middle."""
    n = round(minutes * 60 * rate_hz)
    t_ns = 946_684_800 * 10**9 + np.arange(n, dtype=np.int64) * round(1e9 / rate_hz)
    t_ns[n // 2 :] += 60 * 10**9
    t_s = np.arange(n) / rate_hz
    xyz_g = np.stack([0.98 + 0.02 * np.sin(speed * t_s), 0.05 * np.sin(1.1 * t_s), 0.1 * np.cos(0.7 * t_s)], axis=1)
    return Recording(t_ns, xyz_g, "made")


async def test_a_gap_stays_a_gap_and_takes_no_time(tmp_path: Path) -> None:
    recording = _made(0.5)
    outcome, stored, blocks = await _replayed(recording, Placement.STERNUM, {}, tmp_path)
    assert (outcome.sent, outcome.received, outcome.rejected) == (1500, 1500, 0)
    t_ns = np.concatenate([block.t_ns for block in blocks])
    assert np.abs(t_ns - recording.t_ns).max() <= TIME_NS
    assert stored == _straight(blocks, Placement.STERNUM, {})
    measured_s = sum(5 * float(row["coverage"]) for (name, _), row in stored.items() if name == "activity")
    assert measured_s == pytest.approx(30.0, abs=0.2)


async def test_a_recording_replayed_twice_is_stored_once(tmp_path: Path) -> None:
    recording = _made(0.3)
    _, first, _ = await _replayed(recording, Placement.STERNUM, {}, tmp_path)
    (tmp_path / "outbox.sqlite").unlink()
    _, second, _ = await _replayed(recording, Placement.STERNUM, {}, tmp_path)
    assert first == second


async def test_a_replay_writes_over_no_patient_who_was_measured(tmp_path: Path) -> None:
    recording = _made(0.1)
    store = SqliteStore(tmp_path / "metrics.sqlite")
    task = Task(recording, "p-1", Placement.STERNUM, {}, None, "UTC")
    clips = {"witmotion-c0ffee000001": Clip(Placement.STERNUM)}
    seed(store, pipeline.begin("p-1", PatientConfig(clips=clips)))
    before = store.checkpoint("p-1")
    with pytest.raises(SettingsError, match="p-1 is kept in this store already"):
        await replay(task, store, tmp_path / "outbox.sqlite")
    assert store.checkpoint("p-1") == before
    store.close()


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
async def test_every_kind_of_wearable_plays_a_recording(kind: str, tmp_path: Path) -> None:
    # Rounded to 1 mg by the coarsest (polar-h10, microbit, infinitime), and at another rate than the recording's
    # interpolated; the times' few microseconds move nothing at 3 rad/s.
    recording = _made(0.4, speed=3.0)
    outcome, _, blocks = await _replayed(recording, Placement.STERNUM, {}, tmp_path, kind=kind)
    assert outcome.rejected == 0
    assert outcome.received == outcome.sent
    t_ns = np.concatenate([block.t_ns for block in blocks])
    xyz_g = np.concatenate([block.xyz_g for block in blocks])
    inside = (t_ns >= recording.t_ns[0]) & (t_ns <= recording.t_ns[-1])
    assert inside.mean() > 0.99
    period_ns = float(np.median(np.diff(t_ns)))
    for axis in range(3):
        there = np.interp(t_ns, recording.t_ns, recording.xyz_g[:, axis])
        assert np.abs(xyz_g[:, axis] - there)[inside].max() < 0.003
    assert np.abs(np.diff(t_ns) - period_ns)[:-1].min() < 1_000
    played_s = len(t_ns) * period_ns / 1e9
    assert played_s == pytest.approx(24.0, abs=1.0)


@pytest.mark.parametrize("trouble", ["lost", "swapped", "cut", "link-loss", "reboot"])
async def test_what_a_trouble_takes_is_named_and_the_rest_is_where_it_was(trouble: str, tmp_path: Path) -> None:
    recording = _made(0.8, speed=3.0)
    outcome, _, blocks = await _replayed(recording, Placement.STERNUM, {}, tmp_path, kind="diy", troubles=(trouble,))
    t_ns = np.concatenate([block.t_ns for block in blocks])
    xyz_g = np.concatenate([block.xyz_g for block in blocks])
    assert outcome.received == len(t_ns)
    assert len(t_ns) > 0.8 * len(recording.t_ns)
    for axis in range(3):
        there = np.interp(t_ns, recording.t_ns, recording.xyz_g[:, axis])
        assert np.abs(xyz_g[:, axis] - there)[200:-200].max() < 0.003


def test_the_command_offers_every_kind_and_every_trouble() -> None:
    assert {kind.value for kind in WearableKind} == {kind.kind for kind in KINDS}
    assert {trouble.value for trouble in TroubleKind} == set(TROUBLES)
