"""What a clinic needs before its first start: passwords, certificates, folders, and the provisioning of its data.

Nothing is made twice: what is there already stays as it is, so that the command can be run again at any time.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dashboards.grafana import provisioning
from spineclip.certs import CertificateFiles, make
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.enrolment import ROLES, Passwords
from spineclip.private_file import write_private

SERVICE_USER: Final = 10_001
"""Who the services run as when root made the secrets: nobody in particular, and never root."""
STATES: Final = ("mosquitto", "influxdb", "influxdb-config", "grafana", "settings", "compiled")
TOKENS: Final = ("core", "page", "grafana")
MAIN: Final = "spineclip"
"""The first clinic: bucket, and organisation 1 of Grafana. Compose brings it along."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and who the services run as."""

    paths: list[Path]
    user: int
    group: int


def make_secrets(house: Path, hosts: Sequence[str], now: dt.datetime) -> Made:
    """Make all secrets of the compose file below a folder, and the folders that its services write to.

    Parameters
    ----------
    house
        The folder with the compose file.
    hosts
        Names and addresses under which collectors reach the broker.
    """
    folder = house / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[Path] = []
    files = CertificateFiles.within(folder)
    if not files.server.exists():
        make(folder, [*hosts, "mosquitto"], now)
        made += [files.authority, files.authority_key, files.server, files.server_key]
    passwords = Passwords(folder / "passwords")
    for role in ROLES:
        path = folder / f"mqtt_{role}"
        if not path.exists():
            write_private(path, passwords.admit(role).encode())
            made.append(path)
    for name in ("influxdb_password", "influxdb_token", "grafana_password"):
        made += _random(folder / name)
    made += _token_files(folder, "")
    for state in STATES:
        (house / "state" / state).mkdir(mode=0o700, parents=True, exist_ok=True)
    user, group = _owner()
    settings = house / ".env"
    if not settings.exists():
        settings.write_text(f"SPINECLIP_UID={user}\nSPINECLIP_GID={group}\n")
        made.append(settings)
    if os.geteuid() == 0:
        _hand_over(folder, user, group)
        _hand_over(house / "state", user, group)
    return Made(made, user, group)


def add_clinic(house: Path, name: str, org_id: int, zone_name: str) -> list[Path]:
    """Write the provisioning of a further clinic: a bucket, an organisation and tokens of its own.

    Parameters
    ----------
    name
        The clinic's id: name of its bucket and of its organisation.
    org_id
        Number of its organisation in Grafana; 1 is the first clinic's.
    zone_name
        Time zone of its days.

    Raises
    ------
    SettingsError
        If the name is no id or taken, the organisation is the first clinic's, or the zone does not exist.
    """
    check_id(name, "clinic")
    zone(zone_name)
    folder = house / "clinics" / name
    if name == MAIN or folder.exists():
        raise SettingsError(f"there is a clinic {name!r} already", advice="Choose another name")
    if org_id < 2:
        raise SettingsError(
            "organisation 1 is the first clinic's", advice="Take the number that Grafana gave the new one"
        )
    made = []
    for path, built in provisioning.files(name, f"/run/secrets/{name}-grafana", org_id=org_id).items():
        target = folder / "provisioning" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(provisioning.as_yaml(built), encoding="utf-8")
        made.append(target)
    boards = folder / "dashboards"
    boards.mkdir()
    for board, built in provisioning.dashboards(zone_name).items():
        (boards / f"{board}.json").write_text(provisioning.as_json(built), encoding="utf-8")
        made.append(boards / f"{board}.json")
    secrets_folder = house / "secrets"
    secrets_folder.mkdir(mode=0o700, exist_ok=True)
    return [*made, *_token_files(secrets_folder, f"{name}-")]


def _random(path: Path) -> list[Path]:
    if path.exists():
        return []
    write_private(path, secrets.token_urlsafe(32).encode())
    return [path]


def _token_files(folder: Path, prefix: str) -> list[Path]:
    """Make the files that InfluxDB writes its tokens to; they are mounted one by one, so they have to be there."""
    tokens = folder / "tokens"
    tokens.mkdir(mode=0o700, exist_ok=True)
    made = []
    for role in TOKENS:
        path = tokens / f"{prefix}{role}"
        if not path.exists():
            write_private(path, b"")
            made.append(path)
    return made


def _owner() -> tuple[int, int]:
    return (SERVICE_USER, SERVICE_USER) if os.geteuid() == 0 else (os.geteuid(), os.getegid())


def _hand_over(folder: Path, user: int, group: int) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.name != "ca.key":  # it signs new certificates and is no service's business
            os.chown(path, user, group)
