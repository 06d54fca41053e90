"""How long a person has been sitting, bent or shaken: what nudges go by, counted second by second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from processing.epochs import SEDENTARY, State

SURE: Final = 0.6
"""Confidence from which on a second counts for or against a cause (our choice; `benchmarks/nudges.py` shows what it
does on labelled recordings)."""

SURE_SHARE: Final = 0.75
"""Share of a whole sitting that has to be sure by itself before anything is said of it. What was bridged or unsure
makes it longer, but not surer."""

SURE_MEAN: Final = 0.7
"""Mean confidence of those seconds: where sitting and standing are about as likely all along, nobody is told that
they sit."""

RELIEF_S: Final = 5.0
"""Seconds with a straight back in a row that end a nudge. A glance up is shorter and changes nothing, and a wobble of
the angle around its threshold neither."""

UP_RESETS_S: Final = 60.0
"""Seconds on the feet in a row that break a sitting streak (a minute is the common, strict rule; PMC4721432 uses
two)."""

SEEN_LATE_S: Final = 4.0
"""A live state is that of a while ago: three seconds of look-ahead (`processing.activity.AHEAD_S`) and one to be sure.
Sitting began so much earlier than it is seen."""

BENT_LATE_S: Final = 3.0
"""A posture is named from its stretch (`processing.stretches`), some seconds after it was taken on: the median over the
acted postures was four seconds with the one in which a nudge is given. It began so much earlier than it is named."""

RESUMED_S: Final = 10.0
"""Seconds of sitting in a row that make a time on the feet a mere interruption: the hysteresis of the bouts that are
stored (`processing.bout_rules.SEDENTARY`). Less is a flicker and changes nothing."""

DOUBTED_S: Final = 12.0
"""Quiet standing up to this long between the last movement and sitting was sitting: nobody sits down without moving,
and rest that is hard to name is named after some seconds only."""

BRIDGED_S: Final = 60.0
"""An unsure spell up to this long between two sure ones of sitting (or of a bent back) was that too."""

UNSURE_RESETS_S: Final = 300.0
"""Seconds without a sure answer (unsure, or nothing measured) after which a streak begins anew: what is not known is
not held against anybody."""

SHAKEN_MG: Final = 14.0
"""Mean vibration while seated above which it is taken for a drive. Minutes of labelled sitting stay below 12 mg in 95
of 100 stretches and below 17 in all (HARTH, HAR70+, lower back; measured); a car seat shakes with some 0.3 to 0.6 m/s2
(30 to 60 mg rms; range of ISO 2631-1 for cars on roads). No labelled drive was at hand. A nudge that is held back
wrongly costs nothing, so the bound lies close to sitting."""

SHAKEN_MEMORY_S: Final = 60.0
"""Time constant of that mean: a red light does not end a drive, one bump does not make one."""

MEASURED_GAP_S: Final = 5.0
"""A longer step between two live seconds is time that was not measured (a live second is at most so far behind)."""


class Cause(StrEnum):
    """What a nudge is about."""

    SLOUCHED = "slouched"
    """A back bent forward, round or from the hips: one clip cannot tell which, and the way out is the same."""
    SEDENTARY = "sedentary"
    WALK_MISSING = "walk_missing"


@dataclass(frozen=True, slots=True)
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
    """

    time_ns: int
    state: State
    bent: bool | None
    confidence: float
    oriented: bool
    vibration_mg: float = math.nan


@dataclass(frozen=True, slots=True)
class Nudge:
    """One nudge: what for, since when, by which numbers, and, once it is over, for how long it stood.

    `measured_min` reached `limit_min`; for the missing walk they are the minutes walked and asked for.
    """

    cause: Cause
    time_ns: int
    measured_min: float
    limit_min: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True)
class NudgeState:
    """What has to be remembered from second to second; `begin()` makes the first one."""

    last_ns: int = 0
    worn_since_ns: int = 0
    """Since when the clip has been worn; 0 while it is not."""
    oriented_since_ns: int = 0
    """Since when, besides, it is known how it sits; 0 while it is not."""
    slouched_s: float = 0.0
    relief_s: float = 0.0
    slouch_unsure_s: float = 0.0
    seated_s: float = 0.0
    seated_sure_s: float = 0.0
    """Seconds of it that were sure by themselves, and the sum of their confidence."""
    seated_sum: float = 0.0
    resumed_s: float = 0.0
    """Seated again after a time on the feet."""
    up_s: float = 0.0
    stood_s: float = 0.0
    """Standing since the last movement."""
    seat_unsure_s: float = 0.0
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


def observe(state: NudgeState, moment: Moment) -> NudgeState:
    """Bring streaks, wear and vibration up to this second."""
    passed_s = (moment.time_ns - state.last_ns) / 1e9 if state.last_ns else 1.0
    lost_s, span_s = (0.0, passed_s) if passed_s <= MEASURED_GAP_S else (passed_s - 1.0, 1.0)
    sure = moment.confidence >= SURE and moment.state is not State.UNKNOWN
    worn = moment.state is not State.NOT_WORN
    count = _Count(state)
    count.lose(lost_s)
    if worn:
        if sure:
            count.sitting(moment, span_s)
        else:
            count.lose_sight(span_s)
        count.bending(moment, span_s)
    else:
        count.nobody_sits()
        count.slouched_s = count.relief_s = 0.0
    count.shaken(moment, span_s)
    known = lost_s < UNSURE_RESETS_S
    worn_since_ns = (known and state.worn_since_ns) or moment.time_ns
    oriented_since_ns = (known and state.oriented_since_ns) or moment.time_ns
    walks = sure and moment.state in (State.WALKING, State.RUNNING)
    return NudgeState(
        last_ns=moment.time_ns,
        worn_since_ns=worn_since_ns if worn else 0,
        oriented_since_ns=oriented_since_ns if worn and moment.oriented else 0,
        slouched_s=count.slouched_s,
        relief_s=count.relief_s,
        slouch_unsure_s=count.slouch_unsure_s,
        seated_s=count.seated_s,
        seated_sure_s=count.seated_sure_s,
        seated_sum=count.seated_sum,
        resumed_s=count.resumed_s,
        up_s=count.up_s,
        stood_s=count.stood_s,
        seat_unsure_s=count.seat_unsure_s,
        walked_s=state.walked_s + span_s if walks else 0.0,
        vibration_mg=count.vibration_mg,
        newest_mg=count.newest_mg,
        day=state.day,
        given=state.given,
        asked_for_walk=state.asked_for_walk,
        active=state.active,
        rest_until_ns=state.rest_until_ns,
    )


