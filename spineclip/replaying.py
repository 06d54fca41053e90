"""A recording through the whole way: firmware, virtual Bluetooth, bleak, MQTT, core, store.

Time is driven in lock step, so that a replay ends in the same metrics at any speed: each packet reaches the collector
at its own time, and the next one is sent when the one before has been worked off.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from collector.service import WornClip
from collector.wearables import by_kind
from dashboards.patient.model import Source
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.catalog import CATALOG
from firmware_sim.player import Player
from firmware_sim.radio import VirtualRadio
from firmware_sim.recordings import Recording
from firmware_sim.trouble import Troublemaker, link_for
from processing import pipeline
from processing.checkpoint import CheckpointError
from processing.patient import Patient
from processing.stores.base import MetricStore
from spineclip.contract.clock import Clock, DrivenClock
from spineclip.contract.config import Calibration, Clip, PatientConfig, zone
from spineclip.contract.errors import LinkError, RecordingError, SettingsError
from spineclip.contract.ids import wearable_id
from spineclip.contract.placement import Placement
from spineclip.station import Plan, Station, seed, station

ADDRESS: Final = "C0:57:49:54:00:02"
_DIGITS: Final = wearable_id("any", ADDRESS).removeprefix("any")
DEFAULT_KIND: Final = "witmotion"
_TWINS: Final = {"polar-sense": "polar-verity-sense", "espruino": "bangle", "dot": "movella-dot"}
"""Where the simulated wearable has another name than its family."""
_BEFORE_NS: Final = 300 * 10**9
"""The wearable is switched on so long before the recording begins; connecting takes a part of it."""
_SAME_RATE: Final = 0.01
_SKIP_SILENCE_S: Final = 1.5
"""A longer silence of the recording is stepped over: shorter than the collector's patience with a silent wearable."""
_PIECE_NS: Final = 10**9


@dataclass(frozen=True)
class Task:
    """What is to be replayed, as whom, worn where; by which kind of wearable, and with what troubles."""

    recording: Recording
    patient: str
    placement: Placement
    axes: dict[str, str]
    calibration: Calibration | None
    tz: str
    kind: str = DEFAULT_KIND
    troubles: tuple[str, ...] = ()

    @property
    def device(self) -> str:
        """The id under which the wearable's records come."""
        return wearable_id(self.kind, ADDRESS)


Beside = Callable[[Station, Clock], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Outcome:
    """How it went: samples sent by the wearable and received, seconds played, and messages that were refused."""

    sent: int
    received: int
    span_s: float
    rejected: int


async def replay(
    task: Task,
    store: MetricStore,
    outbox: Path,
    *,
    speed: float = math.inf,
    progress: Callable[[float], None] = lambda _: None,
    beside: Beside | None = None,
) -> Outcome:
    """Play one recording; return when its metrics are stored and closed.

    Parameters
    ----------
    store
        Where the metrics go.
    outbox
        A file for the collector.
    speed
        Recorded seconds per real second at most.
    progress
        Called with the recorded seconds played so far.
    beside
        Something that lives beside the stages while they run, such as a page.

    Raises
    ------
    LinkError
        If the wearable is not found or connected.
    RecordingError
        If there are not two samples to play.
    SettingsError
        If something else than a replay is kept of the patient.
    """
    _check_ours(store, task.patient)
    player, rate_hz = _player(task.recording, by_kind(task.kind).rates_hz)
    config = PatientConfig(
        time_zone=task.tz, clips={task.device: Clip(task.placement, dict(task.axes), task.calibration)}
    )
    seed(store, pipeline.begin(task.patient, config))
    clock = DrivenClock(player.start_ns - _BEFORE_NS)
    # The wearable's sampling grid runs through the first sample of the recording.
    before_ns = round(round(400 * rate_hz) * 1e9 / rate_hz)
    wearable = CATALOG[_TWINS.get(task.kind, task.kind)](
        player, address=ADDRESS, keep_truth=False, boot_ns=player.start_ns - before_ns
    )
    plan = Plan(task.patient, config, (WornClip(task.device, task.placement),), outbox, rate_hz)
    async with VirtualRadio(clock=clock) as radio:
        device = radio.add(wearable, link=link_for(task.troubles))
        async with station(plan, store, clock, commit_s=0.5) as stages, (beside or _nothing)(stages, clock):
            conductor = Conductor(
                radio, clock, speed=speed, settled=stages.collector.settled, skip_silence_s=_SKIP_SILENCE_S
            )
            try:
                await conductor.begin_at(player.start_ns)
            except TimeoutError as error:
                raise LinkError("the virtual wearable was not connected in time", advice="Try again") from error
            trouble = Troublemaker(task.troubles, device, player.start_ns)
            end_ns = player.end_ns + _PIECE_NS // 10
            while clock.utc_ns() < end_ns:
                stages.check()
                trouble.step(clock.utc_ns())
                await conductor.run(min(clock.utc_ns() + _PIECE_NS, end_ns))
                progress(min(clock.utc_ns(), player.end_ns) / 1e9 - player.start_ns / 1e9)
            await stages.finish()
            rejected = sum(stages.collector.rejects.values()) + sum(stages.core.rejects.values())
            received = stages.collector.received
    return Outcome(wearable.truth.samples, received, task.recording.duration_s, rejected)


def with_page(task: Task, store: MetricStore, port: int | None, say: Callable[[str], None]) -> Beside:
    """Show the patient's page while a recording is replayed."""

    @contextlib.asynccontextmanager
    async def beside(stages: Station, clock: Clock) -> AsyncIterator[None]:
        from dashboards.patient.server import serve_page  # noqa: PLC0415 - loads NiceGUI, which a plain replay does without

        source = Source(task.patient, functools.partial(zone, task.tz), "en", store, stages.feed, clock)
        async with serve_page(source, port=port) as address:
            say(f"The page: {address}")
            yield

    return beside


@contextlib.asynccontextmanager
async def _nothing(_stages: Station, _clock: Clock) -> AsyncIterator[None]:
    yield


def _check_ours(store: MetricStore, patient: str) -> None:
    """Make sure that nothing measured is written over: only what earlier replays have left may be."""
    checkpoint = store.checkpoint(patient)
    if checkpoint is None:
        ours = patient not in store.patients()
    else:
        try:
            worn = Patient.resume(patient, checkpoint).config.clips
        except CheckpointError:
            worn = {}
        ours = bool(worn) and all(device.endswith(_DIGITS) for device in worn)
    if not ours:
        raise SettingsError(
            f"{patient} is kept in this store already, and not by a replay",
            advice="Name another patient with --patient, or another file with --store",
        )


def _player(recording: Recording, rates_hz: tuple[float, ...]) -> tuple[Player, float]:
    """Choose the wearable's rate; at the recording's own rate the very samples are sent, else interpolated ones."""
    if len(recording.t_ns) < 2:
        raise RecordingError(f"{recording.name} has one sample, which nobody can play", advice="Check the file")
    enough = (rate for rate in sorted(rates_hz) if rate >= recording.rate_hz * (1 - _SAME_RATE))
    rate_hz = next(enough, max(rates_hz))
    same = math.isclose(rate_hz, recording.rate_hz, rel_tol=_SAME_RATE)
    return Player(np.asarray(recording.t_ns), recording.xyz_g, method="nearest" if same else "linear"), rate_hz
