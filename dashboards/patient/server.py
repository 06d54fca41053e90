"""The patient's page on a web server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from dashboards.answers import answer
from dashboards.doorkeeper import Doorkeeper
from dashboards.entrance import Entrance
from dashboards.patient.model import Source
from dashboards.patient.page import add_page
from dashboards.report.numbers import read_numbers
from dashboards.report.page import report_html
from dashboards.serving import LOOPBACK, Public, serve
from dashboards.words import Words
from spineclip.contract.days import day_of
from spineclip.contract.errors import StoreError

_LOG = logging.getLogger(__name__)

COOKIE: Final = "spineclip_page"


@dataclass(frozen=True, slots=True)
class Published:
    """A page that others see: where, and what returns the present key (None: nobody may look)."""

    public: Public
    key: Callable[[], str | None]


@contextlib.asynccontextmanager
async def serve_page(
    source: Source, *, port: int | None = None, listen: str = LOOPBACK, published: Published | None = None
) -> AsyncIterator[str]:
    """Serve the patient's page for as long as the context lasts; once in a process.

    Parameters
    ----------
    source
        Whom it shows and from where.
    port, listen
        As in `dashboards.serving.serve`.
    published
        Where others see the page, and the key that they need; without it only this machine sees it, without a key.

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

    words = Words(source.language)

    async def not_there(_request: Request, _error: Exception) -> Response:
        return answer(words, "answer.not_there", 404)

    async def away(_request: Request, error: Exception) -> Response:
        _LOG.warning("%s", error)
        return answer(words, "answer.away", 503)

    for door_to in (app, nicegui_app):  # NiceGUI would answer in English, and name the error's class
        door_to.add_exception_handler(404, not_there)
        door_to.add_exception_handler(500, away)
        door_to.add_exception_handler(StoreError, away)
    add_page(source)
    ui.run_with(app, title="spineclip", show_welcome_message=False, tailwind=False, dark=None, reconnect_timeout=10.0)
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    door: ASGIApp = app
    public = None if published is None else published.public
    if published is not None:
        doorkeeper = Doorkeeper(published.key, source.clock)
        door = Entrance(app, doorkeeper, COOKIE, words, secure=published.public.tls)
    async with serve(door, port=port, listen=listen, public=public, language=source.language) as address:
        yield address


def _write_report(source: Source) -> str:
    today = day_of(source.clock.utc_ns(), source.zone)
    numbers = read_numbers(source.reader, source.patient, today - dt.timedelta(days=1), source.zone)
    return report_html(numbers, Words(source.language), today)
