"""``spineclip enroll``: admit a patient's collector to the clinic's broker, or take its access away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spineclip.certs import CertificateFiles
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id, new_patient_id
from spineclip.enrolment import ROLES, Passwords, tell_broker, write_bundle


def enroll(
    patient: Annotated[str, typer.Argument(help="The patient's pseudonym; 'new' makes one.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the access away.")] = False,
    folder: Annotated[Path, typer.Option("--dir", help="The broker's secrets.")] = Path("secrets"),
    host: Annotated[str, typer.Option(help="The broker, as the collector reaches it.")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
    broker_pid: Annotated[int | None, typer.Option(help="Tell this running mosquitto at once.")] = None,
) -> None:
    """Give a patient's collector its credentials, and say what goes to it."""
    passwords = Passwords(folder / "passwords")
    name = new_patient_id() if patient == "new" else check_id(patient, "patient")
    if name in ROLES:
        raise SettingsError(f"{name!r} is a role of the broker, not a patient", advice="Choose another pseudonym")
    if revoke:
        if not passwords.revoke(name):
            raise SettingsError(f"{name!r} is not enrolled", advice=f"Look at {passwords.path} for who is")
        typer.echo(f"{name} has no access any more.")
    else:
        authority = CertificateFiles.within(folder).authority
        bundle = write_bundle(
            folder / "collectors", name, passwords.admit(name), host=host, port=port, authority=authority
        )
        typer.echo(f"{name} is enrolled. Bring the folder {bundle} to the collector by a safe way, delete it here,")
        typer.echo("and start there: spineclip collect --settings collector.toml")
        if not authority.exists():
            typer.echo(f"There is no {authority} yet: run spineclip certs first, or give the collector your own.")
    if broker_pid is None:
        typer.echo("The broker learns of it when it reads its password file anew (hang-up signal, or restart).")
    else:
        tell_broker(broker_pid)
        typer.echo("The broker knows.")
