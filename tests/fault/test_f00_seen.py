"""Health and logs of a real run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import urllib3

from collector.outbox import Outbox
from spineclip.contract.clock import SystemClock
from tests.fault.world import PATIENT, core_process, until, uplink_here
from tests.servers.mosquitto import Broker
from tests.system.collecting import day_of_somebody

pytestmark = pytest.mark.server("mosquitto")


async def test_a_core_tells_how_it_is_and_logs_nobodys_name(broker: Broker, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with core_process(tmp_path, broker, "--health", "0") as core:
        await core.said("Health:")
        url = next(line for line in core.lines if line.startswith("Health:")).split()[1]
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(day_of_somebody(20))
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
            answer = await asyncio.to_thread(urllib3.request, "GET", url, timeout=10)
            numbers = answer.json()
            assert answer.status == 200
            assert (numbers["stage"], numbers["connected"], numbers["processed"] >= 20) == ("core", True, True)
            # a broken message and the end of the broker are told in the log
            uplink._session.publish(f"spineclip/v1/{PATIENT}/samples", b"broken")  # type: ignore[union-attr]
            await until(lambda: urllib3.request("GET", url, timeout=10).json()["rejects"] == {"cbor": 1})
    outbox.close()
    core.close()
    text = "\n".join(core.lines[1:])
    for line in core.lines[1:]:
        assert json.loads(line)["level"]
    assert PATIENT not in text
    assert "clip-1" not in text
    assert broker.password not in text
