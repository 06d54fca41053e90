"""``spineclip doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from spineclip import settings as files
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import SettingsError
from spineclip.doctor import Finding, Verdict, examine
from spineclip.patients import data_folder, store_file

_MARKS = {Verdict.GOOD: "ok", Verdict.UNSURE: "??", Verdict.BAD: "no"}


def doctor(
    settings: Annotated[Path | None, typer.Option(help="The collector's settings file, for broker and outbox.")] = None,
    data: options.Data = None,
    bluetooth: Annotated[bool, typer.Option(help="Look for adapter and wearables.")] = True,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to scan.")] = 3.0,
) -> None:
    """Check adapter, D-Bus, broker, store, outbox, clock and permissions; exit status 1 when something is wrong."""
    folder = data or data_folder()
    databases = [("store", store_file(folder))]
    access, adapter, secrets = None, None, []
    findings: list[Finding] = []
    if settings is not None:
        known = files.read(settings)
        here, adapter = settings.resolve().parent, known.adapter
        if known.broker.password_file is not None:
            secrets.append(here / known.broker.password_file)
        try:
            chosen = known.for_collector(here)
        except SettingsError as error:  # the rest can be looked at all the same
            findings.append(Finding("settings", Verdict.BAD, error.what, error.advice))
        else:
            access = chosen.broker
            databases.append(("outbox", chosen.outbox))
    findings += asyncio.run(
        examine(
            time=SystemClock(),
            data=folder,
            databases=databases,
            access=access,
            secrets=secrets,
            bluetooth=bluetooth,
            adapter_name=adapter,
            scan_s=seconds,
        )
    )
    for finding in findings:
        typer.echo(_line(finding))
    bad = sum(finding.verdict is Verdict.BAD for finding in findings)
    typer.echo("Nothing is wrong that could be checked." if not bad else f"{bad} of {len(findings)} need you.")
    if bad:
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    advice = f" {finding.advice}." if finding.advice else ""
    return f"{_MARKS[finding.verdict]}  {finding.part}: {finding.sentence}.{advice}"
