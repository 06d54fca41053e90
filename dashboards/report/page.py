"""The report as one HTML page that needs nothing else: style and charts are inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.days import asks_for_advice
from dashboards.report import charts
from dashboards.report.numbers import Answer, DayRow, Nudged, Numbers, Question, mean_of
from dashboards.words import Words
from processing.metrics import Point
from spineclip.contract.days import day_of

_STYLE: Final = (Path(__file__).parent / "report.css").read_text("utf-8")
_DECIMALS: Final = {"walking": 0, "sitting": 1, "upright": 0, "pain": 1}
_LIMITS: Final = ("limit_worn", "limit_posture", "limit_pain", "limit_small")


def report_html(numbers: Numbers, words: Words, made: date) -> str:
    """Write the report of these numbers, made on a date, in the language of the words."""
    say = _Sayer(words)
    first, last = (words.long_date(numbers.now[i].day) for i in (0, -1))
    body = [
        "<header><table><tr><td>",
        f"<h1>{say('title')}</h1><p class='span'>{say('span', first=first, last=last)}</p></td>",
        f"<td class='who'>{say('patient', patient=numbers.patient)}<br>{say('made', date=words.long_date(made))}</td>",
        "</tr></table></header>",
    ]
    if numbers.is_empty:
        body += [f"<p>{say('nothing')}</p>", _limits(say)]
    else:
        body += _content(numbers, words, say)
    body.append(f"<footer><p>{say('not_a_device')}</p></footer>")
    return (
        f"<!doctype html><html lang='{words.language}'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{say('title')}: {escape(numbers.patient)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>"
    )


class _Sayer:
    """The report's own messages, ready to stand in HTML."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        return escape(self._words(f"report.{key}", **values))


def _content(numbers: Numbers, words: Words, say: _Sayer) -> list[str]:
    walking = charts.walking_chart(numbers, words)
    return [
        "<div class='cards'>",
        *(_card(question, words, say) for question in numbers.questions),
        "</div>",
        _advice(numbers, say),
        _section(say, "walking", _wide(walking, say("walking_heading"))),
        "<div class='pair'><div class='half'>",
        _section(say, "hours", charts.hours_chart(numbers.hours, words)),
        "</div><div class='half'>",
        _section(say, "pain", charts.pain_chart(numbers, words)),
        "</div></div>",
        "<div class='pair'><div class='half'>",
        _section(say, "posture", charts.posture_chart(numbers, words), legend=False),
        "</div><div class='half'>",
        _section(say, "wear", charts.wear_chart(numbers, words), legend=False),
        "</div></div>",
        "<div class='pair'><div class='half'>",
        _facts(numbers, words, say),
        "</div><div class='half'>",
        _goals(numbers, words, say),
        _limits(say),
        "</div></div>",
    ]


def _section(say: _Sayer, name: str, svg: str, *, legend: bool = True) -> str:
    below = f"<p class='legend'>{say(f'{name}_legend')}</p>" if legend else ""
    return f"<section><h2>{say(f'{name}_heading')}</h2>{svg}{below}</section>"


def _wide(svg: str, name: str) -> str:
    """Let a chart of four weeks keep its size on a phone, and be moved sideways there."""
    return f"<div class='wide' role='group' tabindex='0' aria-label='{name}'>{svg}</div>"


def _card(question: Question, words: Words, say: _Sayer) -> str:
    name = question.name

    def value(number: float) -> str:
        return say(f"{name}_value", value=words.number(number, _DECIMALS[name]))

    now = say("not_known") if question.now is None else value(question.now)
    was = say("was_not_known") if question.before is None else say("was", value=value(question.before))
    kind = "better" if question.answer is Answer.BETTER else "other"
    return (
        f"<div class='card {kind}'><p class='asks'>{say(f'{name}_question')}</p>"
        f"<p class='says'>{say(f'{name}_{question.answer}')}</p><p class='value'>{now}</p>"
        f"<p class='unit'>{say(f'{name}_unit')}</p><p class='was'>{was}</p>"
        f"<p class='rests'>{say('rests_on', now=question.days_now, before=question.days_before)}</p></div>"
    )


