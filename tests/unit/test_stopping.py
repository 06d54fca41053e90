"""Promise: whoever asks a command to stop is heard, however busy its event loop is."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_BUSY = """
import asyncio, os, signal, sys
from spineclip.stopping import run_until_stopped

async def work():
    loop = asyncio.get_running_loop()
    try:
        for _ in range(5000):  # what other threads do with every message: until the pipe holds no more
            loop._write_to_self()
        os.kill(os.getpid(), int(sys.argv[1]))
        await asyncio.sleep(20)
    finally:
        print("cleaned up")

print("by itself" if run_until_stopped(work()) else "stopped")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heard_when_the_loop_has_no_room_for_it(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BUSY, str(int(number))], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split("\n")[:2], done.stderr) == (["cleaned up", "stopped"], "")
