"""``spineclip dashboards``: the clinic's dashboards on a Grafana."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.grafana.deploy import Database, deploy
from dashboards.grafana.remote import Grafana
from spineclip.contract.config import zone as find_zone
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.servers import secret

app = typer.Typer(help="The clinic's dashboards.", no_args_is_help=True, add_completion=False)


@app.callback()
def _main() -> None:
    """Hold the commands together."""


@app.command("deploy")
def deploy_all(
    url: Annotated[str, typer.Argument(help="The Grafana, such as https://grafana.example.")],
    token_file: Annotated[Path | None, typer.Option(help="File with a service account's token.")] = None,
    user: Annotated[str, typer.Option(help="Or a user; makes organisations, which a token cannot.")] = "admin",
    password_file: Annotated[Path | None, typer.Option(help="File with that user's password.")] = None,
    clinic: Annotated[str | None, typer.Option(help="Organisation; made if it is not there.")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the clinic's days.")] = "UTC",
    influx: Annotated[str | None, typer.Option(help="The InfluxDB, as Grafana reaches it.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Its bucket (default: the clinic's name).")] = None,
    read_token_file: Annotated[Path | None, typer.Option(help="File with a token that can only read it.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the Grafana's certificate.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also replace what somebody has changed.")] = False,
) -> None:
    """Put data source, dashboards and alerts on a Grafana; what came from files or was changed stays."""
    find_zone(zone)
    if clinic is not None:
        check_id(clinic, "clinic")
    if token_file is None and password_file is None:
        raise SettingsError("who are we at that Grafana", advice="Give --token-file, or --user and --password-file")
    database = None
    if influx is not None:
        if read_token_file is None:
            raise SettingsError("Grafana needs a token of its own", advice="Give --read-token-file")
        read_token = secret(read_token_file).removeprefix("Token ")
        database = Database(influx, bucket or clinic or "spineclip", read_token)
    auth = secret(token_file) if token_file is not None else (user, secret(password_file))
    with Grafana(url, auth, ca_file=ca) as grafana:
        for done in deploy(grafana, database, clinic=clinic, zone=zone, overwrite=overwrite):
            typer.echo(f"{done.outcome:8} {done.what}" + (f" ({done.why})" if done.why else ""))
