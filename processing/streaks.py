"""How long a person has been sitting, bent or shaken: what nudges go by, counted second by second."""

from __future__ import annotations

import math
from dataclasses import field
from enum import StrEnum
from typing import Final

from processing import seating
from processing.epochs import SEDENTARY, Epochs, State
from processing.frozen import frozen, replace
from processing.seating import BRIDGED_S, DOUBTED_S, MEASURED_GAP_S, SURE, UNSURE_RESETS_S, Seat

SURE_SHARE: Final = 0.75
"""Share of a whole sitting, or of a whole bend, that has to be sure by itself before anything is said of it. What was
bridged or unsure makes it longer, but not surer."""

SURE_MEAN: Final = 0.7
"""Mean confidence of those seconds: where sitting and standing are about as likely all along, nobody is told that
they sit."""

RELIEF_S: Final = 5.0
"""Seconds with a straight back in a row that end a nudge. A glance up is shorter and changes nothing, and a wobble of
the angle around its threshold neither."""

BENT_LATE_S: Final = 3.0
"""A posture is named from its stretch (`processing.stretches`), some seconds after it was taken on: the median over the
acted postures was four seconds with the one in which a nudge is given. It began so much earlier than it is named."""

SHAKEN_MG: Final = 14.0
"""Mean vibration while seated above which it is taken for a drive. Minutes of labelled sitting stay below 12 mg in 95
of 100 stretches and below 17 in all (HARTH, HAR70+, lower back; measured); a car seat shakes with some 0.3 to 0.6 m/s2
(30 to 60 mg rms; range of ISO 2631-1 for cars on roads). No labelled drive was at hand. A nudge that is held back
wrongly costs nothing, so the bound lies close to sitting."""

SHAKEN_MEMORY_S: Final = 60.0
"""Time constant of that mean: a red light does not end a drive, one bump does not make one."""


class Cause(StrEnum):
    """What a nudge is about."""

    SLOUCHED = "slouched"
    """A back bent forward, round or from the hips: one clip cannot tell which, and the way out is the same."""
    SEDENTARY = "sedentary"
    WALK_MISSING = "walk_missing"


@frozen
class Moment:
    """One live second of a person.

    Attributes
    ----------
    time_ns
        UTC, end of the second.
    bent
        Whether the back is bent forward (`processing.bending`); None where that is not sure.
    confidence
        Chance that `state` is right, 0 to 1.
    oriented
        Whether it is known how the clip sits on the body.
    vibration_mg
        Mean amplitude deviation of the norm, milli-g; NaN where no new value is known.
    mount
        Another number, once the clip was put on anew.
    """

    time_ns: int
    state: State
    bent: bool | None
    confidence: float
    oriented: bool
    vibration_mg: float = math.nan
    mount: int = 0


@frozen
class Nudge:
    """One nudge: what for, since when, by which numbers, and, once it is over, for how long it stood.

    `measured_min` reached `limit_min`; for the missing walk they are the minutes walked and asked for. `told` is False
    where it was found too late to be said.
    """

    cause: Cause
    time_ns: int
    measured_min: float
    limit_min: float
    ended_s: float | None = None
    told: bool = True


@frozen
class NudgeState:
    """What has to be remembered from second to second; `begin()` makes the first one."""

    last_ns: int = 0
    worn_since_ns: int = 0
    """Since when the clip has been worn; 0 while it is not."""
    oriented_since_ns: int = 0
    """Since when, besides, it is known how it sits; 0 while it is not."""
    mount: int = 0
    """The mount that this, and the bend, are of."""
    seat: Seat = field(default_factory=Seat)
    slouched_s: float = 0.0
    bent_sure_s: float = 0.0
    """Seconds of it that were sure by themselves."""
    relief_s: float = 0.0
    slouch_unsure_s: float = 0.0
    walked_s: float = 0.0
    vibration_mg: float = 0.0
    """Running mean while seated."""
    newest_mg: float = 0.0
    day: int = 0
    """Proleptic Gregorian ordinal of the local date that the next two belong to."""
    given: int = 0
    asked_for_walk: bool = False
    active: tuple[Nudge, ...] = ()
    rest_until_ns: tuple[int, int, int] = (0, 0, 0)
    """By cause, in the order of `Cause`."""


