"""``spineclip clinic``: what a clinic needs before its first start."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from pathlib import Path
from typing import Annotated

import typer

from spineclip import logs
from spineclip.cli import options
from spineclip.clinic import add_clinic, make_secrets
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import zone as zone_of
from spineclip.servers import open_influx
from spineclip.stopping import run_until_stopped

app = typer.Typer(help="Set a clinic up.", no_args_is_help=True, add_completion=False)
_HOUSE = Annotated[Path, typer.Option("--house", help="The folder with docker-compose.yml.")]


@app.command("secrets")
def make_all_secrets(
    host: Annotated[
        list[str] | None, typer.Option(help="A name of the broker for collectors; repeat for more.")
    ] = None,
    house: _HOUSE = Path(),
) -> None:
    """Make passwords, certificates and folders; what is there already stays."""
    made = make_secrets(house, host or ["localhost"], dt.datetime.now(dt.UTC))
    for path in made.paths:
        typer.echo(f"made {path}")
    typer.echo(
        f"The services will run as user {made.user}. Keep secrets/ to yourself; {house / 'secrets' / 'ca.key'} is best "
        "kept on another machine."
        if made.paths
        else "Everything is there already; nothing was changed."
    )


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The clinic's id: a-z, 0-9 and '-'.")],
    org: Annotated[int, typer.Option(min=2, help="Number of its organisation in Grafana.")] = 2,
    zone: Annotated[str, typer.Option(help="Time zone of its days, such as Europe/Berlin.")] = "UTC",
    house: _HOUSE = Path(),
) -> None:
    """Write the provisioning of a further clinic: organisation, bucket and tokens of its own."""
    for path in add_clinic(house, name, org, zone):
        typer.echo(f"made {path}")
    typer.echo(f"Next: docker compose exec influxdb /docker-entrypoint-initdb.d/10-tokens.sh {name} {name}-")
    typer.echo(f"Then: spineclip dashboards deploy http://localhost:3000 --clinic {name}")
    typer.echo("Its collectors need a broker and a core of their own (docs/clinic.md): a core reads all of its broker.")


@app.command()
def demo(
    influx: Annotated[str, typer.Option(help="Address of the clinic's InfluxDB 2.")] = "http://127.0.0.1:8086",
    influx_org: options.InfluxOrg = "spineclip",
    influx_bucket: options.InfluxBucket = "spineclip",
    influx_token_file: Annotated[
        Path | None, typer.Option(help="File that holds a token that may write and delete.")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Let the patient live on until Ctrl-C.")] = False,
    zone: Annotated[str, typer.Option(help="Time zone of the patient's days; the dashboards' own is UTC.")] = "UTC",
    language: Annotated[str, typer.Option(help="Language of nudges: en or de.")] = "en",
    alive: Annotated[Path | None, typer.Option(help="File to touch as long as all is well (health checks).")] = None,
) -> None:
    """Write a generated patient with eight weeks behind them, so that the dashboards are full at once."""
    logs.set_up(logging.WARNING)
    zone_of(zone)
    options.language_of(language)
    from spineclip import clinic_demo  # noqa: PLC0415 - loads the core, which the other commands do without

    store, clock = open_influx(influx, influx_bucket, influx_token_file, influx_org), SystemClock()
    with contextlib.closing(store):
        life = clinic_demo.begin(store, clock, tz=zone, language=language, say=typer.echo)
        if stay:
            typer.echo("The patient lives on (Ctrl-C ends it)")
            run_until_stopped(clinic_demo.stay(store, clock, life, alive))
