"""mosquitto with the clinic's own configuration and access list, on loopback: TLS, passwords, topic patterns."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spineclip.certs import SERVER_DAYS, CertificateFiles, make
from spineclip.enrolment import Passwords
from tests.servers.process import free_port, need, running

_DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"


@dataclass(frozen=True, slots=True)
class SecureBroker:
    """A running broker; `folder` is what ``/mosquitto`` is in the clinic."""

    host: str
    port: int
    pid: int
    folder: Path
    files: CertificateFiles
    passwords: Passwords


@contextmanager
def secure_mosquitto(
    folder: Path,
    *,
    port: int | None = None,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    server_days: int = SERVER_DAYS,
    extra_passwords: str = "",
) -> Iterator[SecureBroker]:
    """Run mosquitto with ``deploy/mosquitto`` in a folder of its own.

    Parameters
    ----------
    hosts
        Whom the server certificate names.
    server_days
        Life of the server certificate; negative for one that has run out.
    extra_passwords
        Lines put into the password file as they are, past the enrolment's checks.
    """
    program = need("mosquitto")
    port = port or free_port()
    for part in ("config", "secrets", "data"):
        (folder / part).mkdir(exist_ok=True)
    files = make(folder / "secrets", hosts, dt.datetime.now(dt.UTC), server_days=server_days)
    passwords = Passwords(folder / "secrets" / "passwords")
    if not passwords.path.exists():
        passwords.admit("core")
    if extra_passwords:
        passwords.path.write_text(passwords.path.read_text() + extra_passwords)
    config = (_DEPLOY / "mosquitto.conf").read_text()
    assert "\nlistener 8883\n" in config
    config = config.replace("\nlistener 8883\n", f"\nlistener {port} 127.0.0.1\n").replace("/mosquitto/", f"{folder}/")
    if os.geteuid() == 0:
        config += "user root\n"  # it would drop to a user who cannot read a private folder
    (folder / "config" / "acl").write_text((_DEPLOY / "acl").read_text())
    (folder / "config" / "mosquitto.conf").write_text(config)
    command = [program, "-c", str(folder / "config" / "mosquitto.conf")]
    with running(command, [port], folder / "mosquitto.log", catches=signal.SIGHUP) as server:
        yield SecureBroker("127.0.0.1", port, server.pid, folder, files, passwords)
