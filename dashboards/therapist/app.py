"""The therapist's view as a web app: read all, agree on goals, nothing else."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dashboards.answers import answer
from dashboards.doorkeeper import Doorkeeper
from dashboards.entrance import Entrance
from dashboards.report.numbers import read_numbers
from dashboards.report.page import report_html
from dashboards.report.pdf import report_pdf
from dashboards.therapist import markup
from dashboards.therapist.desk import Office
from dashboards.therapist.overview import overview
from dashboards.therapist.weeks import EightWeeks, read_weeks
from dashboards.words import Words
from spineclip.contract.config import GOAL_LIMITS
from spineclip.contract.days import day_of
from spineclip.contract.errors import SettingsError, SpineclipError, StoreError

_LOG = logging.getLogger(__name__)

COOKIE: Final = "spineclip_therapist"
FORM_MAX_BYTES: Final = 10_000


def therapist_app(office: Office, *, secure: bool = False) -> ASGIApp:
    """Return the app behind its door; `secure` when browsers reach it over TLS."""
    view = _View(office)
    routes = [
        Route("/", view.all),
        Route("/patient/{handle}", view.one),
        Route("/patient/{handle}/report", view.report),
        Route("/patient/{handle}/report.pdf", view.pdf),
        Route("/patient/{handle}/goals", view.agree, methods=["POST"]),
    ]
    handlers = {404: view.not_there, StoreError: view.away, SettingsError: view.away, 500: view.away}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Entrance(app, view.doorkeeper, COOKIE, Words(office.language), secure=secure)


class _View:
    """The pages."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._words = Words(office.language)
        self.doorkeeper = Doorkeeper(office.key, office.clock)

    async def all(self, _: Request) -> Response:
        office = self._office
        practice, now_ns = office.practice, office.clock.utc_ns()
        rows = await asyncio.to_thread(overview, office.reader, practice.zone, now_ns, practice.reasons)
        return HTMLResponse(markup.overview_html(rows, self._words, self.doorkeeper.handle))

    async def one(self, request: Request) -> Response:
        patient = await self._patient(request)
        return self._nobody() if patient is None else await asyncio.to_thread(self._page, patient)

    async def report(self, request: Request) -> Response:
        patient = await self._patient(request)
        return self._nobody() if patient is None else HTMLResponse(await asyncio.to_thread(self._report, patient))

    async def pdf(self, request: Request) -> Response:
        patient = await self._patient(request)
        if patient is None:
            return self._nobody()
        try:
            content = await asyncio.to_thread(lambda: report_pdf(self._report(patient)))
        except SpineclipError as error:
            _LOG.warning("%s", error)
            return self._page(patient, said=self._words("therapist.no_pdf"), is_error=True)
        return Response(content, media_type="application/pdf")

    async def agree(self, request: Request) -> Response:
        patient = await self._patient(request)
        if patient is None:
            return self._nobody()
        if int(request.headers.get("content-length", FORM_MAX_BYTES + 1)) > FORM_MAX_BYTES:
            return answer(self._words, "answer.too_big", 413)
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self.doorkeeper.is_form_token(patient, form.get("token", "")):
            return answer(self._words, "answer.stale", 403)
        try:
            replaced = await asyncio.to_thread(self._agree, patient, form)
        except (SpineclipError, ValueError) as error:
            why = self._wrong_with(form)
            if not why:
                _LOG.warning("%s", error)  # of the machine, not of the form: in English, for whoever runs it
                why = self._words("therapist.not_possible")
            return self._page(patient, said=self._words("therapist.not_kept", why=why), is_error=True)
        return self._page(patient, said=self._words("therapist.replaced" if replaced else "therapist.kept"))

    async def not_there(self, _request: Request, _error: Exception) -> Response:
        return self._nobody()

    async def away(self, _request: Request, error: Exception) -> Response:
        _LOG.warning("%s", error)
        return answer(self._words, "answer.away", 503)

    def _nobody(self) -> Response:
        return answer(self._words, "answer.not_there", 404)

    async def _patient(self, request: Request) -> str | None:
        handle = str(request.path_params["handle"])
        patients = await asyncio.to_thread(self._office.reader.patients)
        return next((patient for patient in patients if self.doorkeeper.handle(patient) == handle), None)

    def _page(self, patient: str, *, said: str = "", is_error: bool = False) -> Response:
        goals = self._office.practice.goals(patient)
        token = self.doorkeeper.form_token(patient)
        place = f"/patient/{self.doorkeeper.handle(patient)}"
        past = self._past(patient)
        html = markup.patient_html(patient, goals, past, (place, token), self._words, said=said, is_error=is_error)
        return HTMLResponse(html, 422 if is_error else 200)

    def _past(self, patient: str) -> EightWeeks:
        zone = self._office.practice.zone(patient)
        today = day_of(self._office.clock.utc_ns(), zone)
        return read_weeks(self._office.reader, patient, today - timedelta(days=1), zone)

    def _report(self, patient: str) -> str:
        office = self._office
        zone = office.practice.zone(patient)
        today = day_of(office.clock.utc_ns(), zone)
        numbers = read_numbers(office.reader, patient, today - timedelta(days=1), zone)
        return report_html(numbers, Words(office.practice.language(patient)), today)

    def _wrong_with(self, form: dict[str, str]) -> str:
        """Say in the reader's language which number nobody can mean; nothing if it is none of them."""
        for name in markup.GOAL_FIELDS:
            most, value = GOAL_LIMITS[name], _value(form.get(name, "0"))
            if not 0 <= value <= most:
                return self._words("therapist.out_of_range", goal=self._words(f"therapist.goal_{name}"), most=most)
            if name == "days_per_week" and value != int(value):
                return self._words("therapist.whole_days")
        return ""

    def _agree(self, patient: str, form: dict[str, str]) -> bool:
        """Keep the form's goals; tell whether others had been agreed on for the same day already."""
        practice = self._office.practice
        today = day_of(self._office.clock.utc_ns(), practice.zone(patient))
        numbers: dict[str, Any] = {name: _value(form[name]) for name in markup.GOAL_FIELDS if name in form}
        if numbers.get("days_per_week", 0.5) == int(numbers.get("days_per_week", 0.5)):
            numbers["days_per_week"] = int(numbers["days_per_week"])
        before = practice.goals(patient)
        practice.agree(patient, replace(before, since=today.isoformat(), **numbers))
        return before.since == today.isoformat()


def _value(text: str) -> float:
    """Read a number with either decimal sign; what is none, or without end, is NaN, which no limit allows."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
