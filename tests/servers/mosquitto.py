"""mosquitto on loopback, with a user and a password."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import find, free_port, need, running

_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence false
max_queued_messages 100000
log_dest stderr
user {user}
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach a running broker."""

    host: str
    port: int
    username: str
    password: str
    pid: int


@contextmanager
def mosquitto(
    folder: Path, *, port: int | None = None, password: str | None = None, more: str = ""
) -> Iterator[Broker]:
    """Run mosquitto in a folder of its own; a given port and password let a test start it again where it was.

    `more` is added to its configuration.
    """
    program = need("mosquitto")
    port = port or free_port()
    password = password or secrets.token_urlsafe(12)
    passwords = folder / "passwords"
    passwords.unlink(missing_ok=True)
    passwords.touch(mode=0o600)
    hasher = find("mosquitto_passwd")
    assert hasher is not None
    subprocess.run([hasher, "-b", str(passwords), "tests", password], check=True, capture_output=True)
    # Started as root, mosquitto would drop to a user who cannot read a private folder.
    user = "root" if os.geteuid() == 0 else "mosquitto"
    config = folder / "mosquitto.conf"
    base = _CONFIG.format(port=port, folder=folder, user=user)
    for line in more.splitlines():  # what is said anew takes the place of what was said
        base = "".join(old + "\n" for old in base.splitlines() if old.split()[0] != line.split()[0]) + line + "\n"
    config.write_text(base)
    with running([program, "-c", str(config)], [port], folder / "mosquitto.log", catches=signal.SIGHUP) as server:
        yield Broker("127.0.0.1", port, "tests", password, server.pid)