def _advice(numbers: Numbers, say: _Sayer) -> str:
    if not asks_for_advice(numbers.nsaid_in_row):
        return ""
    return f"<p class='advice'>{say('nsaid_advice', n=numbers.nsaid_in_row)}</p>"


def _facts(numbers: Numbers, words: Words, say: _Sayer) -> str:
    then, now = (
        _column(days, nudged, words, say)
        for days, nudged in ((numbers.before, numbers.nudges_before), (numbers.now, numbers.nudges_now))
    )
    rows = "".join(
        f"<tr><th scope='row'>{say(f'fact_{name}')}</th><td class='before'>{then[name]}</td><td>{now[name]}</td></tr>"
        for name in now
    )
    head = (
        f"<thead><tr><td></td><td class='before'>{say('column_before')}</td><td>{say('column_now')}</td></tr></thead>"
    )
    return f"<section><h2>{say('facts_heading')}</h2><table class='facts'>{head}<tbody>{rows}</tbody></table></section>"


def _column(days: Sequence[DayRow], nudged: Nudged, words: Words, say: _Sayer) -> dict[str, str]:
    def mean(name: str, number: float | None, decimals: int = 0) -> str:
        return say("not_known") if number is None else say(name, value=words.number(number, decimals))

    judged = [day.met_walking for day in days if day.met_walking is not None]
    measured = [day.coverage for day in days if day.coverage is not None]
    worn = [day.worn_min for day in days if day.worn_min is not None]
    return {
        "met": say("fact_met_value", met=sum(judged), judged=len(judged)),
        "longest": mean("fact_longest_value", mean_of(days, "longest_sedentary_min")),
        "exercises": say("fact_exercises_value", n=sum(day.exercises is True for day in days)),
        "relaxation": mean("fact_relaxation_value", sum(day.relaxation_min or 0.0 for day in days)),
        "nsaid": say("fact_nsaid_value", n=sum(day.nsaid is True for day in days)),
        "nudges": say("fact_nudges_value", n=nudged.count),
        "heeded": mean("fact_heeded_value", None if nudged.median_s is None else max(1.0, nudged.median_s / 60)),
        "worn": mean("fact_worn_value", sum(worn) / len(worn) / 60 if worn else None, 1),
        "measured": mean("fact_measured_value", 100.0 * sum(measured) / len(measured) if measured else None),
    }


def _goals(numbers: Numbers, words: Words, say: _Sayer) -> str:
    lines = "".join(f"<li>{_goal(point, numbers.zone, words, say)}</li>" for point in numbers.goals)
    content = f"<ul>{lines}</ul>" if lines else f"<p>{say('goal_none')}</p>"
    return f"<section><h2>{say('goals_heading')}</h2>{content}</section>"


def _goal(point: Point, zone: ZoneInfo, words: Words, say: _Sayer) -> str:
    def get(name: str) -> float:
        value = point.fields.get(name, 0)
        return float(value) if isinstance(value, int | float) else 0.0

    def whole(name: str) -> str:
        return words.number(get(name)) if get(name) == int(get(name)) else words.number(get(name), 1)

    said = say(
        "goal_line",
        date=words.long_date(day_of(point.time_ns, zone)),
        walking=whole("walking_min"),
        days=whole("days_per_week"),
    )
    if get("walking_step_min"):
        said += say("goal_grows", step=whole("walking_step_min"), ceiling=whole("walking_ceiling_min"))
    if get("longest_sedentary_min"):
        said += say("goal_sitting", minutes=whole("longest_sedentary_min"))
    if get("upright_pct"):
        said += say("goal_upright", share=whole("upright_pct"))
    return said + "."


def _limits(say: _Sayer) -> str:
    lines = "".join(f"<li>{say(name)}</li>" for name in _LIMITS)
    return f"<section><h2>{say('limits_heading')}</h2><ul>{lines}</ul></section>"
