"""Options that mean the same in several commands: the data folder, the clinic's servers, the health check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.words import LANGUAGES
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement


def place(text: str) -> Placement:
    """Read a placement as people write it: lower-back, lower_back or Lower Back.

    Raises
    ------
    typer.BadParameter
        If there is no such place.
    """
    found = place_named(text)
    if found is None:
        raise typer.BadParameter(f"{text} is not a place where a clip is worn; write one of {', '.join(Placement)}")
    return found


def place_named(text: str) -> Placement | None:
    """Find the placement that is meant, whatever joins its words."""
    name = text.strip().lower().replace("_", "-").replace(" ", "-")
    return Placement(name) if name in set(Placement) else None


_PLACES = "|".join(Placement)

Worn = Annotated[Placement, typer.Option(help="Where the clip was worn.", parser=place, metavar=_PLACES)]
WornAt = Annotated[Placement, typer.Option(help="Where it will be worn.", parser=place, metavar=_PLACES)]
OneWorn = Annotated[
    Placement | None, typer.Option(help="Which clip, when several are worn.", parser=place, metavar=_PLACES)
]
EachWorn = Annotated[
    list[Placement] | None,
    typer.Option(help="Where each is worn, in the same order.", parser=place, metavar=_PLACES),
]

Data = Annotated[Path | None, typer.Option("--data", help="Data folder (default: $SPINECLIP_DATA or the user's).")]
Health = Annotated[
    int | None, typer.Option("--health", min=0, max=65535, help="Port on loopback that answers /healthz.")
]
PagePort = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 takes any.")]

Host = Annotated[str | None, typer.Option(help="The clinic's MQTT broker, for what happens now and for changes.")]
BrokerPort = Annotated[int, typer.Option(min=1, max=65535, help="Its port.")]
User = Annotated[str, typer.Option(help="Our user name there.")]
PasswordFile = Annotated[Path | None, typer.Option(help="File that holds our password there.")]
Authority = Annotated[Path | None, typer.Option("--ca", help="Authority of the broker's certificate; makes it TLS.")]

Influx = Annotated[str | None, typer.Option(help="Address of the clinic's InfluxDB 2 (default: SQLite).")]
InfluxOrg = Annotated[str, typer.Option(help="Its organisation.")]
InfluxBucket = Annotated[str, typer.Option(help="Its bucket.")]

Adapter = Annotated[str | None, typer.Option(help="Bluetooth adapter, such as hci1.")]
Profiles = Annotated[
    list[Path] | None, typer.Option("--profile", help="YAML profile of a wearable of your own; may be repeated.")
]


def language_of(text: str) -> str:
    """Read a language that pages and reports speak.

    Raises
    ------
    SettingsError
        If they do not speak it yet.
    """
    if text not in LANGUAGES:
        raise SettingsError(f"there is no language {text!r} yet", advice=f"Use {' or '.join(LANGUAGES)}")
    return text
