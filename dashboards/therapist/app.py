"""The therapist's view as a web app: read all, agree on goals, nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.report.numbers import read_numbers
from dashboards.report.page import report_html
from dashboards.report.pdf import report_pdf
from dashboards.therapist import markup
from dashboards.therapist.desk import Office
from dashboards.therapist.keys import COOKIE, Doorkeeper
from dashboards.therapist.overview import overview
from dashboards.words import Words
from spineclip.contract.days import day_of
from spineclip.contract.errors import SpineclipError
from spineclip.contract.ids import is_id

FORM_MAX_BYTES: Final = 10_000
_NOBODY: Final = HTMLResponse("", 404)


def therapist_app(office: Office) -> ASGIApp:
    """Return the app; every request has to bring the key, as ``?key=`` once and as a cookie from then on."""
    view = _View(office)
    routes = [
        Route("/", view.all),
        Route("/patient/{patient}", view.one),
        Route("/patient/{patient}/report", view.report),
        Route("/patient/{patient}/report.pdf", view.pdf),
        Route("/patient/{patient}/goals", view.agree, methods=["POST"]),
    ]
    return _Locked(Starlette(routes=routes), view.doorkeeper, Words(office.language))


class _Locked:
    """Asks for the key before anything is answered."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, words: Words) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._words = words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> ASGIApp:
        offered = request.query_params.get("key")
        if request.url.path == "/favicon.ico":
            return Response(status_code=204)  # browsers ask for it by themselves, without our cookie at first
        if self._doorkeeper.is_shut():
            return self._refusal("shut", 429)
        if self._doorkeeper.lets_in(offered):
            # The key leaves the address line at once, so that it is in no history and no picture of the screen.
            entry = RedirectResponse(request.url.path, 303)
            entry.set_cookie(COOKIE, offered or "", httponly=True, samesite="strict", path="/")
            return entry
        if self._doorkeeper.lets_in(request.cookies.get(COOKIE)):
            return self._app
        return self._refusal("key_needed", 401)

    def _refusal(self, name: str, status: int) -> Response:
        return HTMLResponse(markup.page_html(self._words, f"<p>{self._words(f'therapist.{name}')}</p>"), status)


class _View:
    """The pages."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._words = Words(office.language)
        self.doorkeeper = Doorkeeper(office.key, office.clock)

    async def all(self, _: Request) -> Response:
        office = self._office
        rows = await asyncio.to_thread(overview, office.reader, office.practice.zone, office.clock.utc_ns())
        return HTMLResponse(markup.overview_html(rows, self._words))

    async def one(self, request: Request) -> Response:
        patient = await self._patient(request)
        return _NOBODY if patient is None else self._page(patient)

    async def report(self, request: Request) -> Response:
        patient = await self._patient(request)
        return _NOBODY if patient is None else HTMLResponse(await asyncio.to_thread(self._report, patient))

    async def pdf(self, request: Request) -> Response:
        patient = await self._patient(request)
        if patient is None:
            return _NOBODY
        try:
            content = await asyncio.to_thread(lambda: report_pdf(self._report(patient)))
        except SpineclipError as error:
            return self._page(patient, said=str(error), is_error=True)
        return Response(content, media_type="application/pdf")

    async def agree(self, request: Request) -> Response:
        patient = await self._patient(request)
        if patient is None:
            return _NOBODY
        if int(request.headers.get("content-length", FORM_MAX_BYTES + 1)) > FORM_MAX_BYTES:
            return HTMLResponse("", 413)
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self.doorkeeper.is_form_token(patient, form.get("token", "")):
            return HTMLResponse("", 403)
        try:
            await asyncio.to_thread(self._agree, patient, form)
        except (SpineclipError, ValueError) as error:
            why = str(error) if isinstance(error, SpineclipError) else ""
            return self._page(patient, said=self._words("therapist.not_kept", why=why), is_error=True)
        return self._page(patient, said=self._words("therapist.kept"))

    async def _patient(self, request: Request) -> str | None:
        patient = str(request.path_params["patient"])
        known = is_id(patient) and patient in await asyncio.to_thread(self._office.reader.patients)
        return patient if known else None

    def _page(self, patient: str, *, said: str = "", is_error: bool = False) -> Response:
        goals = self._office.practice.goals(patient)
        token = self.doorkeeper.form_token(patient)
        html = markup.patient_html(patient, goals, token, self._words, said=said, is_error=is_error)
        return HTMLResponse(html, 422 if is_error else 200)

    def _report(self, patient: str) -> str:
        office = self._office
        zone = office.practice.zone(patient)
        today = day_of(office.clock.utc_ns(), zone)
        numbers = read_numbers(office.reader, patient, today - timedelta(days=1), zone)
        return report_html(numbers, Words(office.practice.language(patient)), today)

    def _agree(self, patient: str, form: dict[str, str]) -> None:
        practice = self._office.practice
        today = day_of(self._office.clock.utc_ns(), practice.zone(patient))
        numbers: dict[str, Any] = {
            name: float(form[name].replace(",", ".")) for name in markup.GOAL_FIELDS if name in form
        }
        if numbers.get("days_per_week", 0.5) == int(numbers.get("days_per_week", 0.5)):
            numbers["days_per_week"] = int(numbers["days_per_week"])
        goals = replace(practice.goals(patient), since=today.isoformat(), **numbers)
        practice.agree(patient, goals)
