"""``spineclip diary``: write and read a patient's diary."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dashboards import days
from processing.diary import Entry, read, save
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import zone
from spineclip.contract.days import day_of
from spineclip.contract.ids import check_id
from spineclip.patients import Patients, data_folder, store_file

app = typer.Typer(
    help="The patient's diary: pain, exercises, relaxation, anti-inflammatories, a note.", add_completion=False
)

_Patient = Annotated[str, typer.Argument(help="The patient's id.")]
_Day = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day (default: today).")]


@app.command()
def add(
    patient: _Patient,
    pain: Annotated[int | None, typer.Option(help="Pain, 0 (none) to 10 (worst).")] = None,
    exercises: Annotated[bool | None, typer.Option(help="Were the home exercises done?")] = None,
    relaxation: Annotated[float | None, typer.Option(help="Minutes of breathing or mindfulness.")] = None,
    nsaid: Annotated[bool | None, typer.Option(help="Was an anti-inflammatory (such as ibuprofen) taken?")] = None,
    note: Annotated[
        str | None, typer.Option(help="A note in your own words; '-' reads it from standard input.")
    ] = None,
    day: _Day = None,
    data: options.Data = None,
) -> None:
    """Write today's entry, or change it: what is not given stays as it was."""
    folder = data or data_folder()
    local = zone(Patients(folder).config(check_id(patient, "patient")).time_zone)
    now_ns = SystemClock().utc_ns()
    if note == "-":
        note = sys.stdin.read()
    entry = Entry(
        day.date() if day else day_of(now_ns, local),
        pain=pain,
        exercises=exercises,
        relaxation_min=relaxation,
        nsaid=nsaid,
        note=note,
    )
    store = SqliteStore(store_file(folder))
    try:
        saved = save(store, patient, entry, local, now_ns)
        in_row = days.nsaid_days(store, patient, day_of(now_ns, local), local)
    finally:
        store.close()
    Console().print(_table([saved.entry]))
    if days.asks_for_advice(in_row):
        typer.echo(f"More than {days.NSAID_DAYS} days in a row: please talk to your doctor or pharmacist.")


@app.command("list")
def list_(
    patient: _Patient,
    last: Annotated[int, typer.Option("--days", min=1, max=3660, help="How many days back.")] = 14,
    data: options.Data = None,
) -> None:
    """Show the entries of the last days."""
    folder = data or data_folder()
    local = zone(Patients(folder).config(check_id(patient, "patient")).time_zone)
    today = day_of(SystemClock().utc_ns(), local)
    reader = SqliteReader(store_file(folder))
    try:
        entries = read(reader, patient, today - timedelta(days=last - 1), today, local)
        in_row = days.nsaid_days(reader, patient, today, local)
    finally:
        reader.close()
    if not entries:
        typer.echo(f"No entries in the last {last} days.")
        return
    Console().print(_table([entries[day] for day in sorted(entries)]))
    if days.asks_for_advice(in_row):
        typer.echo(f"Anti-inflammatory taken {in_row} days in a row: talk to your doctor or pharmacist.")


def _table(entries: list[Entry]) -> Table:
    table = Table()
    for name in ("day", "pain", "exercises", "relaxation", "anti-inflammatory", "note"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        table.add_row(
            _say(entry.day),
            _say(entry.pain),
            _say(entry.exercises),
            "" if entry.relaxation_min is None else f"{entry.relaxation_min:g} min",
            _say(entry.nsaid),
            Text(entry.note or ""),  # never read as markup: these are the patient's own words
        )
    return table


def _say(value: date | bool | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
