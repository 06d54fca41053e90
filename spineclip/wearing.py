"""At home: one patient, their wearables, and every stage in this process, until it is stopped.

What `spineclip pair` has written is enough. The stages are those of a clinic, on a broker of their own that nobody from
outside reaches; everything stays on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collector.scan import look
from collector.service import CollectorSettings
from dashboards.patient.server import serve_page
from dashboards.serving import check_port
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import PatientConfig
from spineclip.health import health_if, of_station
from spineclip.patients import Patients, store_file
from spineclip.sole import sole_core
from spineclip.station import Plan, Station, source, station

_LOOK_S: Final = 0.2
_CHECK_S: Final = 1.0


@dataclass(frozen=True)
class Wishes:
    """What is worn and where things go.

    Attributes
    ----------
    collecting
        What the settings file says; its broker is not used.
    data
        Data folder.
    port
        Of the page; None for the usual one.
    tz, language
        None for what is kept of the patient.
    """

    collecting: CollectorSettings
    data: Path
    port: int | None = None
    tz: str | None = None
    language: str | None = None
    health_port: int | None = None


async def wear(wishes: Wishes, say: Callable[[str], None], opened: Callable[[str], None]) -> None:
    """Collect, analyse and show until cancelled.

    Parameters
    ----------
    say
        Called with sentences for people.
    opened
        Called with the page's address.

    Raises
    ------
    SpineclipError
        If there is no Bluetooth, the data folder is in use, or a stage ends.
    """
    check_port(wishes.port)
    wanted = wishes.collecting
    await look(_LOOK_S, wanted.adapter)  # no Bluetooth at all is better said now than tried for ever
    patients, file = Patients(wishes.data), store_file(wishes.data)
    with sole_core(file), contextlib.closing(SqliteStore(file)) as store:
        config = _config(patients, wishes)
        plan = Plan(
            wanted.patient,
            config,
            wanted.clips,
            wanted.outbox,
            wanted.rate_hz,
            patients,
            wanted.range_g,
            wanted.adapter,
        )
        clock = SystemClock()
        async with contextlib.AsyncExitStack() as stack:
            stages = await stack.enter_async_context(station(plan, store, clock, say=say))
            stack.callback(_tell_end, stages, say)
            await stack.enter_async_context(health_if(wishes.health_port, lambda: of_station(stages), say))
            shown = source(stages, store, patients, wanted.patient, clock=clock, language=config.language)
            opened(await stack.enter_async_context(serve_page(shown, port=wishes.port)))
            while True:
                stages.check()
                await asyncio.sleep(_CHECK_S)


def _config(patients: Patients, wishes: Wishes) -> PatientConfig:
    """Keep what is told of the patient, and return all that is kept."""

    def told(config: PatientConfig) -> PatientConfig:
        tz, language = wishes.tz or config.time_zone, wishes.language or config.language
        return replace(config, time_zone=tz, language=language)

    return patients.change(wishes.collecting.patient, told)


def _tell_end(stages: Station, say: Callable[[str], None]) -> None:
    say(f"Stopping: {stages.collector.received:,} samples received; what waits is stored.")
