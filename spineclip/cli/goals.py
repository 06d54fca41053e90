"""``spineclip goals``: what patient and therapist agreed on, from which day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboards import days
from processing import goals as rules
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import GOAL_LIMITS, Goals, PatientConfig, zone
from spineclip.contract.days import day_of
from spineclip.contract.errors import SettingsError
from spineclip.patients import Patients, data_folder, store_file
from spineclip.practice import agreed, present_goals

_NAMES = {
    "walking_min": ("walking", "min a day"),
    "walking_step_min": ("added each good week", "min"),
    "walking_ceiling_min": ("up to", "min a day"),
    "brisk_min": ("of it brisk", "min a day"),
    "longest_sedentary_min": ("longest sitting", "min"),
    "breaks_per_hour": ("breaks per hour of sitting", ""),
    "upright_pct": ("upright while sitting", "%"),
    "days_per_week": ("days a week", ""),
}

_OPTIONS = {
    "walking_min": "--walking",
    "walking_step_min": "--step",
    "walking_ceiling_min": "--ceiling",
    "brisk_min": "--brisk",
    "longest_sedentary_min": "--sitting",
    "breaks_per_hour": "--breaks",
    "upright_pct": "--upright",
    "days_per_week": "--days",
}


def goals(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    walking: Annotated[float | None, typer.Option(help="Minutes of walking a day to start with (0: no goal).")] = None,
    step: Annotated[float | None, typer.Option(help="Minutes added after each week that went well.")] = None,
    ceiling: Annotated[float | None, typer.Option(help="Minutes at which the plan stops growing.")] = None,
    brisk: Annotated[float | None, typer.Option(help="Minutes of it at 100 steps a minute or more.")] = None,
    sitting: Annotated[float | None, typer.Option(help="Longest sitting without a break, minutes.")] = None,
    breaks: Annotated[float | None, typer.Option(help="Breaks per hour of sitting.")] = None,
    upright: Annotated[float | None, typer.Option(help="Share of sitting that is upright, percent.")] = None,
    per_week: Annotated[int | None, typer.Option("--days", help="Days a week to meet the walking goal.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (default: today).")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="The patient's time zone, such as Europe/Berlin.")] = None,
    language: Annotated[str | None, typer.Option(help="The patient's language: en or de.")] = None,
    data: options.Data = None,
) -> None:
    """Show a patient's goals, or agree on new ones: what is not given stays as it was."""
    folder = data or data_folder()
    patients = Patients(folder)
    asked = {
        "walking_min": walking,
        "walking_step_min": step,
        "walking_ceiling_min": ceiling,
        "brisk_min": brisk,
        "longest_sedentary_min": sitting,
        "breaks_per_hour": breaks,
        "upright_pct": upright,
        "days_per_week": per_week,
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    known = patients.config(patient)
    if time_zone is not None or language is not None:
        known = patients.change(patient, lambda config: _place(config, time_zone, language))
    today = day_of(SystemClock().utc_ns(), zone(known.time_zone))
    replaced = False
    if changes:
        _check(changes)
        first = since.date() if since else today
        now = _present(folder, patient, known, first)
        replaced = any(goal.since == first.isoformat() for goal in known.goals)
        known = patients.change(patient, lambda config: _agree(config, now, first, changes))
        _write(folder, patient, known)
    elif since is not None:
        raise SettingsError("--from alone changes nothing", advice="Name a goal too, such as --walking 10")
    _show(folder, patient, known, today)
    if replaced:
        typer.echo(f"This takes the place of what was agreed on for {first} before; other days keep theirs.")


def _check(changes: Mapping[str, float]) -> None:
    """Refuse what nobody can mean, by the name of the option that it was given with."""
    for name, value in changes.items():
        if not 0 <= value <= GOAL_LIMITS[name]:
            option = _OPTIONS[name]
            raise SettingsError(f"{option} cannot be {value:g}", advice=f"Use a number from 0 to {GOAL_LIMITS[name]}")


def _place(config: PatientConfig, time_zone: str | None, language: str | None) -> PatientConfig:
    spoken = config.language if language is None else options.language_of(language)
    return replace(config, time_zone=time_zone or config.time_zone, language=spoken)


def _present(folder: Path, patient: str, config: PatientConfig, first: date) -> Goals:
    if not store_file(folder).is_file():
        return rules.agreement_on(config.goals, first)
    reader = SqliteReader(store_file(folder))
    try:
        return present_goals(config, reader, patient, first)
    finally:
        reader.close()


def _agree(config: PatientConfig, now: Goals, first: date, changes: dict[str, float]) -> PatientConfig:
    return agreed(config, replace(now, since=first.isoformat(), **changes))  # type: ignore[arg-type]


def _write(folder: Path, patient: str, config: PatientConfig) -> None:
    """Write the agreements as metrics too, where metrics are kept here."""
    if store_file(folder).is_file():
        store = SqliteStore(store_file(folder))
        try:
            local = zone(config.time_zone)
            store.commit(patient, [rules.point(goal, patient, local) for goal in config.goals], None)
        finally:
            store.close()


def _show(folder: Path, patient: str, config: PatientConfig, today: date) -> None:
    met: dict[date, bool] = {}
    best = None
    if store_file(folder).is_file():
        reader = SqliteReader(store_file(folder))
        try:
            daily = days.by_date(reader.points("daily", patient, 0, 1 << 62))
        finally:
            reader.close()
        met, best = days.met_days(daily), days.best_week(daily)
    table = Table(title=f"Goals of {patient} ({config.time_zone})")
    table.add_column("from")
    for goal in config.goals:
        table.add_column(goal.since)
    now = rules.goals_on(config.goals, today, {day.isoformat(): was for day, was in met.items()})
    table.add_column(f"today, {today}")
    for name, (words, unit) in _NAMES.items():
        values = [getattr(goal, name) for goal in (*config.goals, now)]
        table.add_row(words, *(_say(name, value, unit) for value in values))
    console = Console()
    console.print(table)
    if met:
        console.print(f"Days met in a row: {days.streak(met, today)}")
    if best is not None:
        console.print(f"Best week: from {best.monday}, days met: {best.days_met}, {best.walking_min:.0f} min walked")


def _say(name: str, value: float, unit: str) -> str:
    if value == 0 and name not in ("walking_step_min", "days_per_week"):
        return "no goal"
    return f"{value:g} {unit}".strip()
