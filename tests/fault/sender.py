"""A collector's half behind the wearable, as a process of its own that can be killed: outbox and uplink, both real.

``python -m tests.fault.sender OUTBOX HOST PORT USER PASSWORD_FILE PATIENT SECONDS PACE_S``

One batch a second of somebody's day is committed every `PACE_S`; each commit is printed as ``boot seq second`` once it
has returned. A new life goes on where the outbox says that the last one ended, one second later, and names that second
as a gap, as a collector does.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from collector.outbox import Outbox
from collector.uplink import Uplink
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap
from spineclip.stopping import run_until_stopped
from tests.system.collecting import T0_NS, day_of_somebody

DEVICE = "clip-1"
SECOND = 10**9


async def send(outbox: Outbox, uplink: Uplink, seconds: int, pace_s: float) -> None:
    """Commit what is left of the day, then wait to be stopped."""
    day = day_of_somebody(seconds)
    boot, end_ns = outbox.begin(DEVICE), outbox.last_end_ns(DEVICE)
    first, seq = 0, 0
    if end_ns is not None:
        first, seq = (end_ns - T0_NS) // SECOND + 1, 1
        gap = Gap(DEVICE, Placement.LOWER_BACK, boot, 0, end_ns, T0_NS + first * SECOND, "collector-off")
        await asyncio.to_thread(outbox.append, [gap])
    for k in range(first, seconds):
        await asyncio.to_thread(outbox.append, [replace(day[k], boot=boot, seq=seq)])
        print(boot, seq, k, flush=True)
        uplink.wake()
        seq += 1
        if pace_s:
            await asyncio.sleep(pace_s)
    print("all committed", flush=True)
    while outbox.backlog:
        await asyncio.sleep(0.05)
    print("all stored", flush=True)
    await asyncio.Event().wait()


async def _main(words: list[str]) -> None:
    path, host, port, user, secret, patient, seconds, pace_s = words
    outbox = Outbox(Path(path), SystemClock())
    print("opened", outbox.opened.damaged or "", flush=True)
    access = BrokerAccess(host, int(port), user, Path(secret).read_text())
    uplink = Uplink(patient, access, outbox)
    going = asyncio.create_task(uplink.run())
    try:
        await send(outbox, uplink, int(seconds), float(pace_s))
    finally:
        await uplink.stop(5.0)
        await asyncio.wait([going], timeout=3.0)
        print("left", outbox.backlog, flush=True)
        outbox.close()


if __name__ == "__main__":
    run_until_stopped(_main(sys.argv[1:]))
