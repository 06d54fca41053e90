"""Promise: a nudge is told, felt and shown at once, or not at all: nobody is buzzed for what was true an hour ago.

Nor is a second of an hour ago shown as the present. Who still sits when the past is worked off hears of it then, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboards.patient.feed import LatestFeed
from dashboards.patient.model import PageModel, Source
from firmware_sim.motion import Motion
from firmware_sim.mount import AXES, Mount
from firmware_sim.person import Pose
from firmware_sim.script import Doing, Stretch, sits, stands, walks
from processing.metrics import Point
from processing.service import FRESH_NS, PRESENT_NS
from processing.stores.sqlite import SqliteReader
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import Calibration, Clip, Nudging, PatientConfig
from spineclip.contract.live import Live
from spineclip.contract.messages import Buzz, Event
from spineclip.contract.placement import Placement
from spineclip.contract.wire import SampleBatch
from tests.system.collecting import SCALE_G, collecting, core

NS = 10**9
NOON_NS = 1_714_816_800 * NS  # 2024-05-04, 10:00 UTC
SCRIPT = (walks(40.0), stands(10.0), sits(130.0, Pose.UPRIGHT), sits(66.0, Pose.SLOUCHED), walks(60.0))
LENGTH_S = 246
"""A minute after the back was bent at 180 s somebody is to hear of it; at the end it still is."""
PLACE = Placement.STERNUM
MOTION = Motion(SCRIPT, start_ns=NOON_NS, seed=3, placement=PLACE, mount=Mount.named(AXES))
CONFIG = PatientConfig(
    clips={"clip-1": Clip(PLACE, AXES, Calibration(NOON_NS, MOTION.neutral_g()))},
    nudging=Nudging(slouched_min=1, sedentary_min=0, quiet_from_hour=0, quiet_until_hour=0, walk_missing_from_hour=24),
)


SAT_S = 700
FAR_BACK = Stretch(Doing.SITS, SAT_S - 50.0, Pose.RECLINED, flexion_deg=-35.0)
"""Surely seated, by a clip on the chest."""
SITS_ON = Motion(
    (walks(40.0), stands(10.0), FAR_BACK), start_ns=NOON_NS, seed=3, placement=PLACE, mount=Mount.named(AXES)
)


def _batches(until_s: int, motion: Motion = MOTION) -> list[SampleBatch]:
    t_ns = NOON_NS + np.arange(50 * until_s, dtype=np.int64) * 20_000_000
    counts = np.round(motion.samples(t_ns) / SCALE_G).astype(np.int16)
    return [
        SampleBatch("clip-1", PLACE, 1, k, NOON_NS + k * NS, 20_000_000, SCALE_G, counts[50 * k : 50 * k + 50])
        for k in range(until_s)
    ]


@dataclass
class Told:
    """What reached whom."""

    stored: list[Point]
    events: list[Event]
    buzzed: list[Buzz]
    shown: list[str]
    """What stood on the open page, look after look."""
    live: list[Live]
    """What was said to be the present."""


async def _told(folder: Path, behind_s: float, *, each_second: bool, until_s: int = LENGTH_S) -> Told:
    """Work off four minutes that ended so many seconds ago, with the page open."""
    now_ns = NOON_NS + until_s * NS + round(behind_s * NS)
    path, shown = folder / "metrics.db", []
    async with embedded_broker() as broker, collecting(broker, "p-1") as collector:
        collector.publish("config", CONFIG.to_json(), retain=True)
        async with core(broker, path, now_ns=now_ns, each_second=each_second):
            reader, clock = SqliteReader(path), DrivenClock(now_ns)
            page = PageModel(Source("p-1", functools.partial(ZoneInfo, "UTC"), "en", reader, LatestFeed(clock), clock))
            collector.send(_batches(until_s))
            async with asyncio.timeout(60):
                while collector.acked() < until_s - 1:
                    shown.append((await page.shown()).nudge)
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.6)  # the page reads at most every half second
            shown.append((await page.shown()).nudge)
            stored = reader.points("nudge", "p-1", 0, 1 << 62)
            reader.close()
        events = [event for event in collector.events if event.kind == "nudge"]
        return Told(stored, events, collector.buzzed, [text for text in shown if text], collector.live)


async def test_in_time_it_is_told_felt_and_shown(tmp_path: Path) -> None:
    told = await _told(tmp_path, 0.0, each_second=True)
    (nudge,) = told.stored
    assert "told" not in nudge.fields
    assert [event.time_ns for event in told.events] == [nudge.time_ns]
    assert told.buzzed == [Buzz("clip-1", "slouched")]
    assert told.shown
    assert all("Bent forward" in text for text in told.shown)
    assert told.live


async def test_who_sits_on_through_an_outage_hears_of_it_once(tmp_path: Path) -> None:
    wishes = Nudging(slouched_min=0, sedentary_min=4, quiet_from_hour=0, quiet_until_hour=0, walk_missing_from_hour=24)
    config = replace(CONFIG, nudging=wishes)
    async with embedded_broker() as broker, collecting(broker, "p-1") as collector:
        collector.publish("config", config.to_json(), retain=True)
        path = tmp_path / "metrics.db"
        async with core(broker, path, now_ns=NOON_NS + SAT_S * NS):
            batches = _batches(SAT_S, SITS_ON)
            collector.send(batches[:500])
            await collector.until_acked(499)
            assert collector.events == []
            collector.send(batches[500:])
            await collector.until_acked(SAT_S - 1)
            await asyncio.sleep(0.3)
    with contextlib.closing(SqliteReader(path)) as reader:
        missed, said = reader.points("nudge", "p-1", 0, 1 << 62)
    assert missed.fields["told"] is False
    assert "told" not in said.fields
    assert NOON_NS + SAT_S * NS - said.time_ns <= PRESENT_NS
    assert [event.time_ns for event in collector.events if event.kind == "nudge"] == [said.time_ns]
    assert collector.buzzed == [Buzz("clip-1", "sedentary")]
    sat_min = (SAT_S - 50 - PRESENT_NS / NS) // 60
    assert f"Sitting for {sat_min:.0f} min" in str(said.fields["reason"])


@pytest.mark.parametrize("each_second", [True, False], ids=["second by second", "as a backlog is worked off"])
async def test_after_an_outage_it_is_stored_and_nobody_hears_of_it(tmp_path: Path, *, each_second: bool) -> None:
    told = await _told(tmp_path, FRESH_NS / NS + 60.0, each_second=each_second)
    if each_second:  # a backlog is looked at every half minute, which is too seldom for a bend
        (nudge,) = told.stored
        assert nudge.fields["told"] is False
        assert "Bent forward" in str(nudge.fields["reason"])
    assert (told.events, told.buzzed, told.shown) == ([], [], [])
    assert told.live == [], "and no page shows as the present what was two minutes ago"


async def test_after_an_outage_it_stays_untold_when_it_is_over(tmp_path: Path) -> None:
    told = await _told(tmp_path, FRESH_NS / NS + 60.0, each_second=True, until_s=300)
    (nudge,) = told.stored
    assert nudge.fields["told"] is False
    assert nudge.fields["ended_s"], "walking has ended it"
    assert (told.events, told.buzzed, told.shown) == ([], [], []), "nor of its end"
