"""``spineclip link``: the link by which a patient opens their published page."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.entrance import ENTER
from dashboards.serving import public_address
from spineclip.cli import options
from spineclip.contract.errors import SettingsError
from spineclip.links import Links
from spineclip.patients import data_folder


def link(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    at: Annotated[str, typer.Option(help="Address at which the page is published.")] = "http://127.0.0.1:8642",
    new: Annotated[bool, typer.Option("--new", help="Make a new link; the older one counts no more.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the link away; open pages end.")] = False,
    data: options.Data = None,
) -> None:
    """Show the link by which a patient opens their published page, or take it away."""
    if new and revoke:
        raise SettingsError("--new and --revoke do not go together", advice="Leave one of them out")
    links, place = Links(data or data_folder()), public_address(at)
    if revoke:
        was = links.revoke(patient)
        typer.echo(f"The link of {patient} counts no more." if was else f"There was no link for {patient}.")
        return
    token = None if new else links.token(patient)
    typer.echo(f"{place.url}{ENTER}#{token or links.make(patient)}")
    typer.echo("Whoever has this link sees the page. Give it to the patient alone.", err=True)
