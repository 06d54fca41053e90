"""The card "my clip", its lower half: how to wear it, and sitting tall for some seconds so that it knows the wearer."""

from __future__ import annotations

import asyncio
from typing import Final

from nicegui import ui

from dashboards.patient.desk import Calibrator
from dashboards.patient.figure import Figure
from dashboards.patient.words import Words
from spineclip.contract.errors import SpineclipError

COUNTDOWN_S: Final = 5
MEASURE_S: Final = 5.0


class CalibrateCard:
    """A picture, a button, a countdown."""

    def __init__(self, calibrator: Calibrator, words: Words) -> None:
        self._calibrator = calibrator
        self._words = words
        self._busy = False
        with ui.element("details"):
            with ui.element("summary"):
                ui.html(words("calibrate.title"), sanitize=False, tag="span")
            ui.html(Figure("sitting").svg, sanitize=False).classes("figure small")
            ui.html(words("calibrate.how"), sanitize=False, tag="p")
            with ui.element("button").props('type="button"').classes("chip").on("click", self._run):
                ui.html(words("calibrate.start"), sanitize=False, tag="span")
            self._status = ui.html("", sanitize=False, tag="p").classes("countdown").props('role="status"')

    async def _run(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            for left in range(COUNTDOWN_S, 0, -1):
                self._status.set_content(self._words("calibrate.ready", left=left))
                await asyncio.sleep(1.0)
            self._status.set_content(self._words("calibrate.now"))
            self._status.set_content(self._words(f"calibrate.{await self._measured()}"))
        finally:
            self._busy = False

    async def _measured(self) -> str:
        try:
            return await self._calibrator.calibrate(MEASURE_S)
        except SpineclipError:
            return "failed"
