"""The therapist's view as plain HTML: it needs no script, and prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Final

from dashboards.report.numbers import ENOUGH_DAYS, Answer
from dashboards.therapist import charts
from dashboards.therapist.overview import Row
from dashboards.therapist.weeks import EightWeeks
from dashboards.words import Words
from spineclip.contract.config import GOAL_LIMITS, Goals

_STYLE: Final = (Path(__file__).parent / "therapist.css").read_text("utf-8")
_QUESTIONS: Final = ("walking", "sitting", "upright", "pain")
_DECIMALS: Final = {"walking": 0, "sitting": 1, "upright": 0, "pain": 1}
_CHARTS: Final = {
    "walking": charts.walking_chart,
    "sitting": charts.sitting_chart,
    "pain": charts.pain_chart,
}
GOAL_FIELDS: Final = tuple(GOAL_LIMITS)
"""What can be agreed on, in the order of the form."""


def overview_html(rows: Sequence[Row], words: Words, handle: Callable[[str], str]) -> str:
    """Write the table of all patients; `handle` gives what stands for a patient in addresses."""
    head = "".join(
        f"<th scope='col'>{_say(words, name)}</th>" for name in ("patient", "ask", *_QUESTIONS, "met", "seen")
    )
    body = "".join(_row(row, words, handle(row.patient)) for row in rows)
    table = (
        f"<div class='wide'><table><caption><span>{_say(words, 'caption')}</span></caption>"
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
        if rows
        else f"<p>{_say(words, 'nobody')}</p>"
    )
    return page_html(words, f"<h1>{_say(words, 'title')}</h1>{table}<p class='soft'>{_say(words, 'sorting')}</p>")


def patient_html(
    patient: str,
    goals: Goals,
    past: EightWeeks,
    form: tuple[str, str],
    words: Words,
    *,
    said: str = "",
    is_error: bool = False,
) -> str:
    """Write one patient's page: eight weeks, the report, and the agreement as a form, by its address and its token."""
    place, token = form
    fields = "".join(
        f"<label>{_say(words, f'goal_{name}')}<input name='{name}' inputmode='decimal' required "
        f"value='{getattr(goals, name):g}'></label>"
        for name in GOAL_FIELDS
    )
    kind = "error" if is_error else "kept"
    answer = f"<p class='{kind}' role='status'>{escape(said)}</p>" if said else ""
    return page_html(
        words,
        f"<p><a href='/'>{_say(words, 'back')}</a></p><h1>{escape(patient)}</h1>{answer}"
        f"<p class='links'><a href='{escape(place)}/report'>{_say(words, 'report')}</a> "
        f"<a href='{escape(place)}/report.pdf'>{_say(words, 'pdf')}</a></p>"
        f"{_weeks(past, words)}"
        f"<form method='post' action='{escape(place)}/goals'><h2>{_say(words, 'agree')}</h2>"
        f"<input type='hidden' name='token' value='{escape(token)}'>{fields}"
        f"<p class='soft'>{_say(words, 'zero')}</p><button>{_say(words, 'save')}</button></form>",
    )


def _weeks(past: EightWeeks, words: Words) -> str:
    """Write the three questions of eight weeks, each with its chart."""
    heading = f"<section><h2>{_say(words, 'weeks')}</h2>"
    if past.is_empty:
        return f"{heading}<p>{_say(words, 'weeks_none')}</p></section>"
    first, last = past.weeks[0].first, past.weeks[-1].first + timedelta(days=6)
    span = _say(words, "weeks_span", first=words.long_date(first), last=words.long_date(last))
    hollow = _say(words, "hollow", n=ENOUGH_DAYS)
    figures = "".join(_figure(past, name, words) for name in _CHARTS)
    return f"{heading}<p class='soft'>{span} {hollow}</p><div class='figures'>{figures}</div></section>"


def _figure(past: EightWeeks, name: str, words: Words) -> str:
    question = next(question for question in past.questions if question.name == name)
    answer = f"<strong>{_say(words, f'answer_{question.answer}')}</strong>"
    if question.answer is not Answer.UNKNOWN and question.now is not None and question.before is not None:
        then, now = (words.number(value, _DECIMALS[name]) for value in (question.before, question.now))
        answer += f": {_say(words, 'first_last', then=then, now=now)}"
    return (
        f"<figure><figcaption><h3>{_say(words, f'{name}_asks')}</h3><p class='{question.answer}'>{answer}</p>"
        f"<p class='soft'>{_say(words, f'{name}_unit')}</p></figcaption>{_CHARTS[name](past.weeks, words)}</figure>"
    )


def page_html(words: Words, content: str) -> str:
    """Put a page around content."""
    return (
        f"<!doctype html><html lang='{words.language}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{_say(words, 'title')}</title><style>{_STYLE}</style></head>"
        f"<body><main>{content}</main><footer>{escape(words('report.not_a_device'))}</footer></body></html>"
    )


def _row(row: Row, words: Words, handle: str) -> str:
    seen = _say(words, "never") if row.last_seen is None else escape(words.short_date(row.last_seen))
    told = "; ".join(words(f"therapist.why_{name}", **numbers) for name, numbers in row.reasons)
    ask = escape(told or row.why)
    if ask and row.asked_on is not None:
        ask = f"{escape(words.short_date(row.asked_on))}: {ask}"
    if row.asks_for_advice:
        ask = f"<strong>{_say(words, 'nsaid', n=row.nsaid_in_row)}</strong>{'<br>' if ask else ''}{ask}"
    cells = "".join(_answer(row, name, words) for name in _QUESTIONS)
    met = _say(words, "met_of", met=row.met, judged=row.judged)
    link = f"<a href='/patient/{escape(handle)}'>{escape(row.patient)}</a>"
    return f"<tr><th scope='row'>{link}</th><td>{ask}</td>{cells}<td>{met}</td><td>{seen}</td></tr>"


def _answer(row: Row, name: str, words: Words) -> str:
    question = next((question for question in row.questions if question.name == name), None)
    if question is None:
        return f"<td class='unknown'>{_say(words, 'answer_unknown')}</td>"
    answer = _say(words, f"answer_{question.answer}")
    if question.answer is Answer.UNKNOWN or question.now is None or question.before is None:
        return f"<td class='unknown'>{answer}</td>"
    then, now = (words.number(value, _DECIMALS[name]) for value in (question.before, question.now))
    return f"<td class='{question.answer}'>{answer}<br><span>{_say(words, 'then_now', then=then, now=now)}</span></td>"


def _say(words: Words, name: str, **values: object) -> str:
    return escape(words(f"therapist.{name}", **values))
