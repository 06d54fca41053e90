"""Commands of the project as a person starts them: in a process of their own, watched line by line."""

from __future__ import annotations

import http.client
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

HOUSE = Path(__file__).resolve().parents[1]


class Command:
    """A running ``spineclip``; what it says gathers in `said`."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "default", "-m", "spineclip", *arguments],
            cwd=HOUSE,
            env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put(None)

    @property
    def text(self) -> str:
        """All that it has said so far."""
        return "\n".join(self.said)

    def wait_for(self, pattern: str, timeout_s: float = 60.0) -> re.Match[str]:
        """Wait until a line matches."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} within {timeout_s:g} s in:\n{self.text}") from None
            if line is None:
                raise AssertionError(f"it ended ({self.process.wait()}) without {pattern!r}:\n{self.text}")
            if found := re.search(pattern, line):
                return found

    def end(self, number: int = signal.SIGINT, timeout_s: float = 20.0) -> int:
        """Send a signal, as Ctrl-C does, and return the exit code."""
        self.process.send_signal(number)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 120.0) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s:g} s:\n{self.text}") from None
        self._reader.join(5)
        return code


@contextmanager
def spineclip(*arguments: str, data: Path) -> Iterator[Command]:
    """Start ``spineclip`` with a data folder of its own; it is gone at the end, whatever happened.

    What the core has compiled is shared, else every test would wait for it anew.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    command = Command(list(arguments), {"SPINECLIP_DATA": str(data), "HOME": str(data), "XDG_CACHE_HOME": cache})
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()
        command._reader.join(5)
        if command.process.stdout is not None:
            command.process.stdout.close()


def ask(address: str) -> tuple[int, str]:
    """Get a page as a browser does; return status and content."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
