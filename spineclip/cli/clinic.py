"""``spineclip clinic``: what a clinic needs before its first start."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from spineclip.clinic import add_clinic, make_secrets

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
