"""Options that mean the same in several commands: the data folder, the clinic's servers, the health check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.words import LANGUAGES
from spineclip.contract.errors import SettingsError

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
