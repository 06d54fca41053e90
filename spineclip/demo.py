"""The demo: a generated person with a virtual wearable, through every stage, onto a page."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.service import WornClip
from dashboards.entrance import ENTER
from dashboards.patient.server import serve_page
from dashboards.serving import check_port, serve
from dashboards.therapist.app import therapist_app
from dashboards.therapist.desk import Office
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.contract.errors import LinkError
from spineclip.demo_person import ADDRESS, PATIENT, PLACEMENT, Person, person
from spineclip.demo_practice import fill
from spineclip.health import health_if, of_station
from spineclip.history import past
from spineclip.patients import Patients, store_file
from spineclip.practice import FilePractice
from spineclip.sole import sole_core
from spineclip.station import Plan, seed, source, station

RATE_HZ: Final = 50.0
_GRAIN_FROM_SPEED: Final = 5.0
_GRAIN_S: Final = 0.1
_BEHIND_S: Final = 3.0
"""The store may be so many real seconds behind the wearable, at any speed, before the wearable is made to wait."""
_PIECE_S: Final = 0.1
_CONNECT_S: Final = 60.0


@dataclass(frozen=True)
class Wishes:
    """What the visitor asked for.

    Attributes
    ----------
    data
        Data folder; whatever demo was there before goes on being there, and is replaced by this one.
    speed
        Seconds of the generated person's time in one real second.
    seconds
        End by itself after so many real seconds of streaming; None for Ctrl-C.
    port
        Of the page; None for the usual one.
    """

    data: Path
    speed: float = 1.0
    seconds: float | None = None
    port: int | None = None
    tz: str = "Europe/Berlin"
    language: str = "en"
    health_port: int | None = None


@dataclass
class Tally:
    """What has happened so far, for the summary."""

    streamed_s: float = 0.0
    lived_s: float = 0.0
    received: int = 0
    sent: int = 0
    walking_min: float | None = None

    @property
    def sentence(self) -> str:
        """One line."""
        speed = f", {self.lived_s / self.streamed_s:.0f} times as fast as life" if self.streamed_s > 0 else ""
        walked = "" if self.walking_min is None else f"; {self.walking_min:.0f} minutes walked today"
        return (
            f"Played {_span(self.lived_s)} in {_span(self.streamed_s)}{speed}: "
            f"{self.received:,} of {self.sent:,} samples received{walked}."
        )


async def demo(wishes: Wishes, say: Callable[[str], None], opened: Callable[[str], None], tally: Tally) -> None:
    """Run the demo until its time is over or it is cancelled; `tally` is filled on the way.

    Parameters
    ----------
    say
        Called with sentences for people.
    opened
        Called with the page's address.
    """
    check_port(wishes.port)
    with sole_core(store_file(wishes.data)):
        await _demo(wishes, say, opened, tally)


async def _demo(wishes: Wishes, say: Callable[[str], None], opened: Callable[[str], None], tally: Tally) -> None:
    who = person(SystemClock(), wishes.tz, speed=wishes.speed, language=wishes.language)
    clock = DrivenClock(who.begins_ns)
    say("Writing down eight weeks of generated people ...")
    store = await asyncio.to_thread(_store, wishes.data, who)
    clips = (WornClip("witmotion", PLACEMENT),)
    plan = Plan(PATIENT, who.config, clips, wishes.data / "outbox.sqlite", RATE_HZ, Patients(wishes.data))
    wearable = Witmotion(who.motion, address=ADDRESS, boot_ns=who.begins_ns - 10**11, keep_truth=False)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(store.close)
        radio = await stack.enter_async_context(VirtualRadio(clock=clock))
        stages = await stack.enter_async_context(station(plan, store, clock, say=say))
        await stack.enter_async_context(health_if(wishes.health_port, lambda: of_station(stages), say))
        shown = source(stages, store, Patients(wishes.data), PATIENT, clock=clock, language=wishes.language)
        opened(await stack.enter_async_context(serve_page(shown, port=wishes.port)))
        say(await stack.enter_async_context(_therapist(wishes, store, clock)))
        radio.add(wearable)
        others = asyncio.to_thread(
            fill, store, Patients(wishes.data), who.yesterday, tz=wishes.tz, language=wishes.language
        )
        # beside the first seconds of the wearable, so that nobody waits for people whom they have not asked for yet
        stack.push_async_callback(_awaited, asyncio.create_task(others))
        conductor = Conductor(
            radio,
            clock,
            speed=wishes.speed,
            settled=lambda: stages.close_to(round(_BEHIND_S * max(10.0, wishes.speed))),
            grain_s=_GRAIN_S if wishes.speed >= _GRAIN_FROM_SPEED else 0.0,
        )
        await _until_heard(conductor, clock)
        began, began_ns = time.monotonic(), clock.utc_ns()
        try:
            while wishes.seconds is None or time.monotonic() - began < wishes.seconds:
                stages.check()
                await conductor.run(clock.utc_ns() + round(_PIECE_S * wishes.speed * 1e9))
        finally:
            tally.streamed_s = time.monotonic() - began
            tally.lived_s = (clock.utc_ns() - began_ns) / 1e9
            tally.received, tally.sent = stages.collector.received, wearable.truth.samples
            heard = stages.feed.latest(PATIENT)
            tally.walking_min = None if heard is None else heard.live.walking_min


@contextlib.asynccontextmanager
async def _therapist(wishes: Wishes, store: SqliteStore, clock: DrivenClock) -> AsyncIterator[str]:
    """Serve the therapist's view of this patient and some others; the link is in what is said."""
    practice = FilePractice(Patients(wishes.data), store, clock)
    office = Office(store, practice, clock, secrets.token_urlsafe(24), wishes.language)
    async with serve(therapist_app(office), port=0, language=wishes.language) as address:
        yield (
            f"The therapist's view, of five made-up patients: {address.rstrip('/')}{ENTER}#{office.key}\n"
            "The same eight weeks on Grafana's dashboards: make clinic-demo (needs Docker)"
        )


async def _awaited(task: asyncio.Task[None]) -> None:
    await task


async def _until_heard(conductor: Conductor, clock: DrivenClock) -> None:
    """Let time pass, no faster than real time, until the wearable is found, connected and subscribed to."""
    deadline = time.monotonic() + _CONNECT_S
    while not conductor.attended:
        if time.monotonic() > deadline:
            raise LinkError("the virtual wearable was not connected in time", advice="Try again")
        await conductor.run(clock.utc_ns() + round(1e8))


def _store(data: Path, who: Person) -> SqliteStore:
    behind = past(PATIENT, who)
    Patients(data).change(PATIENT, lambda _: who.config)
    store = SqliteStore(store_file(data))
    store.erase(PATIENT)
    seed(store, behind.state, behind.points)
    return store


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
