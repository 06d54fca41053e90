"""``spineclip export``: all that is kept of a patient, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spineclip.cli import options
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.export import export as write
from spineclip.patients import Patients, data_folder
from spineclip.servers import open_store


def export(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    out: Annotated[Path | None, typer.Option(help="The file to write (default: PATIENT.zip here).")] = None,
    data: options.Data = None,
    influx: options.Influx = None,
    influx_org: options.InfluxOrg = "spineclip",
    influx_bucket: options.InfluxBucket = "spineclip",
    influx_token_file: Annotated[Path | None, typer.Option(help="File that holds a token for it.")] = None,
) -> None:
    """Write all that is kept of a patient into one ZIP file: a table for each measurement, and the settings."""
    check_id(patient, "patient")
    folder, file = data or data_folder(), out or Path(f"{patient}.zip")
    store = open_store(folder, influx, influx_bucket, influx_token_file, influx_org)
    try:
        if patient not in store.patients() and patient not in Patients(folder).known():
            raise SettingsError(f"nothing is kept of {patient}", advice="Check the id")
        counts = write(store, Patients(folder), patient, file)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written ({error.strerror})", advice="Name another with --out; none is written over"
        ) from error
    finally:
        store.close()
    for name, count in counts.items():
        typer.echo(f"{name}: {count}")
    typer.echo(f"{file} holds health data: only you can read it. Pass it on by a safe way.")
