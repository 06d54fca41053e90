"""The views as HTML: plain elements with classes, readable without colour, by keyboard and by screen readers."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from html import escape
from typing import Final

from dashboards.patient.clip import ClipView
from dashboards.patient.fortnight import DayBar, FortnightView, Verdict
from dashboards.patient.now import NowView, SittingView, WalkingView
from dashboards.patient.today import MISSING, TodayView
from dashboards.words import Words
from processing.epochs import State
from spineclip.contract.days import local_time

_QUIET: Final = (str(State.NOT_WORN), MISSING)
_TICK_NS: Final = 3600 * 10**9
_UNKNOWN_AMOUNT: Final = "&ndash;"


def headline_html(view: NowView) -> str:
    """Write in a few words what the body does now."""
    return f'<p class="headline">{escape(view.headline)}</p>'


def now_html(view: NowView) -> str:
    """Write what there is to say beside the headline: facts that change by the second, and a hint."""
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in view.facts)
    hint = f'<p class="hint">{escape(view.hint)}</p>' if view.hint else ""
    return f'<ul class="facts">{facts}</ul>{hint}'


def walking_html(view: WalkingView, words: Words) -> str:
    """Write minutes walked today against the goal."""
    minutes = _UNKNOWN_AMOUNT if view.minutes is None else str(view.minutes)
    goal = "" if view.goal is None else escape(words("walking.goal", goal=view.goal))
    bar = "" if view.goal is None else _bar("walking", view.share)
    return _amount(minutes, goal or escape(words("walking.unit"))) + bar + _sentence(view.sentence)


def sitting_html(view: SittingView, words: Words) -> str:
    """Write how long the present sitting has lasted."""
    minutes = _UNKNOWN_AMOUNT if view.minutes is None else str(view.minutes)
    unit = escape(words("sitting.unit")) if view.minutes is not None else ""
    return _amount(minutes, unit) + _bar("sitting", view.share) + _sentence(view.sentence)


def today_html(view: TodayView, zone: zoneinfo.ZoneInfo, words: Words) -> str:
    """Write the day as a strip, its hours below and the totals as a legend."""
    if not view.stretches:
        return _sentence(words("today.none"))
    span_ns = view.end_ns - view.start_ns
    shown = [stretch for stretch in view.stretches if stretch.end_ns > view.start_ns and stretch.start_ns < view.end_ns]
    pieces = "".join(
        f'<i class="{escape(stretch.state)}" style="left:{100 * (stretch.start_ns - view.start_ns) / span_ns:.3f}%;'
        f'width:{100 * (stretch.end_ns - stretch.start_ns) / span_ns:.3f}%"></i>'
        for stretch in shown
        if stretch.state != MISSING
    )
    hours = "".join(
        f'<span style="left:{100 * (t - view.start_ns) / span_ns:.2f}%">{local_time(t, zone).hour}</span>'
        for t in range(view.start_ns, view.end_ns + 1, _TICK_NS)
        if local_time(t, zone).hour % 3 == 0
    )
    legend = "".join(
        f'<li><i class="{escape(state)}"></i>'
        f"{escape(words('today.summary', state=words(f'state.{state}'), duration=words.duration(seconds)))}</li>"
        for state, seconds in sorted(view.totals_s.items(), key=lambda item: (item[0] in _QUIET, -item[1]))
        if seconds >= 30
    )
    return (
        f'<div class="strip" role="img" aria-label="{escape(words("today.label"))}">{pieces}</div>'
        f'<div class="hours" aria-hidden="true">{hours}</div><ul class="legend">{legend}</ul>'
    )


def fortnight_html(view: FortnightView, words: Words) -> str:
    """Write fourteen bars with each day's goal, and the same as a table for those who do not see bars."""
    if all(day.verdict is Verdict.NONE for day in view.days):
        return _sentence(words("fortnight.none"))
    columns = "".join(_column(day, view.ceiling_min, words) for day in view.days)
    has_goal = any(day.goal_min for day in view.days)
    legend = "".join(
        f'<li><i class="day-{verdict}"></i>{escape(words(f"fortnight.legend_{verdict}"))}</li>'
        for verdict in ((Verdict.MET, Verdict.SOME, Verdict.THIN) if has_goal else (Verdict.SOME, Verdict.THIN))
    )
    if has_goal:
        legend += f'<li><i class="goal-key"></i>{escape(words("fortnight.goal_line"))}</li>'
    rows = "".join(f"<li>{escape(_spoken(day, words))}</li>" for day in view.days if day.verdict is not Verdict.NONE)
    summary = _sentence(words("fortnight.summary", met=view.met, judged=view.judged)) if view.judged else ""
    return (
        f'<div class="bars" aria-hidden="true">{columns}</div>'
        f'<ul class="spoken" aria-label="{escape(words("fortnight.label"))}">{rows}</ul>'
        f'<ul class="legend">{legend}</ul>{summary}'
    )


def clip_html(view: ClipView) -> str:
    """Write how the clip does."""
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in view.facts)
    sentences = "".join(_sentence(text) for text in (view.sentence, view.how_to_wear) if text)
    return (f"<dl>{facts}</dl>" if facts else "") + sentences


def _column(day: DayBar, ceiling_min: float, words: Words) -> str:
    height = 0.0 if day.walking_min is None else 100 * day.walking_min / ceiling_min
    amount = "" if day.walking_min is None else f"{math.floor(day.walking_min)}"
    goal = "" if not day.goal_min else f'<b style="bottom:{100 * day.goal_min / ceiling_min:.1f}%"></b>'
    return (
        f'<div class="day"><div class="well"><i class="day-{day.verdict}" style="height:{height:.1f}%"></i>{goal}</div>'
        f"<em>{amount}</em><span>{escape(_weekday(day.date, words))}</span><small>{day.date.day}</small></div>"
    )


def _weekday(date: dt.date, words: Words) -> str:
    return words(f"weekday.{date.weekday()}")


def _spoken(day: DayBar, words: Words) -> str:
    date = f"{_weekday(day.date, words)} {day.date.isoformat()}"
    if day.verdict is Verdict.THIN or day.walking_min is None:
        return words("fortnight.row_thin", date=date)
    if day.goal_min is None:
        return words("fortnight.row_no_goal", date=date, minutes=math.floor(day.walking_min))
    return words("fortnight.row", date=date, minutes=math.floor(day.walking_min), goal=f"{day.goal_min:.0f}")


def _amount(number: str, unit: str) -> str:
    return f'<p class="amount"><strong>{number}</strong> <span>{unit}</span></p>'


def _bar(kind: str, share: float) -> str:
    full = " full" if share >= 1.0 else ""
    return f'<div class="bar {kind}{full}" aria-hidden="true"><i style="width:{100 * share:.1f}%"></i></div>'


def _sentence(text: str) -> str:
    return f'<p class="hint">{escape(text)}</p>'
