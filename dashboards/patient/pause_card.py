"""The card "my reminders": a pause of an hour, until tomorrow, or none."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from typing import Final

from nicegui import ui

from dashboards.patient.desk import Desk
from dashboards.words import Words
from spineclip.contract.errors import SpineclipError

CHOICES: Final = ("hour", "tomorrow", "on")


class PauseCard:
    """Three buttons, and a sentence that says how it stands."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self._desk = desk
        self._words = words
        self._buttons: dict[str, ui.element] = {}
        self._status = ui.html("", sanitize=False, tag="p").props('role="status"')
        with ui.element("fieldset"):
            with ui.element("legend").classes("spoken"):
                ui.html(words("pause.title"), sanitize=False, tag="span")
            for choice in CHOICES:
                button = ui.element("button").props('type="button"').classes("chip")
                button.on("click", functools.partial(self._choose, choice))
                with button:
                    ui.html(words(f"pause.{choice}"), sanitize=False, tag="span")
                self._buttons[choice] = button

    async def fill(self) -> None:
        """Show how it stands."""
        try:
            self._show(await asyncio.to_thread(self._desk.paused_until))
        except SpineclipError:
            self._status.set_content(self._words("pause.error"))

    async def _choose(self, choice: str) -> None:
        try:
            until = await asyncio.to_thread(self._desk.pause, choice)
        except SpineclipError:
            self._status.set_content(self._words("pause.error"))
            return
        self._show(until)

    def _show(self, until: dt.datetime | None) -> None:
        self._status.set_content(pause_sentence(until, self._desk.today(), self._words))
        self._buttons["on"].set_visibility(until is not None)


def pause_sentence(until: dt.datetime | None, today: dt.date, words: Words) -> str:
    """Say until when reminders are paused (on the patient's clock), or that they are not."""
    if until is None:
        return words("pause.is_on")
    if until.date() > today:
        return words("pause.until_tomorrow")
    return words("pause.until", time=f"{until:%H:%M}")
