"""The card "diary": two taps for the daily minimum, more for who likes to."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from nicegui import ui

from dashboards.patient.desk import Desk, DiaryDay
from dashboards.words import Words
from spineclip.contract.errors import DiaryError, StoreError

PAIN: Final = tuple(range(11))
RELAXATION_MIN: Final = (0, 5, 10, 20)
NOTE_MOST: Final = 20_000
"""Characters that the field takes at all. Far more than are kept: what is too long is refused in words, and stays in
the field, rather than being cut without a word."""


class DiaryCard:
    """Buttons that keep what they say at once, and a note that is kept when asked."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self._desk = desk
        self._words = words
        self._opened_on = desk.today()
        self._seen = DiaryDay(self._opened_on)
        self._buttons: dict[tuple[str, object], ui.element] = {}
        self._build()

    def _build(self) -> None:
        words = self._words
        with self._group("diary.which_day"):
            for back in range(self._desk.editable_days() + 1):
                self._button("day", back, words(f"diary.day_{back}"), functools.partial(self._open, back))
        with self._group("diary.pain"), ui.element("div").classes("scale"):
            for pain in PAIN:
                self._answer("pain", pain, str(pain))
        _line(words("diary.pain_scale"))
        with self._group("diary.exercises"):
            self._yes_or_no("exercises")
        with ui.element("details"):
            with ui.element("summary"):
                ui.html(words("diary.more"), sanitize=False, tag="span")
            with self._group("diary.relaxation"):
                for minutes in RELAXATION_MIN:
                    self._answer("relaxation_min", float(minutes), words("duration.minutes", n=minutes))
            with self._group("diary.nsaid"):
                self._yes_or_no("nsaid")
            self._note = ui.textarea(words("diary.note")).props(f"outlined autogrow maxlength={NOTE_MOST}")
            self._note.classes("note")
            self._button("note", "save", words("diary.keep_note"), self._keep_note)
        self._status = ui.html("", sanitize=False, tag="p").classes("hint").props('role="status"')
        self._advice = ui.html("", sanitize=False, tag="p").classes("advice").props('aria-live="polite"')

    async def fill(self) -> None:
        """Show today as it is kept."""
        await self._open(0)

    async def turn(self) -> None:
        """Open the new day's entry when midnight has passed on a page that stayed open."""
        if self._opened_on != self._desk.today():
            await self._open_today("diary.new_day")

    # ---- what can be tapped

    def _group(self, title: str) -> ui.element:
        text = self._words(title)
        group = ui.element("fieldset")
        with group, ui.element("legend"):
            ui.html(text, sanitize=False, tag="span")
        return group

    def _yes_or_no(self, name: str) -> None:
        self._answer(name, True, self._words("diary.yes"))
        self._answer(name, False, self._words("diary.no"))

    def _answer(self, name: str, value: Any, text: str) -> None:
        self._button(name, value, text, lambda: self._write(replace(self._seen, **{name: value})))

    def _button(self, name: str, value: object, text: str, act: Callable[[], Any]) -> None:
        button = ui.element("button").props('type="button"').classes("chip").on("click", act)
        with button:
            ui.html(text, sanitize=False, tag="span")
        self._buttons[name, value] = button

    # ---- what happens then

    async def _open(self, back: int) -> None:
        self._opened_on = self._desk.today()
        day = self._opened_on - dt.timedelta(days=back)
        try:
            self._seen = await asyncio.to_thread(self._desk.read, day)
        except StoreError:
            self._say("diary.error_store")
            return
        self._say(None)
        self._note.value = self._seen.note or ""
        await self._paint()

    async def _open_today(self, said: str) -> None:
        """Go to today's entry; words that were typed and not kept yet stay in their field."""
        typed = self._note.value or ""
        unkept = typed if typed != (self._seen.note or "") else ""
        await self._open(0)
        if unkept:
            self._note.value = unkept
        self._say(said)

    async def _keep_note(self) -> None:
        await self._write(replace(self._seen, note=self._note.value or None), "diary.kept_note")

    async def _write(self, mine: DiaryDay, thanks: str = "diary.kept") -> None:
        if self._opened_on != self._desk.today():
            # The buttons still say "today" of what has become yesterday: nobody knows which day was meant.
            await self._open_today("diary.new_day_again")
            return
        try:
            kept = await asyncio.to_thread(self._desk.write, mine, self._seen)
        except DiaryError as error:
            cut = error.reason == "note" and len(self._note.value or "") >= NOTE_MOST
            self._say("diary.error_note_cut" if cut else f"diary.error_{error.reason}")
            return
        except StoreError:
            self._say("diary.error_store")
            return
        typed = self._note.value or ""
        untouched = typed in (self._seen.note or "", mine.note or "")
        self._seen = kept.entry
        if untouched:
            self._note.value = kept.entry.note or ""
        self._say("diary.kept_both" if kept.conflicts else thanks)
        await self._paint()

    def _say(self, key: str | None) -> None:
        self._status.set_content("" if key is None else self._words(key))

    async def _paint(self) -> None:
        back = (self._opened_on - self._seen.day).days
        for (name, value), button in self._buttons.items():
            if name == "note":
                continue
            pressed = value == back if name == "day" else self._is(name, value)
            button.props(f'aria-pressed="{"true" if pressed else "false"}"')
        try:
            asks = await asyncio.to_thread(self._desk.asks_for_advice)
        except StoreError:
            return  # what is said already stays
        self._advice.set_content(self._words("diary.advice") if asks else "")

    def _is(self, name: str, value: object) -> bool:
        answer = getattr(self._seen, name)
        return answer is not None and answer == value and isinstance(answer, bool) == isinstance(value, bool)


def _line(text: str) -> None:
    ui.html(text, sanitize=False, tag="p").classes("hint")
