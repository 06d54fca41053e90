"""Promise: a nudge is felt: from a bent back over Bluetooth, MQTT and the core to the wearable's own motor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.wearables import run
from collector.service import WornClip
from collector.wearables.metamotion import BUZZ_MS
from dashboards.patient.nudge_view import nudge_html
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.motion import Motion
from firmware_sim.mount import AXES, Mount
from firmware_sim.person import Pose
from firmware_sim.radio import VirtualRadio
from firmware_sim.script import sits, stands, walks
from firmware_sim.shortcut import Shortcut
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import Calibration, Clip, Nudging, PatientConfig
from spineclip.contract.ids import wearable_id
from spineclip.contract.placement import Placement
from spineclip.station import Plan, Station, station

NOON_NS = 1_714_816_800 * 10**9
SCRIPT = (
    walks(40.0), stands(10.0), sits(130.0, Pose.UPRIGHT), sits(100.0, Pose.SLOUCHED), sits(60.0, Pose.UPRIGHT),
)  # fmt: skip
PROMISED_S = 5.0
WISHES = Nudging(slouched_min=1, sedentary_min=0, quiet_from_hour=0, quiet_until_hour=0, walk_missing_from_hour=24)


def _felt(firmware: StreamingFirmware) -> int:
    if isinstance(firmware, Espruino):
        return firmware.buzzes
    assert isinstance(firmware, Diy | Metamotion)
    return len(firmware.buzzes_ms)


@pytest.mark.parametrize("kind", ["metamotion", "metamotion-s", "bangle", "puck", "diy"])
async def test_each_wearable_that_can_be_felt_obeys(kind: str) -> None:
    met = await run(kind, 2.0)
    air = Shortcut(met.firmware, NOON_NS, lambda *_: None)
    assert await met.wearable.buzz(air)
    assert _felt(met.firmware) == 1
    if isinstance(met.firmware, Metamotion):
        assert met.firmware.buzzes_ms == [BUZZ_MS]
    if isinstance(met.firmware, Diy):
        assert met.firmware.buzzes_ms == [300], "as its profile says"


@pytest.mark.parametrize("kind", ["polar-h10", "microbit", "diy-text"])
async def test_a_wearable_that_cannot_be_felt_says_so(kind: str) -> None:
    met = await run(kind, 2.0)
    assert not await met.wearable.buzz(Shortcut(met.firmware, NOON_NS, lambda *_: None))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "firmware"),
    [("metamotion", Metamotion), ("espruino", Espruino), ("diy", Diy)],
    ids=["motor", "buzz", "write"],
)
async def test_a_bent_back_is_felt_once_on_the_way_through_every_stage(
    kind: str, firmware: type[Metamotion | Espruino | Diy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And within five seconds of the moment at which the live seconds, one after the other, tell of its cause."""
    monkeypatch.setattr("processing.service.LIVE_EVERY_S", 0.0)  # each second, however fast it goes
    place = Placement.STERNUM
    motion = Motion(SCRIPT, start_ns=NOON_NS, seed=3, placement=place, mount=Mount.named(AXES))
    wearable = firmware(motion, boot_ns=NOON_NS - 10**11, keep_truth=False)
    neutral = Calibration(NOON_NS - 10**11, motion.neutral_g())
    config = PatientConfig(clips={wearable_id(kind, wearable.address): Clip(place, AXES, neutral)}, nudging=WISHES)
    plan = Plan("p-1", config, (WornClip(kind, place),), tmp_path / "outbox.sqlite")
    clock = DrivenClock(NOON_NS)
    store = SqliteStore(tmp_path / "metrics.sqlite")
    felt_s: list[float] = []
    shown_s: list[float] = []
    bent_s: dict[int, float] = {}
    async with VirtualRadio(clock=clock) as radio, station(plan, store, clock, commit_s=0.02) as stages:
        radio.add(wearable)
        conductor = Conductor(radio, clock, speed=float("inf"), settled=lambda: stages.close_to(8))
        for _ in range(200):
            await conductor.run(clock.utc_ns() + 10**8)
            await asyncio.sleep(0.01)
            if conductor.attended:
                break
        assert conductor.attended
        while clock.utc_ns() < NOON_NS + 340 * 10**9:
            await conductor.run(clock.utc_ns() + 10**9)
            await _heard_all(stages)
            now_s = (clock.utc_ns() - NOON_NS) / 1e9
            felt_s += [now_s] * (_felt(wearable) - len(felt_s))
            shown_s += [now_s] * bool(nudge_html(store.latest("nudge", "p-1"), clock.utc_ns()))
            heard = stages.feed.latest("p-1")
            if heard is not None and heard.live.posture in ("slouched", "leaning_forward"):
                bent_s.setdefault(heard.live.time_ns, now_s)
    (nudge,) = store.points("nudge", "p-1", 0, 1 << 62)
    store.close()
    assert nudge.fields["cause"] == "slouched"
    assert nudge.fields["ended_s"], "sitting up has ended it"
    (felt,) = felt_s
    assert 235.0 <= felt <= 240.0 + 10.0, "a minute after the back was bent at 180 s, with what the radio takes"
    known_s = _first_of_the_last([at for at in bent_s.values() if at <= felt]) + 60.0
    assert known_s > 225.0, "the page has heard of that bend, and not of one before"
    assert felt <= known_s + PROMISED_S
    assert shown_s[0] <= known_s + PROMISED_S


def _first_of_the_last(times_s: list[float]) -> float:
    """Return when the last run of seconds began, of which here and there one may be missing."""
    first = times_s[-1]
    for at in reversed(times_s):
        if first - at > PROMISED_S:
            break
        first = at
    return first


async def _heard_all(stages: Station) -> None:
    """Leave the core and the collector's radio a moment of real time, which the wearable's does not wait for."""
    await stages.close_to(1)
    await asyncio.sleep(0.01)