class _Count:
    """The streaks of a `NudgeState`, under its names, while a second is counted."""

    __slots__ = (
        "newest_mg", "relief_s", "resumed_s", "seat_unsure_s", "seated_s", "seated_sum", "seated_sure_s",
        "slouch_unsure_s", "slouched_s", "stood_s", "up_s", "vibration_mg",
    )  # fmt: skip

    def __init__(self, state: NudgeState) -> None:
        self.slouched_s = state.slouched_s
        self.relief_s = state.relief_s
        self.slouch_unsure_s = state.slouch_unsure_s
        self.seated_s = state.seated_s
        self.seated_sure_s = state.seated_sure_s
        self.seated_sum = state.seated_sum
        self.resumed_s = state.resumed_s
        self.up_s = state.up_s
        self.stood_s = state.stood_s
        self.seat_unsure_s = state.seat_unsure_s
        self.vibration_mg = state.vibration_mg
        self.newest_mg = state.newest_mg

    def nobody_sits(self) -> None:
        self.seated_s = self.seated_sure_s = self.seated_sum = self.resumed_s = self.up_s = self.stood_s = 0.0

    def lose(self, seconds: float) -> None:
        """Count time of which nothing is known; long enough, it takes the streaks with it."""
        if seconds:
            self.lose_sight(seconds)
            self.lose_back(seconds)

    def lose_sight(self, seconds: float) -> None:
        """Count time in which it is not known what the body does."""
        self.seat_unsure_s += seconds
        if self.seat_unsure_s >= UNSURE_RESETS_S:
            self.nobody_sits()
        if self.stood_s:
            self.stood_s += seconds

    def lose_back(self, seconds: float) -> None:
        """Count time in which it is not known how the back is held."""
        self.slouch_unsure_s += seconds
        if self.slouch_unsure_s >= UNSURE_RESETS_S:
            self.slouched_s = 0.0

    def sitting(self, moment: Moment, span_s: float) -> None:
        """Count a second of which it is sure what the body does."""
        if moment.state in SEDENTARY:
            self._sit(moment, span_s)
            return
        up_s = self.up_s + self.resumed_s + span_s if self.seated_s else 0.0
        stood_s = self.stood_s + self.resumed_s + span_s if moment.state is State.STANDING else 0.0
        if not self.seated_s or up_s >= UP_RESETS_S:
            self.nobody_sits()
            up_s = 0.0
        self.up_s, self.resumed_s, self.stood_s, self.seat_unsure_s = up_s, 0.0, stood_s, 0.0

    def _sit(self, moment: Moment, span_s: float) -> None:
        """Count a second of sitting; it begins a streak, or goes on with one, once there are `RESUMED_S` of them."""
        self.seated_sure_s += span_s
        self.seated_sum += moment.confidence * span_s
        span_s += _bridged_s(self.seat_unsure_s) if self.seated_s or self.resumed_s else 0.0
        self.seat_unsure_s = 0.0
        resumed_s = self.resumed_s + span_s
        if self.seated_s and not self.up_s:
            self.seated_s += span_s
            self.stood_s = 0.0
        elif resumed_s < RESUMED_S:
            self.resumed_s = resumed_s
        else:
            # What was too short to break the streak is part of it, as in the bouts that are stored.
            stood_s = self.stood_s if self.stood_s <= DOUBTED_S else 0.0
            before_s = self.up_s if self.seated_s else SEEN_LATE_S + stood_s
            self.seated_s = self.seated_s + before_s + resumed_s
            self.up_s = self.resumed_s = self.stood_s = 0.0

    def bending(self, moment: Moment, span_s: float) -> None:
        """Count a second of a back that is bent, straight, or not known."""
        if moment.bent is None:
            self.lose_back(span_s)
            return
        if moment.bent:
            before_s = _bridged_s(self.slouch_unsure_s) if self.slouched_s else BENT_LATE_S
            self.slouched_s = self.slouched_s + before_s + span_s
            self.relief_s = 0.0
        else:
            self.relief_s += span_s
            if self.relief_s >= RELIEF_S:
                self.slouched_s = 0.0
        self.slouch_unsure_s = 0.0

    def shaken(self, moment: Moment, span_s: float) -> None:
        """Follow the vibration of the seat, by the newest value where this second brings none; on the feet it fades."""
        if not math.isnan(moment.vibration_mg):
            self.newest_mg = moment.vibration_mg
        # One hard knock may not stand for a minute of driving.
        now_mg = min(self.newest_mg, 4 * SHAKEN_MG) if moment.state in SEDENTARY else 0.0
        self.vibration_mg += (now_mg - self.vibration_mg) * min(1.0, span_s / SHAKEN_MEMORY_S)


def _bridged_s(unsure_s: float) -> float:
    return unsure_s if unsure_s <= BRIDGED_S else 0.0
