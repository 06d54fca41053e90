"""``spineclip demo``: everything at once, without hardware."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from spineclip import logs
from spineclip.cli import options
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError
from spineclip.stopping import run_until_stopped


def demo(
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="How fast time passes; 60 plays an hour a minute.")
    ] = 1.0,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.0, help="End by itself after so many seconds.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    port: options.PagePort = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep the data here (default: a folder that goes with the demo).")
    ] = None,
    tz: Annotated[str, typer.Option(help="Time zone of the generated person.")] = "Europe/Berlin",
    language: Annotated[str, typer.Option(help="Language of the page: en or de.")] = "en",
    health_port: options.Health = None,
) -> None:
    """Show the whole way: a virtual wearable on a generated person, Bluetooth, MQTT, metrics, and a page."""
    typer.echo("Starting; the first time on a machine it takes a minute or two ...")
    logs.set_up(logging.WARNING)
    logging.getLogger("bleak").setLevel(logging.ERROR)  # that this air has no BlueZ behind it is no news here
    zone(tz)
    options.language_of(language)
    from spineclip.demo import Tally, Wishes  # noqa: PLC0415 - loads every stage, which other commands do without
    from spineclip.demo import demo as run  # noqa: PLC0415

    def opened(address: str) -> None:
        typer.echo(f"The page: {address}  (Ctrl-C ends the demo)")
        if browser:
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with _folder(data) as folder:
        tally = Tally()
        wishes = Wishes(folder, speed, seconds, port, tz, language, health_port)
        run_until_stopped(run(wishes, typer.echo, opened, tally))
        typer.echo(tally.sentence)


@contextlib.contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        try:
            chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(f"{chosen} cannot be used ({error.strerror})", advice="Name another folder") from error
        typer.echo(f"The data are kept in {chosen}")
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="spineclip-demo-", ignore_cleanup_errors=True) as name:
        typer.echo(f"The data are in {name} and go with the demo; --data keeps them")
        yield Path(name)
