"""Every stage in one process: broker, core, collector, and the ear of the page.

The same stages as in a clinic, talking over the same MQTT; only that nothing but Python is needed and that nobody
from outside is let in.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.service import Collector, CollectorSettings, WornClip
from dashboards.patient.model import Source
from processing.intake import IntakeState
from processing.metrics import Point
from processing.patient import REGISTRY, PatientCheckpoint
from processing.pipeline import PatientState
from processing.service import FRESH_NS, Core
from processing.stores.base import MetricStore
from processing.warm_up import warm_up
from spineclip.broker import Broker, embedded_broker
from spineclip.calibrating import MqttCalibrator
from spineclip.contract.clock import Clock, DrivenClock
from spineclip.contract.config import PatientConfig
from spineclip.desk import StoreDesk
from spineclip.following import followed
from spineclip.home import Home
from spineclip.live_feed import MqttFeed, live_feed
from spineclip.patients import Patients
from spineclip.retained import publish_config

_NEVER_OLD_NS = 1 << 62


@dataclass(frozen=True)
class Plan:
    """What a station is to do.

    Attributes
    ----------
    patient, config
        Whom it is about and what is known of them.
    clips
        What is worn.
    outbox
        The collector's file.
    rate_hz, range_g
        What the wearables are asked for.
    patients
        Where the config is kept, if changes to it (a goal, a pause) are to be followed.
    adapter
        Bluetooth adapter, such as hci1.
    """

    patient: str
    config: PatientConfig
    clips: tuple[WornClip, ...]
    outbox: Path
    rate_hz: float = 50.0
    patients: Patients | None = None
    range_g: float = 8.0
    adapter: str | None = None


@dataclass(frozen=True)
class Station:
    """The stages while they run."""

    broker: Broker
    collector: Collector
    core: Core
    feed: MqttFeed
    _tasks: tuple[asyncio.Task[None], ...]

    def check(self) -> None:
        """Raise what ended a stage, if one has ended."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def close_to(self, records: int) -> None:
        """Wait until all that was heard is worked off and at most so many records wait to be stored.

        Whoever drives the wearable's time awaits this after every step.
        """
        await self.collector.settled()
        while self.collector.backlog > records:
            self.check()
            await asyncio.sleep(0.001)

    async def finish(self) -> None:
        """Say good-bye to the wearables, store all that was heard, and close what is open: no more data will come."""
        collecting, serving = self._tasks
        self.collector.stop()
        await collecting
        await self.core.stop(finish=True)
        await serving


@contextlib.asynccontextmanager
async def station(
    plan: Plan,
    store: MetricStore,
    clock: Clock,
    *,
    say: Callable[[str], None] = lambda _: None,
    commit_s: float = 1.0,
) -> AsyncIterator[Station]:
    """Run all stages for as long as the context lasts.

    Parameters
    ----------
    store
        A patient who is to go on from somewhere has a checkpoint there (`seed`).
    clock
        The time that the wearables live in.
    say
        Called with sentences for people.
    commit_s
        How far the store may be behind, in real seconds.
    """
    # nothing is served yet that compiling would hold up
    await asyncio.to_thread(warm_up)
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(embedded_broker())
        await publish_config(broker, plan.patient, plan.config)
        if plan.patients is not None:
            await stack.enter_async_context(followed(broker, plan.patients, plan.patient, told=True))
        # who drives a clock does not wait until all is worked off: then nothing that comes is of the past
        fresh_ns = _NEVER_OLD_NS if isinstance(clock, DrivenClock) else FRESH_NS
        core = Core(store, broker, clock, commit_s=commit_s, fresh_ns=fresh_ns, each_second=True)
        serving = asyncio.create_task(core.run(), name="core")
        stack.push_async_callback(_end_core, core, serving)
        feed = await stack.enter_async_context(live_feed(broker, plan.patient))
        wanted = CollectorSettings(
            plan.patient,
            plan.clips,
            broker,
            plan.outbox,
            rate_hz=plan.rate_hz,
            range_g=plan.range_g,
            adapter=plan.adapter,
        )
        collector = Collector(wanted, clock, say)
        collecting = asyncio.create_task(collector.run(), name="collector")
        stack.push_async_callback(_end_collector, collector, collecting)
        yield Station(broker, collector, core, feed, (collecting, serving))


def source(
    stages: Station, store: MetricStore, patients: Patients, patient: str, *, clock: Clock, language: str
) -> Source:
    """Tell a patient's page where everything comes from and goes to."""
    home = Home(patients, patient)
    desk = StoreDesk(store, patient, home, clock, patients=patients)
    calibrator = MqttCalibrator(stages.broker, patients, patient)
    return Source(patient, home, language, store, stages.feed, clock, desk, calibrator)


def seed(store: MetricStore, state: PatientState, points: Sequence[Point] = ()) -> None:
    """Give a store the point from which the core goes on with a patient, and what lies before it."""
    store.commit(state.patient, points, REGISTRY.dumps(PatientCheckpoint(state, IntakeState())))


async def _end_collector(collector: Collector, task: asyncio.Task[None]) -> None:
    collector.stop()
    await task


async def _end_core(core: Core, task: asyncio.Task[None]) -> None:
    if not task.done():
        await core.stop()
    await task
