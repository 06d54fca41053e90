"""``spineclip``: all commands, one file each; a file is read only when its command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from spineclip.contract.errors import SpineclipError

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "Show the whole way: a virtual wearable on a generated person, Bluetooth, MQTT, metrics, and a page.",
    "scan": "List the wearables near, nearest first.",
    "pair": "Recognise a wearable by shaking it (or by name), and note in the settings where it is worn.",
    "calibrate": "Measure the neutral posture, or teach another: sit still while it counts.",
    "wear": "Wear what `pair` has noted, without a clinic: collect, analyse and show your page, all on this machine.",
    "collect": "Collect from a patient's wearables and send to the broker, until Ctrl-C or SIGTERM.",
    "core": "Turn records from the broker into stored metrics, until Ctrl-C or SIGTERM.",
    "page": "Show a patient's page until Ctrl-C.",
    "link": "Show the link by which a patient opens their published page, or take it away.",
    "goals": "Show a patient's goals, or agree on new ones: what is not given stays as it was.",
    "diary": "The patient's diary: pain, exercises, relaxation, anti-inflammatories, a note.",
    "report": "Write the fortnight report as HTML and PDF.",
    "export": "Write all that is kept of a patient into one ZIP file: a table for each measurement, and the settings.",
    "erase": "Erase everything of a patient: measurements, diary, settings, links, access.",
    "therapist": "Show the therapist's view until Ctrl-C: who to ask first, reports, goals.",
    "analyze": "Analyse recordings: epochs, bouts and days of each, written as <name>.epochs.csv and so on.",
    "plot": "Draw a recording, one strip a day.",
    "replay": "Play recordings through a virtual wearable, Bluetooth, MQTT and the core into the store.",
    "validate": "Print how right states are, with people left out where a fit has seen them.",
    "train": "Fit the numbers that tell states apart; takes some five minutes on one core.",
    "wearables": "List the kinds of wearables that are known, with what they can do.",
    "doctor": "Check adapter, D-Bus, broker, store, outbox, clock and permissions",
    "enroll": "Give a patient's collector its credentials, and say what goes to it.",
    "certs": "Make the broker's certificates; an authority that is there already signs the new one.",
    "clinic": "Set a clinic up.",
    "dashboards": "The clinic's dashboards.",
}
"""Each command, which is a file of this folder too, and the first sentence of its help.

The stages behind the commands take seconds to load: a list of commands that loads none is there at once.
"""


class _Commands(TyperGroup):
    """All commands; an error that has something to tell a person ends them with its sentence, not a traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, text in COMMANDS.items():
            self.add_command(TyperCommand(name, help=text))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that was asked for."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if command is None else load(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SpineclipError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
        except OSError as error:
            if error.filename is None:
                raise
            typer.echo(f"{error.filename} cannot be used ({error.strerror}).", err=True)
            raise typer.Exit(1) from error


def load(name: str) -> Any:
    """Load a command by its name: the function so called in its file, or the file's ``app`` of several."""
    module = import_module(f"spineclip.cli.{name}")
    commands = getattr(module, "app", None)
    if commands is None:
        commands = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        commands.command(name)(getattr(module, name))
    command = typer.main.get_command(commands)
    command.name = name
    return command


app = typer.Typer(
    name="spineclip",
    cls=_Commands,
    help="Movement and posture from a clip-on wearable. Not a medical device: it informs, it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _main() -> None:
    """Hold the commands together."""
