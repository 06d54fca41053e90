"""A patient's page whose time is told line by line on standard input: ``python -m tests.browser.patient_page DATA``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from dashboards.patient.feed import LatestFeed
from dashboards.patient.model import Source
from dashboards.patient.server import serve_page
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.desk import StoreDesk
from spineclip.home import Home
from spineclip.patients import Patients, store_file

PATIENT = "p-0123456789"


async def _serve(data: Path, now_ns: int) -> None:
    clock, patients = DrivenClock(now_ns), Patients(data)
    store, home = SqliteStore(store_file(data)), Home(patients, PATIENT)
    desk = StoreDesk(store, PATIENT, home, clock, patients=patients)
    source = Source(PATIENT, home, "en", store, LatestFeed(SystemClock()), clock, desk)
    async with serve_page(source, port=0) as address:
        print(address, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            clock.advance(float(line))
    store.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
