"""The patient's page on a web server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from nicegui import ui

from dashboards.patient.model import Source
from dashboards.patient.page import add_page
from dashboards.report.numbers import read_numbers
from dashboards.report.page import report_html
from dashboards.serving import LOOPBACK, serve
from dashboards.words import Words
from spineclip.contract.days import day_of


@contextlib.asynccontextmanager
async def serve_page(source: Source, *, port: int | None = None, listen: str = LOOPBACK) -> AsyncIterator[str]:
    """Serve the patient's page for as long as the context lasts; once in a process.

    Parameters
    ----------
    source
        Whom it shows and from where.
    port, listen
        As in `dashboards.serving.serve`.

    Yields
    ------
    str
        The page's address.

    Raises
    ------
    SettingsError
        If the port cannot be had.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/report", response_class=HTMLResponse)
    async def _report() -> str:
        return await asyncio.to_thread(_write_report, source)

    add_page(source)
    ui.run_with(app, title="spineclip", show_welcome_message=False, tailwind=False, dark=None, reconnect_timeout=10.0)
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    async with serve(app, port=port, listen=listen) as address:
        yield address


def _write_report(source: Source) -> str:
    today = day_of(source.clock.utc_ns(), source.zone)
    numbers = read_numbers(source.reader, source.patient, today - dt.timedelta(days=1), source.zone)
    return report_html(numbers, Words(source.language), today)
