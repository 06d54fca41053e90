"""``spineclip erase``: forget a patient, everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from processing.stores.base import MetricStore
from processing.stores.sqlite import SqliteStore
from spineclip.cli import options
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.enrolment import tell_broker
from spineclip.erasure import erase_access, erase_here, erase_outbox, erase_retained
from spineclip.patients import data_folder, store_file
from spineclip.servers import broker_access, open_influx
from spineclip.sole import sole_core, sole_core_influx


def erase(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: options.Data = None,
    outbox: Annotated[Path | None, typer.Option(help="The collector's file, if it is not at its usual place.")] = None,
    secrets: Annotated[Path | None, typer.Option(help="The broker's secrets, for the collector's access.")] = None,
    broker_pid: Annotated[int | None, typer.Option(help="Tell this running mosquitto at once.")] = None,
    host: Annotated[str | None, typer.Option(help="The clinic's MQTT broker, which retains settings.")] = None,
    broker_port: options.BrokerPort = 8883,
    user: Annotated[str, typer.Option(help="Our user name there; the core's may write all.")] = "core",
    password_file: options.PasswordFile = None,
    ca: options.Authority = None,
    influx: options.Influx = None,
    influx_org: options.InfluxOrg = "spineclip",
    influx_bucket: options.InfluxBucket = "spineclip",
    influx_token_file: Annotated[Path | None, typer.Option(help="File that holds a token that may delete.")] = None,
) -> None:
    """Erase everything of a patient: measurements, diary, settings, links, access. Stop the core first."""
    check_id(patient, "patient")
    folder = data or data_folder()
    access = broker_access(host, broker_port, user, password_file, ca)
    if not sure and typer.prompt(f"This cannot be undone. Type {patient} to erase it") != patient:
        raise SettingsError("that was not the patient's id", advice="Nothing was erased")
    erased = False
    with _store(folder, influx, influx_bucket, influx_token_file, influx_org) as store:
        own = () if secrets is None else erase_access(secrets, patient)
        for what in itertools.chain(own, erase_outbox(patient, outbox), erase_here(store, folder, patient)):
            typer.echo(f"Erased: {what}")  # at once: should a later part fail, it is known what is gone
            erased = True
    if secrets is not None and broker_pid is not None:
        tell_broker(broker_pid)
    if access is not None:
        erased |= _retained(access, patient)
    if not erased:
        typer.echo(f"Nothing was kept of {patient} here.")
    typer.echo("Reports and exports that were written, backups, and other machines are not reached from here.")


@contextlib.contextmanager
def _store(
    folder: Path, influx: str | None, bucket: str, token_file: Path | None, org: str
) -> Iterator[MetricStore | None]:
    """Open the store for us alone: a core that runs has the patient in its memory, and would write it down again."""
    if influx is not None:
        database = open_influx(influx, bucket, token_file, org)
        with contextlib.closing(database), sole_core_influx(database):
            yield database
    elif store_file(folder).is_file():
        with sole_core(store_file(folder)), contextlib.closing(SqliteStore(store_file(folder))) as store:
            yield store
    else:
        yield None


def _retained(access: BrokerAccess, patient: str) -> bool:
    gone, left = asyncio.run(erase_retained(access, patient))
    if gone:
        typer.echo(f"Erased: what the broker kept ({', '.join(gone)})")
    if left:
        raise SettingsError(
            f"the broker still keeps {', '.join(left)} of {patient}", advice="Use a user that may write there"
        )
    return bool(gone)
