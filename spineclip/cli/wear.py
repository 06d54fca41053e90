"""``spineclip wear``: everything that one patient needs at home, in one command."""

from __future__ import annotations

import time
import webbrowser
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from spineclip import logs
from spineclip import settings as files
from spineclip.cli import options
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError
from spineclip.patients import data_folder
from spineclip.stopping import run_until_stopped


def wear(
    settings: Annotated[Path, typer.Option(help="Settings file, as `pair` writes it.")] = Path("collector.toml"),
    data: options.Data = None,
    port: options.PagePort = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    tz: Annotated[
        str | None, typer.Option(help="Time zone, such as Europe/Berlin (default: as before, else this machine's).")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Language of the page: en or de.")] = None,
    health_port: options.Health = None,
) -> None:
    """Wear what `pair` has noted, without a clinic: collect, analyse and show your page, all on this machine."""
    known = files.read(settings)
    if known.broker != files.BrokerTable():
        raise SettingsError(
            f"{settings} sends to the broker at {known.broker.host}; worn like this, nothing would get there",
            advice="Use: spineclip collect, or take the [broker] part out",
        )
    if tz is not None:
        zone(tz)
    if language is not None:
        options.language_of(language)
    collecting = known.for_collector(settings.resolve().parent)
    logs.set_up()
    typer.echo("Getting ready; the first time on a machine it takes a minute or two ...")
    from processing.warm_up import warm_up  # noqa: PLC0415 - these load every stage, which other commands do without
    from spineclip.wearing import Wishes  # noqa: PLC0415
    from spineclip.wearing import wear as run  # noqa: PLC0415

    warm_up()

    def opened(address: str) -> None:
        typer.echo(f"Your page: {address}  (Ctrl-C stops; what was measured stays)")
        if browser:
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    wishes = Wishes(collecting, data or data_folder(), port, tz, language, health_port)
    run_until_stopped(run(wishes, _say, opened))


def _say(sentence: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {sentence}")
