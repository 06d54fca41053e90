"""The patient's page: its parts, and a timer that brings each up to date when it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nicegui import ui

from dashboards.patient.calibrate_card import CalibrateCard
from dashboards.patient.diary_card import DiaryCard
from dashboards.patient.model import PageModel, Shown, Source
from dashboards.patient.pause_card import PauseCard
from dashboards.words import Words
from spineclip.contract.errors import StoreError

_STYLE: Final = (Path(__file__).parent / "style.css").read_text("utf-8")
_SOUND: Final = (Path(__file__).parent / "sound.js").read_text("utf-8")
_REFRESH_S: Final = 0.5
_STATES: Final = "walking running cycling active standing sitting lying not_worn unknown missing"


def add_page(source: Source) -> None:
    """Put the page at ``/`` of this process's page server."""
    model = PageModel(source)
    language = source.language

    @ui.page("/", title=Words(language)("page.title"), language="de" if language == "de" else "en-US")
    async def _page() -> None:
        ui.add_head_html(f"<style>{_STYLE}</style><script>{_SOUND}</script>")
        await _Parts(model).fill()


class _Parts:
    """One open page: the elements that change."""

    def __init__(self, model: PageModel) -> None:
        self._model = model
        self._drawn: Shown | None = None
        self._diary: DiaryCard | None = None

    async def fill(self) -> None:
        words = self._model.words
        with ui.element("div").classes("page"):
            with ui.element("header"):
                ui.html(words("page.title"), sanitize=False, tag="h1")
                self._when = ui.html("", sanitize=False, tag="p").classes("when")
            self._nudge = ui.html("", sanitize=False).classes("nudge").props('role="status"')
            with _section("now", words("page.now")) as self._card:
                self._figure = ui.html("", sanitize=False).classes("figure")
                # read out when it changes; the facts below change with every second and angle
                self._headline = ui.html("", sanitize=False).props('aria-live="polite"')
                self._now = ui.html("", sanitize=False)
            with _section("walk", words("page.walking")):
                self._walking = ui.html("", sanitize=False)
            with _section("sit", words("page.sitting")):
                self._sitting = ui.html("", sanitize=False)
            with _section("today", words("page.today")):
                self._today = ui.html("", sanitize=False)
            with _section("fortnight", words("page.fortnight")):
                self._fortnight = ui.html("", sanitize=False)
                ui.html(f'<a href="/report">{words("report.link")}</a>', sanitize=False, tag="p").classes("hint")
            if self._model.source.desk is not None:
                with _section("diary", words("diary.title")):
                    self._diary = DiaryCard(self._model.source.desk, words)
                await self._diary.fill()
            with _section("goals", words("goals.title")):
                self._goals = ui.html("", sanitize=False)
            with _section("pause", words("pause.title")):
                desk = self._model.source.desk
                pause = PauseCard(desk, words) if desk is not None and desk.can_pause() else None
                ui.html(
                    f'<button type="button" class="chip sound" aria-pressed="false">{words("sound.switch")}</button>',
                    sanitize=False,
                )
            if pause is not None:
                await pause.fill()
            with _section("clip-card", words("clip.title")):
                self._clip = ui.html("", sanitize=False)
                if self._model.source.calibrator is not None:
                    calibrate = CalibrateCard(self._model.source.calibrator, words)
                    await calibrate.fill()
            with ui.element("footer"):
                ui.html(words("page.not_a_device"), sanitize=False, tag="p")
        await self._refresh()
        ui.timer(_REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        if self._diary is not None:
            await self._diary.turn()
        try:
            shown = await self._model.shown()
        except StoreError:
            # A store that is busy for a moment: what is on the page stays, the next turn tries again.
            if self._drawn is None:
                self._when.set_content(self._model.words("answer.away"))
            return
        before, self._drawn = self._drawn, shown
        if before == shown:
            return
        self._when.set_content(shown.when)
        self._card.classes(remove=_STATES, add=shown.state)
        self._figure.set_content(shown.figure.svg)
        self._figure.style(shown.figure.css)
        self._headline.set_content(shown.headline)
        self._now.set_content(shown.now)
        self._walking.set_content(shown.walking)
        self._sitting.set_content(shown.sitting)
        self._today.set_content(shown.today)
        self._fortnight.set_content(shown.fortnight)
        self._goals.set_content(shown.goals)
        self._nudge.set_content(shown.nudge)
        self._clip.set_content(shown.clip)


def _section(name: str, title: str) -> ui.element:
    section = ui.element("section").classes(name).props(f'aria-labelledby="title-{name}"')
    with section:
        ui.html(title, sanitize=False, tag="h2").props(f'id="title-{name}"')
    return section
