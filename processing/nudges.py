"""When to nudge, and when to leave a person in peace.

A streaming state machine over live seconds. It nudges for three causes: a back bent forward too long, sitting too long,
and a walk that is still missing late in the day. Everything else in here is restraint, learnt from what users of such
products complain about: alarms at a standing desk, alarms that punish a short glance, alarms while the clip lies on
the table, alarms that get on nerves. So there is at most one nudge at a time for a cause, a pause after each, a daily
cap, quiet hours, and none while the clip is not worn, has just been put on, is shaken as in a car, or is not sure.

How the pipeline uses it, for the final seconds and the live second that a step gives, in order::

    state = streaks.settle(state, final)
    state, nudges = step(state, moment, today, config.nudging, local_time(moment.time_ns, zone))

Whoever finds a nudge too late to say it (what came after an outage is worked off) tells so by `untold`. Then it neither
counts nor pauses, and is said anew, with the numbers of then, in the first second of the present in which its cause
still holds: who sat on through an outage hears of it once.

Each nudge in `nudges` has just started (`ended_s` is None) or just ended. Both are written as the same ``nudge`` point
(`processing.nudge_words.point`), the second amending the first; both go out as an event, and a start as a buzz, if
the second is not already stale. `NudgeState` belongs into the patient's checkpoint. A live second stands for the
time since the one before, as long as that is not a gap; batches of one to five seconds give the same nudges to within
a batch. A recording that is analysed as a whole has no live seconds, and no nudges.

Feedback of this kind has thin evidence behind it (a review, PMC8512480, found little on posture and none on pain, and
effects of nudges fade), which is one more reason for few of them, and for writing down each one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from processing.epochs import State
from processing.frozen import frozen, replace
from processing.seating import AHEAD_S, SURE
from processing.streaks import (
    BENT_LATE_S,
    SHAKEN_MG,
    SURE_MEAN,
    SURE_SHARE,
    Cause,
    Moment,
    Nudge,
    NudgeState,
    observe,
)
from spineclip.contract.config import Nudging

UP_ENDS_S: Final = 10.0
"""Seconds on the feet in a row that end a nudge for sitting: the person has moved."""

WALKED_ENDS_S: Final = 60.0
"""Seconds of walking in a row that end a nudge for the missing walk."""

WARM_UP_S: Final = 120.0
"""No nudge so soon after the clip was put on, and none for a bent back before it is known for so long how it sits."""

REST_S: Final = 600.0
"""Pause after a nudge before the same cause may nudge again."""

WORN_FOR_A_WALK_MIN: Final = 300.0
"""Worn minutes that the day needs before a walk can be called missing: half of a day that can be judged."""


@frozen
class Today:
    """The patient's local day so far; a goal of 0 is no goal."""

    walking_min: float = 0.0
    goal_walking_min: float = 0.0
    worn_min: float = 0.0


NEVER: Final = 1 << 62
"""A time that does not come."""

_ORDER: Final = {cause: i for i, cause in enumerate(Cause)}


def begin() -> NudgeState:
    """Return the state of a person of whom nothing is known yet."""
    return NudgeState()


def step(
    state: NudgeState, moment: Moment, today: Today, nudging: Nudging, local: datetime, *, present_ns: int = NEVER
) -> tuple[NudgeState, tuple[Nudge, ...]]:
    """Take in one live second and return the nudges that it starts or ends.

    Parameters
    ----------
    moment
        The second; one that is not later than the last is ignored.
    today
        The local day so far, up to this second.
    nudging
        The patient's wishes, pause included.
    local
        The patient's wall clock at this second.
    present_ns
        From this time on (UTC) a nudge that was not told may be said anew.
    """
    if moment.time_ns <= state.last_ns:
        return state, ()
    state = _turn_the_day(observe(state, moment), local)
    state, ended = _end(state, moment, today, nudging, local)
    state, started = _start(state, moment, today, nudging, local, present_ns)
    return state, ended + started


def untold(state: NudgeState, nudge: Nudge) -> NudgeState:
    """Take note that nobody was told of a nudge that has just started: it counts for nothing, but where it is known."""
    if nudge.time_ns not in (one.time_ns for one in state.active if one.cause is nudge.cause):
        return state
    return replace(
        state,
        active=tuple(replace(one, told=False) if one.cause is nudge.cause else one for one in state.active),
        given=max(0, state.given - 1),
        asked_for_walk=state.asked_for_walk and nudge.cause is not Cause.WALK_MISSING,
    )


def is_quiet(nudging: Nudging, local: datetime) -> bool:
    """Tell whether a local time lies in the quiet hours ``[from, until)``; equal hours mean none."""
    since, until = nudging.quiet_from_hour, nudging.quiet_until_hour
    if since <= until:
        return since <= local.hour < until
    return local.hour >= since or local.hour < until


def _turn_the_day(state: NudgeState, local: datetime) -> NudgeState:
    day = local.toordinal()
    return state if day == state.day else replace(state, day=day, given=0, asked_for_walk=False)


