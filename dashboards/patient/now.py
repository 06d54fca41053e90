"""What the page says of the body now: pure functions of the newest live message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from dashboards.patient.feed import STALE_S, Received
from dashboards.patient.figure import Figure
from dashboards.words import Words
from processing.epochs import SEDENTARY, Posture, State

_TRUNK_STATES: Final = frozenset({State.SITTING, State.STANDING})
_CONTRADICTS_DEG: Final = 15.0
"""So far from straight nobody reads of sitting or standing tall: the name is that of a stretch and the angle of a
moment, so that in the seconds of a change the two do not belong together. Then the angle is left out."""
_STRAIGHT_DEG: Final = 5.0
"""Below this the words say "straight": a clip on clothes turns by a few degrees on its own."""


@dataclass(frozen=True, slots=True)
class NowView:
    """The card "now".

    Attributes
    ----------
    headline, hint
        What the body does, and a sentence beside it (may be empty).
    facts
        Short true things: for how long, at which angle, how many steps a minute.
    figure
        The body to draw.
    state
        The state's name, for its colour; ``missing`` without a signal.
    """

    headline: str
    hint: str
    facts: tuple[str, ...]
    figure: Figure
    state: str


@dataclass(frozen=True, slots=True)
class WalkingView:
    """The card "walking today": minutes, goal (None without one), share of it (0 to 1) and a kind sentence."""

    minutes: int | None
    goal: int | None
    share: float
    sentence: str


@dataclass(frozen=True, slots=True)
class SittingView:
    """The card "sitting so far": minutes (None when not known), share of the agreed limit (0 to 1), a sentence."""

    minutes: int | None
    share: float
    sentence: str


def now_view(received: Received | None, words: Words) -> NowView:
    """Say what the body does now; what is not known is said to be not known.

    Parameters
    ----------
    received
        The newest live message, or None when none has come.
    words
        The language.
    """
    ghost = Figure("unknown", sure=False)
    if received is None:
        return NowView(words("now.waiting"), words("now.waiting_hint"), (), ghost, "missing")
    if received.age_s > STALE_S:
        since = words("now.since", duration=words.duration(received.age_s))
        return NowView(words("now.no_signal"), words("now.no_signal_hint"), (since,), ghost, "missing")
    live = received.live
    state = _state(live.state)
    posture = _posture(live.posture) if state in _TRUNK_STATES else Posture.UNKNOWN
    if state is State.UNKNOWN:
        hint = words("now.unsure_hint" if live.oriented else "now.unknown_hint")
        return NowView(words("state.unknown"), hint, (), ghost, str(state))
    facts = [_since((live.time_ns - live.state_since_ns) / 1e9, words)]
    flexion_deg = lateral_deg = None
    if state is State.NOT_WORN:
        return NowView(words("state.not_worn"), words("now.not_worn_hint"), (facts[0],), Figure("not_worn"), str(state))
    if state in _TRUNK_STATES and live.oriented:
        if posture is not Posture.UPRIGHT or abs(live.flexion_deg or 0.0) <= _CONTRADICTS_DEG:
            flexion_deg, lateral_deg = live.flexion_deg, live.lateral_deg
        sideways = posture in (Posture.LEANING_LEFT, Posture.LEANING_RIGHT)
        if flexion_deg is not None and not (sideways and abs(flexion_deg) < _STRAIGHT_DEG):
            facts.append(_tilt(flexion_deg, words))
    if state in (State.WALKING, State.RUNNING) and live.cadence_spm is not None:
        facts.append(words("now.cadence", steps=round(live.cadence_spm)))
    headline = words(f"now.{state}_{posture}") if state in _TRUNK_STATES else words(f"state.{state}")
    figure = Figure(
        pose=str(state),
        flexion_deg=flexion_deg,
        lateral_deg=lateral_deg,
        round_back=posture is Posture.SLOUCHED,
    )
    return NowView(headline, "", tuple(facts), figure, str(state))


def walking_view(minutes: float | None, goal_min: float | None, words: Words) -> WalkingView:
    """Say how much was walked today against the goal (minutes; None when not known, a goal of 0 is no goal)."""
    walked = 0.0 if minutes is None else minutes
    shown = None if minutes is None else math.floor(walked)
    if not goal_min:
        return WalkingView(shown, None, 0.0, words("walking.no_goal"))
    share = min(1.0, walked / goal_min)
    left = max(1, math.ceil(goal_min - walked))
    if share >= 1.0:
        sentence = words("walking.met")
    elif walked < 1.0:
        sentence = words("walking.none_yet")
    else:
        sentence = words("walking.nearly" if left <= 3 else "walking.under_way", left=left)
    return WalkingView(shown, round(goal_min), share, sentence)


def sitting_view(received: Received | None, limit_min: float | None, words: Words) -> SittingView:
    """Say how long the present sitting has lasted against the agreed limit (minutes)."""
    if received is None or received.age_s > STALE_S or _state(received.live.state) in (State.UNKNOWN, State.NOT_WORN):
        return SittingView(None, 0.0, words("sitting.unknown"))
    minutes = received.live.sedentary_s / 60
    if minutes <= 0 and _state(received.live.state) not in SEDENTARY:
        return SittingView(0, 0.0, words("sitting.not_sitting"))
    if not limit_min:
        return SittingView(math.floor(minutes), 0.0, "")
    share = min(1.0, minutes / limit_min)
    left = math.ceil(limit_min - minutes)
    sentence = words("sitting.ok", left=left) if share < 1.0 else words("sitting.due")
    return SittingView(math.floor(minutes), share, sentence)


def _state(name: str) -> State:
    return State(name) if name in set(State) else State.UNKNOWN


def _posture(name: str) -> Posture:
    return Posture(name) if name in set(Posture) else Posture.UNKNOWN


def _since(seconds: float, words: Words) -> str:
    if seconds < 5:
        return words("now.just_now")
    return words("now.since", duration=words.duration(seconds))


def _tilt(flexion_deg: float, words: Words) -> str:
    if abs(flexion_deg) < _STRAIGHT_DEG:
        return words("now.straight")
    return words("now.forward" if flexion_deg > 0 else "now.backward", degrees=round(abs(flexion_deg)))
