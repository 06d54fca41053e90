"""What a person would ask when nothing arrives: each part of the way looked at, and a sentence for each.

A check never changes anything but for files that it makes and removes again.
"""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from collector.scan import look
from spineclip.contract.clock import Clock
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import SpineclipError
from spineclip.contract.ids import is_id
from spineclip.contract.topics import Channel, topic

RELEASED_NS = 1_790_000_000 * 10**9
"""September 2026: a clock that stands before it was never set."""
FREE_BYTES = 1 << 30
_TIME_ERROR = 5
"""Return value of ``ntp_adjtime`` when the kernel's clock is not synchronised (adjtimex(2))."""
_SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"


class Verdict(StrEnum):
    """What a check found."""

    GOOD = "good"
    UNSURE = "not sure"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what it looked at, what it found, and what to do about it."""

    part: str
    verdict: Verdict
    sentence: str
    advice: str = ""


def dbus(address: str | None) -> Finding:
    """Look for the system bus through which Bluetooth is reached on Linux; `address` as in the environment."""
    if sys.platform != "linux":
        return Finding("D-Bus", Verdict.GOOD, "this system reaches Bluetooth without it")
    for one in (address or _SYSTEM_BUS).split(";"):
        path = one.partition("path=")[2].partition(",")[0]
        if not path or Path(path).is_socket():
            return Finding("D-Bus", Verdict.GOOD, f"the system bus is at {one}")
    return Finding(
        "D-Bus",
        Verdict.BAD,
        f"there is no system bus at {address or _SYSTEM_BUS}",
        "Install and start dbus; in a container, hand its socket in",
    )


async def adapter(name: str | None, seconds: float) -> Finding:
    """Scan for a moment, as the collector does."""
    try:
        seen = await look(seconds, name)
    except SpineclipError as error:
        return Finding("Bluetooth", Verdict.BAD, error.what, error.advice)
    if not seen:
        return Finding(
            "Bluetooth",
            Verdict.UNSURE,
            f"works, but no wearable that we know was seen in {seconds:g} s",
            "Switch the wearable on, bring it near, and take it off any phone",
        )
    names = ", ".join(one.wearable_id for one in seen)
    return Finding("Bluetooth", Verdict.GOOD, f"works; near are {names}")


async def broker(access: BrokerAccess) -> Finding:
    """Connect to the broker and leave again."""
    session = Connection(
        access,
        client_id="spineclip-doctor",
        on_message=lambda _topic, _payload: None,
    )
    try:
        await session.open()
        await session.subscribe(topic(access.username if is_id(access.username) else "doctor", Channel.ACK))
    except SpineclipError as error:
        return Finding("broker", Verdict.BAD, error.what, error.advice)
    finally:
        await session.close()
    if access.ca_file is None and access.host not in ("localhost", "127.0.0.1", "::1"):
        return Finding(
            "broker",
            Verdict.BAD,
            f"{access.host}:{access.port} answers, but without TLS",
            "Give the broker's authority with ca_file, and use its port 8883",
        )
    return Finding("broker", Verdict.GOOD, f"{access.host}:{access.port} answers and lets us in")


def database(part: str, path: Path) -> Finding:
    """Look at an SQLite file of ours (the store, an outbox): there, ours to write, sound, and room to grow."""
    if not path.exists():
        near = next(folder for folder in path.parents if folder.exists())
        if not os.access(near, os.W_OK):
            return Finding(part, Verdict.BAD, f"{path} cannot be made in {near}", "Make that folder yours")
        return Finding(part, Verdict.GOOD, f"{path} is not there yet; it will be made")
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(part, Verdict.BAD, f"{path} is not ours to read and write", "Check who owns it")
    try:
        reader = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            (word,) = reader.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            reader.close()
    except sqlite3.Error as error:
        word = str(error)
    if word != "ok":
        return Finding(part, Verdict.BAD, f"{path} is damaged ({word})", "Move it away; keep it for whoever helps you")
    free = shutil.disk_usage(path.parent).free
    if free < FREE_BYTES:
        return Finding(part, Verdict.BAD, f"only {free >> 20} MB are free beside {path}", "Make room on that disk")
    return Finding(part, Verdict.GOOD, f"{path} is sound, {path.stat().st_size >> 10} kB")


def clock(time: Clock) -> Finding:
    """Look whether the clock was ever set, and whether something keeps it right."""
    if time.utc_ns() < RELEASED_NS:
        return Finding("clock", Verdict.BAD, "the clock was never set", "Set date and time, or connect to a network")
    if (answer := _kernel_clock()) is None:
        return Finding("clock", Verdict.UNSURE, "this system does not say whether its clock is kept right")
    if answer == _TIME_ERROR:
        return Finding(
            "clock",
            Verdict.UNSURE,
            "nothing keeps the clock right",
            "Install systemd-timesyncd or chrony; days and hours depend on it",
        )
    return Finding("clock", Verdict.GOOD, "set and kept right")


def private(path: Path) -> Finding:
    """Look whether a secret is its owner's alone."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Finding("secret", Verdict.BAD, f"{path} cannot be looked at ({error.strerror})", "Check where it is")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("secret", Verdict.BAD, f"others can open {path}", f"Run: chmod 600 {path}")
    return Finding("secret", Verdict.GOOD, f"{path} is its owner's alone")


def folder(path: Path) -> Finding:
    """Look whether we can write where our data go."""
    near = path if path.exists() else next(one for one in path.parents if one.exists())
    try:
        with tempfile.TemporaryFile(dir=near):
            return Finding("data folder", Verdict.GOOD, f"{path} is ours to write")
    except OSError as error:
        return Finding(
            "data folder", Verdict.BAD, f"{near} cannot be written ({error.strerror})", "Make that folder yours"
        )


async def examine(
    *,
    time: Clock,
    data: Path,
    databases: list[tuple[str, Path]],
    access: BrokerAccess | None,
    secrets: list[Path],
    bluetooth: bool,
    adapter_name: str | None = None,
    scan_s: float = 3.0,
) -> list[Finding]:
    """Run all checks that make sense here, the slow ones side by side."""
    findings = [clock(time), folder(data), *(database(part, path) for part, path in databases)]
    findings += [private(path) for path in secrets]
    waits = []
    if bluetooth:
        bus = dbus(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS"))
        findings.append(bus)
        if bus.verdict is Verdict.GOOD:
            waits.append(adapter(adapter_name, scan_s))
    if access is not None:
        waits.append(broker(access))
    return findings + list(await asyncio.gather(*waits))


def _kernel_clock() -> int | None:
    library = ctypes.util.find_library("c")
    if sys.platform != "linux" or library is None:
        return None
    # struct timex, all zero: "modes = 0" only asks. It is under 256 bytes on every architecture.
    answer: int = ctypes.CDLL(library, use_errno=True).ntp_adjtime(ctypes.create_string_buffer(512))
    return None if answer < 0 else answer
