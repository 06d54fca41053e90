"""``spineclip``: all commands, one file each."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from spineclip.cli import clinic, dashboards, diary
from spineclip.cli.analyze import analyze
from spineclip.cli.calibrate import calibrate
from spineclip.cli.certs import certs
from spineclip.cli.collect import collect
from spineclip.cli.core import core
from spineclip.cli.demo import demo
from spineclip.cli.doctor import doctor
from spineclip.cli.enroll import enroll
from spineclip.cli.goals import goals
from spineclip.cli.page import page
from spineclip.cli.pair import pair
from spineclip.cli.plot import plot
from spineclip.cli.replay import replay
from spineclip.cli.report import report
from spineclip.cli.scan import scan
from spineclip.cli.therapist import therapist
from spineclip.cli.train import train
from spineclip.cli.validate import validate
from spineclip.cli.wearables import wearables
from spineclip.contract.errors import SpineclipError


class _Commands(TyperGroup):
    """All commands; an error that has something to tell a person ends them with its sentence, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SpineclipError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error


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


app.command()(analyze)
app.command()(calibrate)
app.command()(certs)
app.command()(core)
app.command()(collect)
app.command()(doctor)
app.command()(enroll)
app.command()(demo)
app.command()(goals)
app.command()(page)
app.command()(pair)
app.command()(replay)
app.command()(plot)
app.command()(report)
app.command()(therapist)
app.add_typer(clinic.app, name="clinic")
app.add_typer(dashboards.app, name="dashboards")
app.command()(scan)
app.command()(validate)
app.command()(wearables)
app.command()(train)
app.add_typer(diary.app, name="diary")
