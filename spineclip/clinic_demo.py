"""The generated patient of the demo in a clinic's database, so that its dashboards are full at once.

The points are the demo's own: the story, and the last days second by second through the core's counting. They are
written as the core writes points, but without a checkpoint: a core that works there does not know this patient, and
the two never write the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from processing.metrics import Point
from processing.stores.base import MetricStore
from processing.stores.influx_seen import key_of
from spineclip.contract.clock import Clock
from spineclip.contract.errors import StoreBusyError, StoreError
from spineclip.demo_person import DEVICE, PATIENT, person
from spineclip.history import Life, go_on, past

_LOG = logging.getLogger(__name__)
CLOSELY: Final = 7
"""Days before today that are written second by second: so far the dashboard of the clips looks back."""
STEP_S: Final = 5
_BATCH: Final = 20_000
_SECOND_NS: Final = 10**9
_ERASE: Final = f"spineclip erase {PATIENT}"


def begin(store: MetricStore, clock: Clock, *, tz: str, language: str, say: Callable[[str], None]) -> Life:
    """Write the past up to now, in the place of what an earlier call wrote.

    Returns
    -------
    Where `go_on` carries on.

    Raises
    ------
    StoreError
        If the store has a patient of the same name who is not ours, or cannot be written.
    """
    who = person(clock, tz, speed=1.0, language=language)
    check_ours(store)
    behind = past(PATIENT, who, closely=CLOSELY)
    store.erase(PATIENT)
    newest = {key_of(point): point for point in behind.points}.values()  # of one time the last writing holds
    # the clip first: by it the patient is known as ours, should the writing be interrupted
    points = sorted(newest, key=lambda point: point.measurement != "device")
    _write(store, points)
    say(f"{PATIENT} has eight weeks behind them: {len(points):,} points, all made up. To be rid of them: {_ERASE}")
    return behind.life


def check_ours(store: MetricStore) -> None:
    """Make sure that nothing measured is written over.

    Raises
    ------
    StoreError
        If there is a patient of that name with a checkpoint, or with points of which the clip is not the made-up one.
    """
    clip = store.latest("device", PATIENT)
    theirs = PATIENT in store.patients() if clip is None else clip.tags["device"] != DEVICE
    if theirs or store.checkpoint(PATIENT) is not None:
        raise StoreError(
            f"the database has a patient {PATIENT} that this demo did not write",
            advice=f"If nobody needs it, erase it first: {_ERASE}",
        )


async def stay(store: MetricStore, clock: Clock, life: Life, alive: Path | None = None) -> None:
    """Let the patient live on, a few seconds at a time, until cancelled.

    Raises
    ------
    StoreError
        If somebody else has begun to write this patient.
    """
    busy = False
    while True:
        await clock.sleep(STEP_S)
        try:
            life = await asyncio.to_thread(live_on, store, life, clock.utc_ns())
        except StoreBusyError as error:  # what could not be written now is written with the next step
            if not busy:
                _LOG.warning("%s", error)
            busy = True
            continue
        busy = False
        if alive is not None:
            await asyncio.to_thread(alive.touch)


def live_on(store: MetricStore, life: Life, now_ns: int) -> Life:
    """Write what happened up to a time (UTC nanoseconds).

    Raises
    ------
    StoreError
        If somebody else has begun to write this patient, or the store is away: then the next call writes it all.
    """
    check_ours(store)
    later, points = go_on(life, now_ns // _SECOND_NS * _SECOND_NS)
    _write(store, points)
    return later


def _write(store: MetricStore, points: Sequence[Point]) -> None:
    for at in range(0, len(points), _BATCH):
        store.commit(PATIENT, points[at : at + _BATCH], None)
