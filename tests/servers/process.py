"""Start a real server program, prove that it is the one that answers on its port, and end it again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

import psutil
import pytest

REQUIRED = os.environ.get("REQUIRE_SERVERS") == "1"
PACKAGES = {
    "mosquitto": "mosquitto",
    "influxd": "influxdb",
    "nginx": "nginx-light",
    "chromium": "chromium",
    "pdftotext": "poppler-utils",
    "npm": "npm",
    "pango": "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
}
"""Each program (and the one library that draws the printed report) and the Debian packages that bring it."""


def find(program: str) -> str | None:
    """Find a program on the path or where Debian keeps servers, or the library."""
    if program == "pango":
        return find_library("pango-1.0") and find_library("pangoft2-1.0") and find_library("harfbuzz-subset")
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")


def need(program: str) -> str:
    """Return the path of a program; without it the test is left out, or fails where every server is required."""
    path = find(program)
    if path is None:
        sentence = f"{program} is not installed (apt-get install {PACKAGES.get(program, program)})"
        if REQUIRED:
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path


def free_port() -> int:
    """Return a loopback port on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening_ports(pid: int) -> set[int]:
    """Return the TCP ports on which this very process listens."""
    return {
        connection.laddr.port
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


@contextmanager
def running(
    command: Sequence[str],
    ports: Sequence[int],
    log: Path,
    *,
    catches: signal.Signals | None = None,
    cwd: Path | None = None,
    patience_s: float = 30.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the body runs.

    The body is entered only when the started process itself holds all its ports: an answer from some other server
    that happened to listen there is no proof. Nor is it before the process catches the signal that the test may send
    (mosquitto listens first, and SIGHUP would end it until then).

    Raises
    ------
    ServerDiedError
        If it ended before it listened; the end of its log is in the message.
    """
    with log.open("ab") as sink:
        server = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, cwd=cwd
        )
    try:
        _wait(
            server,
            lambda: set(ports) <= listening_ports(server.pid) and _caught(server.pid, catches),
            patience_s,
            log,
        )
        yield server
    finally:
        end(server)


def _caught(pid: int, wanted: signal.Signals | None) -> bool:
    """Tell whether a process has a handler for a signal: bit number - 1 of ``SigCgt``, see proc(5)."""
    if wanted is None:
        return True
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(mask >> (wanted - 1) & 1)


def end(server: subprocess.Popen[bytes], patience_s: float = 10.0) -> None:
    """End a process that we started: asked first, by its own id."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(patience_s)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(patience_s)


class ServerDiedError(Exception):
    """A server that we started ended by itself, or did not listen in time."""


def _wait(server: subprocess.Popen[bytes], ready: Callable[[], bool], patience_s: float, log: Path) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            if ready():
                return
        except (psutil.NoSuchProcess, FileNotFoundError):
            break
        time.sleep(0.02)  # there is nothing to await: the operating system does not tell who began to listen
    words = log.read_text(errors="replace")[-2000:]
    raise ServerDiedError(f"{server.args!r} ended with {server.poll()} before it listened. Its last words:\n{words}")
