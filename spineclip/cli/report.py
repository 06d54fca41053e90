"""``spineclip report``: one page on a fortnight, for patient and therapist."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from dashboards.report.numbers import read_numbers
from dashboards.report.page import report_html
from dashboards.report.pdf import report_pdf
from dashboards.words import Words
from processing.stores.sqlite import SqliteReader
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import zone
from spineclip.contract.days import day_of
from spineclip.contract.errors import SettingsError
from spineclip.patients import Patients, data_folder, store_file
from spineclip.private_file import write_private

_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
"""No clip has measured before; what stores keep of time (nanoseconds in 64 bits) ends in 2262."""


def report(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the fortnight (default: yesterday).")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="The metric store's file (default: in the data folder).")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the two files.")] = Path(),
    language: Annotated[str | None, typer.Option(help="en or de (default: the patient's).")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Time zone (default: the patient's).")] = None,
    data: options.Data = None,
) -> None:
    """Write the fortnight report as HTML and PDF. It is sent nowhere."""
    folder = data or data_folder()
    config = Patients(folder).config(patient)
    local = zone(time_zone or config.time_zone)
    spoken = config.language if language is None else options.language_of(language)
    today = day_of(SystemClock().utc_ns(), local)
    last = until.date() if until else today - timedelta(days=1)
    if not _FIRST <= last <= _LAST:
        raise SettingsError(f"no fortnight of measurements ends on {last}", advice="Name another day with --until")
    reader = SqliteReader(store or store_file(folder))
    try:
        if patient not in reader.patients():
            known = ", ".join(reader.patients()) or "none"
            raise SettingsError(f"nothing is stored of {patient}", advice=f"Patients in this store: {known}")
        numbers = read_numbers(reader, patient, last, local)
    finally:
        reader.close()
    html = report_html(numbers, Words(spoken), today)
    try:
        out.mkdir(parents=True, exist_ok=True)
        page = out / f"{patient}-{last}.html"
        write_private(page, html.encode())
        print_out = page.with_suffix(".pdf")
        write_private(print_out, report_pdf(html))
    except OSError as error:
        raise SettingsError(f"{out} cannot be written ({error.strerror})", advice="Name another with --out") from error
    typer.echo(f"{page}\n{print_out}")
