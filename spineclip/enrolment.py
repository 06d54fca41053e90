"""Who may speak to the clinic's broker: mosquitto's password file, one line a user.

A collector's user name is its patient's pseudonym, so that the broker's topic patterns keep patients apart.
Passwords are random; the file holds their hashes, and the collector's own bundle is the only other copy.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.private_file import turn, write_private

ROLES = ("core", "page")
"""Users that are no collectors; no patient can bear these names."""
_ITERATIONS = 101
"""mosquitto's own default; 192 random bits need no stretching."""
_SALT_BYTES = 12


@dataclass(frozen=True, slots=True)
class Passwords:
    """The password file of a broker."""

    path: Path

    def users(self) -> list[str]:
        """Return who is known, sorted."""
        return sorted(self._lines())

    def admit(self, user: str) -> str:
        """Give a user a new password, in place of an older one, and return it.

        Raises
        ------
        SettingsError
            If the name is not an id: a ``+`` or ``#`` must never come near a topic pattern.
        """
        check_id(user, "user")
        password = secrets.token_urlsafe(24)
        with self._turn():
            self._write(self._lines() | {user: password_hash(password)})
        return password

    def revoke(self, user: str) -> bool:
        """Take a user's password away; tell whether there was one."""
        if user not in self._lines():
            return False
        with self._turn():
            lines = self._lines()
            known = lines.pop(user, None) is not None
            if known:
                self._write(lines)
        return known

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with turn(self.path.parent):
            yield

    def _lines(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        rows = (line.partition(":") for line in self.path.read_text().splitlines() if line and line[0] != "#")
        return {user: digest for user, _, digest in rows}

    def _write(self, lines: dict[str, str]) -> None:
        write_private(self.path, "".join(f"{user}:{lines[user]}\n" for user in sorted(lines)).encode())


def password_hash(password: str) -> str:
    """Hash a password as mosquitto 2 reads it: ``$7$iterations$salt$hash``, PBKDF2 with SHA-512 (its password file)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def write_bundle(folder: Path, patient: str, password: str, *, host: str, port: int, authority: Path) -> Path:
    """Write what a patient's collector needs, and return the folder that goes there.

    It holds ``collector.toml``, ``password`` (mode 0600) and, where there is one, the authority's ``ca.crt``.

    Raises
    ------
    SettingsError
        If the patient's name is one of the roles, or no id.
    """
    if patient in ROLES:
        raise SettingsError(f"{patient!r} is a role of the broker, not a patient", advice="Choose another pseudonym")
    bundle = folder / check_id(patient, "patient")
    bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(bundle / "password", password.encode())
    broker: dict[str, str | int | bool] = {
        "host": host,
        "port": port,
        "username": patient,
        "password_file": "password",
    }
    if authority.exists():
        (bundle / "ca.crt").write_bytes(authority.read_bytes())
        broker["ca_file"] = "ca.crt"
    write_private(bundle / "collector.toml", tomli_w.dumps({"patient": patient, "broker": broker}).encode())
    return bundle


def tell_broker(pid: int) -> None:
    """Make a running mosquitto read its password file anew.

    Raises
    ------
    SettingsError
        If there is no such process, or it is not ours to signal.
    """
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise SettingsError(
            f"the broker's process {pid} could not be told ({error.strerror})",
            advice="Send it a hang-up signal yourself, or restart it",
        ) from error
