"""The card "my clip", its lower half: sitting still for some seconds, so that the clip knows the wearer."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import Final

from nicegui import ui

from dashboards.patient.desk import Calibrator
from dashboards.patient.figure import Figure
from dashboards.words import Words
from processing.epochs import Posture
from spineclip.contract.errors import SpineclipError

COUNTDOWN_S: Final = 5
MEASURE_S: Final = 5.0

PICTURES: Final[Mapping[Posture, Figure]] = {
    Posture.UPRIGHT: Figure("sitting"),
    Posture.SLOUCHED: Figure("sitting", 30.0, round_back=True),
    Posture.LEANING_FORWARD: Figure("sitting", 25.0),
    Posture.LEANING_LEFT: Figure("sitting", lateral_deg=-20.0),
    Posture.LEANING_RIGHT: Figure("sitting", lateral_deg=20.0),
    Posture.RECLINED: Figure("sitting", -25.0),
}
"""What can be shown to a clip, and how it looks. Sitting tall comes first: all others are measured against it."""


class CalibrateCard:
    """A choice of postures, a picture, a button, a countdown."""

    def __init__(self, calibrator: Calibrator, words: Words) -> None:
        self._calibrator = calibrator
        self._words = words
        self._busy = False
        self._pose = Posture.UPRIGHT
        self._chips: dict[Posture, ui.element] = {}
        with ui.element("details"):
            with ui.element("summary"):
                ui.html(words("calibrate.title"), sanitize=False, tag="span")
            with ui.element("fieldset"):
                with ui.element("legend"):
                    ui.html(words("calibrate.which"), sanitize=False, tag="span")
                for pose in PICTURES:
                    self._chips[pose] = self._button(f"calibrate.name_{pose}", functools.partial(self._choose, pose))
            self._picture = ui.html("", sanitize=False).classes("figure small")
            self._how = ui.html("", sanitize=False, tag="p")
            self._known = ui.html("", sanitize=False, tag="p").classes("hint")
            self._start = self._button("calibrate.start", self._run)
            self._status = ui.html("", sanitize=False, tag="p").classes("countdown").props('role="status"')

    async def fill(self) -> None:
        """Show the first posture, and which ones the clip knows."""
        await self._paint()

    def _button(self, text: str, act: object) -> ui.element:
        button = ui.element("button").props('type="button"').classes("chip").on("click", act)  # type: ignore[arg-type]
        with button:
            ui.html(self._words(text), sanitize=False, tag="span")
        return button

    async def _choose(self, pose: Posture) -> None:
        if self._busy:
            return
        self._pose = pose
        self._status.set_content("")
        await self._paint()

    async def _paint(self) -> None:
        figure = PICTURES[self._pose]
        self._picture.set_content(figure.svg)
        self._picture.style(figure.css)
        self._how.set_content(self._words(f"calibrate.how_{self._pose}"))
        for pose, chip in self._chips.items():
            chip.props(f'aria-pressed="{"true" if pose is self._pose else "false"}"')
        try:
            taught = await asyncio.to_thread(self._calibrator.taught)
        except SpineclipError:
            taught = frozenset()
        self._known.set_content(self._words("calibrate.known" if self._pose in taught else "calibrate.not_known"))

    async def _run(self) -> None:
        if self._busy:
            return
        self._busy = True
        pose = self._pose
        try:
            for left in range(COUNTDOWN_S, 0, -1):
                self._status.set_content(self._words("calibrate.ready", left=left))
                await asyncio.sleep(1.0)
            self._status.set_content(self._words("calibrate.now"))
            self._status.set_content(self._words(f"calibrate.{await self._measured(pose)}"))
            await self._paint()
        finally:
            self._busy = False

    async def _measured(self, pose: Posture) -> str:
        try:
            return await self._calibrator.calibrate(MEASURE_S, pose)
        except SpineclipError:
            return "failed"