def _end(
    state: NudgeState, moment: Moment, today: Today, nudging: Nudging, local: datetime
) -> tuple[NudgeState, tuple[Nudge, ...]]:
    if not state.active:
        return state, ()
    over = {
        Cause.SLOUCHED: state.slouched_s == 0.0 or state.oriented_since_ns == 0,
        Cause.SEDENTARY: state.seat.now.up_s >= UP_ENDS_S or state.seat.now.seated_s == 0.0,
        Cause.WALK_MISSING: state.walked_s >= WALKED_ENDS_S or today.walking_min >= today.goal_walking_min,
    }
    everything = state.worn_since_ns == 0 or not nudging.enabled or is_quiet(nudging, local) or _paused(nudging, moment)
    ended = tuple(_ended(nudge, moment) for nudge in state.active if everything or over[nudge.cause])
    if not ended:
        return state, ()
    causes = {nudge.cause for nudge in ended}
    rested = {nudge.cause for nudge in ended if nudge.told}
    rest_ns = moment.time_ns + round(REST_S * 1e9)
    first, second, third = (
        rest_ns if cause in rested else until for cause, until in zip(Cause, state.rest_until_ns, strict=True)
    )
    active = tuple(nudge for nudge in state.active if nudge.cause not in causes)
    return replace(state, active=active, rest_until_ns=(first, second, third)), ended


def _start(
    state: NudgeState, moment: Moment, today: Today, nudging: Nudging, local: datetime, present_ns: int
) -> tuple[NudgeState, tuple[Nudge, ...]]:
    if not _may_nudge(state, moment, nudging, local):
        return state, ()
    started: list[Nudge] = []
    for nudge in _causes(state, moment, today, nudging, local):
        same = [other for other in state.active if other.cause is nudge.cause]
        busy = any(other.told for other in same) or (bool(same) and moment.time_ns < present_ns)
        if busy or moment.time_ns < state.rest_until_ns[_ORDER[nudge.cause]] or state.given >= nudging.daily_cap:
            continue
        started += [*(_ended(other, moment) for other in same), nudge]
        state = replace(
            state,
            given=state.given + 1,
            active=(*(other for other in state.active if other not in same), nudge),
            asked_for_walk=state.asked_for_walk or nudge.cause is Cause.WALK_MISSING,
        )
    return state, tuple(started)


def _ended(nudge: Nudge, moment: Moment) -> Nudge:
    return replace(nudge, ended_s=(moment.time_ns - nudge.time_ns) / 1e9)


def _may_nudge(state: NudgeState, moment: Moment, nudging: Nudging, local: datetime) -> bool:
    return (
        nudging.enabled
        and not is_quiet(nudging, local)
        and not _paused(nudging, moment)
        and _warm(state.worn_since_ns, moment)
        and state.vibration_mg < SHAKEN_MG
    )


def _causes(state: NudgeState, moment: Moment, today: Today, nudging: Nudging, local: datetime) -> list[Nudge]:
    """Return a nudge for each cause that is given in this second, whether or not it may be said."""
    found = []
    bent_min = state.slouched_s / 60
    # Whoever sat in the second that a live state tells of sits by now for some seconds more.
    seated_min = (state.seat.now.seated_s + AHEAD_S) / 60
    sure = moment.confidence >= SURE
    warm = _warm(state.oriented_since_ns, moment)
    if warm and moment.bent and 0 < nudging.slouched_min <= bent_min and _surely_bent(state):
        found.append(Nudge(Cause.SLOUCHED, moment.time_ns, bent_min, nudging.slouched_min))
    if sure and moment.state is State.SITTING and 0 < nudging.sedentary_min <= seated_min and _surely_sits(state):
        found.append(Nudge(Cause.SEDENTARY, moment.time_ns, seated_min, nudging.sedentary_min))
    if (
        not state.asked_for_walk
        and sure
        and local.hour >= nudging.walk_missing_from_hour
        and moment.state in (State.SITTING, State.STANDING)
        and today.worn_min >= WORN_FOR_A_WALK_MIN
        and today.walking_min < today.goal_walking_min
    ):
        found.append(Nudge(Cause.WALK_MISSING, moment.time_ns, today.walking_min, today.goal_walking_min))
    return found


def _surely_sits(state: NudgeState) -> bool:
    now = state.seat.now
    return (
        now.seated_s > 0.0
        and now.up_s == 0.0
        and now.sure_s >= SURE_SHARE * now.seated_s
        and now.sure_sum >= SURE_MEAN * now.sure_s
    )


def _surely_bent(state: NudgeState) -> bool:
    return state.bent_sure_s >= SURE_SHARE * (state.slouched_s - BENT_LATE_S)


def _warm(since_ns: int, moment: Moment) -> bool:
    return since_ns > 0 and moment.time_ns - since_ns >= WARM_UP_S * 1e9


def _paused(nudging: Nudging, moment: Moment) -> bool:
    return moment.time_ns < nudging.paused_until_ns
