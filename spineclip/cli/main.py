"""``spineclip``: all commands, one file each."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="spineclip",
    help="Movement and posture from a clip-on wearable. Not a medical device: it informs, it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _main() -> None:
    """Hold the commands together."""
