"""Goals, pauses and calibrations reach a running core when their file changes, whoever changed it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from spineclip.announce import announce
from spineclip.broker import Broker
from spineclip.contract.clock import Clock, SystemClock
from spineclip.contract.errors import BrokerError, SettingsError
from spineclip.patients import Patients

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 1.0


async def follow(broker: Broker, patients: Patients, patient: str, clock: Clock | None = None) -> None:
    """Announce a patient's settings each time that they change, until cancelled.

    A file that cannot be used, or a broker that is away for a moment, changes nothing: the next look tries again.
    """
    real = clock or SystemClock()
    known = await asyncio.to_thread(patients.config, patient)
    complained = False
    while True:
        await real.sleep(LOOK_EVERY_S)
        try:
            now = await asyncio.to_thread(patients.config, patient)
            if now != known:
                await announce(broker, patient, now)
                known = now
        except (SettingsError, BrokerError) as error:
            if not complained:
                _LOG.warning("%s", error)
            complained = True
        else:
            complained = False