def settle(state: NudgeState, final: Epochs) -> NudgeState:
    """Take in the person's final seconds."""
    return replace(state, seat=seating.settle(state.seat, final)) if len(final) else state


def observe(state: NudgeState, moment: Moment) -> NudgeState:
    """Bring streaks, wear and vibration up to this second."""
    passed_s = (moment.time_ns - state.last_ns) / 1e9 if state.last_ns else 1.0
    lost_s, span_s = (0.0, passed_s) if passed_s <= MEASURED_GAP_S else (passed_s - 1.0, 1.0)
    worn = moment.state is not State.NOT_WORN
    anew = moment.mount != state.mount
    slouched_s, bent_sure_s, relief_s, slouch_unsure_s = (
        _bending(state, moment, lost_s, span_s) if worn and not anew else _NO_BACK
    )
    vibration_mg, newest_mg = _shaken(state, moment, span_s)
    known = lost_s < UNSURE_RESETS_S
    worn_since_ns = (known and state.worn_since_ns) or moment.time_ns
    oriented_since_ns = (known and not anew and state.oriented_since_ns) or moment.time_ns
    walks = moment.confidence >= SURE and moment.state in (State.WALKING, State.RUNNING)
    return NudgeState(  # all of it anew: to replace most of many fields takes longer
        last_ns=moment.time_ns,
        worn_since_ns=worn_since_ns if worn else 0,
        oriented_since_ns=oriented_since_ns if worn and moment.oriented else 0,
        mount=moment.mount,
        seat=seating.look(state.seat, moment.time_ns, moment.state, moment.confidence),
        slouched_s=slouched_s,
        bent_sure_s=bent_sure_s,
        relief_s=relief_s,
        slouch_unsure_s=slouch_unsure_s,
        walked_s=state.walked_s + span_s if walks else 0.0,
        vibration_mg=vibration_mg,
        newest_mg=newest_mg,
        day=state.day,
        given=state.given,
        asked_for_walk=state.asked_for_walk,
        active=state.active,
        rest_until_ns=state.rest_until_ns,
    )


_Back = tuple[float, float, float, float]
_NO_BACK: Final[_Back] = (0.0, 0.0, 0.0, 0.0)
"""Begin anew: what was counted was of another mount, or of nobody."""


def _bending(state: NudgeState, moment: Moment, lost_s: float, span_s: float) -> _Back:
    """Count a second of a back that is bent, straight, or not known, after some that were lost.

    Returns `slouched_s`, `bent_sure_s`, `relief_s` and `slouch_unsure_s` of the next state.
    """
    bent_s, sure_s, relief_s = state.slouched_s, state.bent_sure_s, state.relief_s
    unsure_s = state.slouch_unsure_s + lost_s
    if moment.bent is None:
        unsure_s += span_s
    if unsure_s >= UNSURE_RESETS_S:
        bent_s = sure_s = 0.0
    if moment.bent is None:
        return bent_s, sure_s, relief_s, unsure_s
    if not moment.bent:
        relief_s += span_s
        return (0.0, 0.0, relief_s, 0.0) if relief_s >= RELIEF_S else (bent_s, sure_s, relief_s, 0.0)
    bridged_s = unsure_s if unsure_s <= BRIDGED_S else 0.0
    before_s = bridged_s if bent_s else BENT_LATE_S + min(unsure_s, DOUBTED_S) / 2
    return bent_s + before_s + span_s, sure_s + span_s, 0.0, 0.0


def _shaken(state: NudgeState, moment: Moment, span_s: float) -> tuple[float, float]:
    """Follow the vibration of the seat, by the newest value where this second brings none; on the feet it fades.

    Returns `vibration_mg` and `newest_mg` of the next state.
    """
    newest_mg = state.newest_mg if math.isnan(moment.vibration_mg) else moment.vibration_mg
    # One hard knock may not stand for a minute of driving.
    now_mg = min(newest_mg, 4 * SHAKEN_MG) if moment.state in SEDENTARY else 0.0
    return state.vibration_mg + (now_mg - state.vibration_mg) * min(1.0, span_s / SHAKEN_MEMORY_S), newest_mg
