"""The patient's page on a web server."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI
from nicegui import ui

from dashboards.patient.model import Source
from dashboards.patient.page import add_page
from dashboards.serving import LOOPBACK, serve


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
    add_page(source)
    ui.run_with(app, title="spineclip", show_welcome_message=False, tailwind=False, dark=None, reconnect_timeout=10.0)
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    async with serve(app, port=port, listen=listen) as address:
        yield address
