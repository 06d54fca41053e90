"""Goals, pauses and calibrations reach a running core when their file changes, whoever changed it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

from spineclip.contract.clock import Clock, SystemClock
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import BrokerError, SettingsError
from spineclip.patients import Patients
from spineclip.retained import publish_config

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 1.0


async def follow(
    access: BrokerAccess,
    patients: Patients,
    patient: str | None = None,
    clock: Clock | None = None,
    *,
    told: bool = False,
) -> None:
    """Announce settings each time that they change, until cancelled.

    A file that cannot be used, or a broker that is away for a moment, changes nothing: the next look tries again.

    Parameters
    ----------
    patient
        Whose; everybody's in the folder by default.
    told
        Whether the broker has the settings as they are now. If not, they are announced first: somebody may have
        changed them while nobody followed.
    """
    real = clock or SystemClock()
    known: dict[str, PatientConfig] = {}
    complaints: dict[str, str] = {}
    if told:
        for name in await asyncio.to_thread(_whom, patients, patient):
            with contextlib.suppress(SettingsError):  # the first look below says what is wrong with it
                known[name] = await asyncio.to_thread(patients.config, name)
    while True:
        if told:
            await real.sleep(LOOK_EVERY_S)
        told = True
        here = await asyncio.to_thread(_whom, patients, patient)
        known = {name: config for name, config in known.items() if name in here}  # who was erased may come back
        for name in here:
            try:
                now = await asyncio.to_thread(patients.config, name)
                if now != known.get(name):
                    await publish_config(access, name, now)
                    known[name] = now
            except (SettingsError, BrokerError) as error:
                if complaints.get(name) != str(error):
                    _LOG.warning("%s", error)
                complaints[name] = str(error)
            else:
                complaints.pop(name, None)


@contextlib.asynccontextmanager
async def followed(
    access: BrokerAccess, patients: Patients, patient: str | None = None, *, told: bool = False
) -> AsyncIterator[None]:
    """Follow, as `follow` does, for as long as the context lasts."""
    task = asyncio.create_task(follow(access, patients, patient, told=told), name="settings")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _whom(patients: Patients, patient: str | None) -> list[str]:
    known = patients.known()
    return known if patient is None else [patient] * (patient in known)
