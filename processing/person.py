"""One person from several clips: a thigh or belt clip decides the state, an upper clip the posture.

Seconds of all clips are lined up; one is handed out when every clip that is streaming has said what it saw of it. A
clip that has fallen behind the others by more than `WAIT_S` is not waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.clip import MAX_SILENCE_S
from processing.compiled import compiled
from processing.epochs import EPOCH_NS, MEASURED, Epochs, Posture, State
from processing.frozen import frozen
from processing.two_clips import LOWER, UPPER, together
from spineclip.contract.placement import Placement

WAIT_S: Final = 30
"""So far behind the newest clip, in seconds of data, a clip is waited for (our choice: beyond the 15 s that a clip's
own seconds need to become final, and within what a person will wait for a page)."""
GAP_S: Final = 120
"""Unmeasured seconds that are waited for on top (our choice: out of reach for a while; more would grow the state)."""
FOREVER_S: Final = 1 << 40
"""Waiting time for recordings, which are all there."""

STATE_ORDER: Final = (
    Placement.THIGH, Placement.BELT, Placement.LOWER_BACK, Placement.MID_BACK,
    Placement.UPPER_BACK, Placement.STERNUM, Placement.COLLAR,
)  # fmt: skip
"""Who decides the state: the thigh tells sitting from standing for certain (sensitivity and specificity 0.99 against
0.93/0.985 from the lower back alone, measured on HARTH), then from the pelvis up."""
POSTURE_ORDER: Final = (
    Placement.UPPER_BACK, Placement.STERNUM, Placement.COLLAR, Placement.MID_BACK,
    Placement.LOWER_BACK, Placement.BELT,
)  # fmt: skip
"""Who decides the posture: the higher, the more a rounded back turns the clip (24.5 degrees at T4, 3.5 at L5)."""

_PAIR: Final = (LOWER, UPPER)
_FIRST_NUMBER: Final = 3
_NUMBERS: Final = 8
_FLEXION, _LATERAL, _WALKING_S, _CADENCE, _STEPS, _INTENSITY, _CONFIDENCE, _COVERAGE = range(_NUMBERS)
"""The numbers of a second, in the order of the columns of `Epochs`."""
_UNKNOWN, _NOT_WORN, _LYING = (state.code for state in (State.UNKNOWN, State.NOT_WORN, State.LYING))
_SITTING, _STANDING, _NO_POSTURE = State.SITTING.code, State.STANDING.code, Posture.UNKNOWN.code


@frozen
class ClipRow:
    """What one clip has said that was not yet handed out; `through` is the second (since 1970) it has come to."""

    device: str
    placement: str
    through: int
    waiting: Epochs


@frozen
class PersonState:
    """The clips in the order of their ids, how far seconds were handed out, and how many came too late for it.

    `since` is the first second of any clip: so long a clip that is known but not yet heard of is waited for, too.
    """

    clips: tuple[ClipRow, ...] = ()
    given: int = 0
    late: int = 0
    since: int = 0


def begin(placements: Mapping[str, Placement]) -> PersonState:
    """Return the state of a person with these clips (more may come)."""
    rows = (ClipRow(device, str(place), 0, Epochs.empty()) for device, place in sorted(placements.items()))
    return PersonState(tuple(rows))


def step(
    state: PersonState, device: str, placement: Placement, final: Epochs, *, wait_s: int = WAIT_S
) -> tuple[PersonState, Epochs]:
    """Take in final seconds of one clip and hand out those of the person that are decided by them.

    Parameters
    ----------
    wait_s
        How long the others are waited for, in seconds of data.
    """
    if not len(final):
        return state, Epochs.empty()
    if not state.clips or (len(state.clips) == 1 and state.clips[0].device == device):
        return _alone(state, device, placement, final)
    state = _with(state, device, placement, final)
    newest = max(row.through for row in state.clips)
    if wait_s < FOREVER_S:
        state = _heard_of(state, newest)
    reached = [row.through or state.since for row in state.clips]
    return _give(state, min(at for at in reached if at == newest or not _left_behind(state, at, newest, wait_s)))


def _heard_of(state: PersonState, newest: int) -> PersonState:
    """Forget clips that nothing waits of and that the others have left behind long ago, as the pipeline does."""
    clips = tuple(
        row for row in state.clips if len(row.waiting) or newest - (row.through or state.since) <= MAX_SILENCE_S
    )
    return state if len(clips) == len(state.clips) else PersonState(clips, state.given, state.late, state.since)


def finish(state: PersonState) -> Epochs:
    """Hand out all that waits."""
    return _give(state, 1 << 40)[1]


def _left_behind(state: PersonState, through: int, newest: int, wait_s: int) -> bool:
    """Tell whether the others have measured so much beyond a clip's last second that it is not waited for.

    A gap that all clips share is no reason to leave one behind, unless it is long.
    """
    if newest - through <= wait_s:
        return False
    if newest - through > wait_s + GAP_S or through < state.given:
        return True
    measured = [row.waiting.coverage[row.waiting.start_ns >= through * EPOCH_NS] >= MEASURED for row in state.clips]
    return max(int(seen.sum()) for seen in measured) > wait_s


def _alone(state: PersonState, device: str, placement: Placement, final: Epochs) -> tuple[PersonState, Epochs]:
    new = _from(final, state.given)
    through = int(final.start_ns[-1]) // EPOCH_NS + 1
    row = ClipRow(device, str(placement), through, Epochs.empty())
    late = state.late + len(final) - len(new)
    since = state.since or int(final.start_ns[0]) // EPOCH_NS
    return PersonState((row,), max(state.given, through), late, since), new


def _with(state: PersonState, device: str, placement: Placement, final: Epochs) -> PersonState:
    rows = {row.device: row for row in state.clips}
    before = rows.get(device, ClipRow(device, str(placement), 0, Epochs.empty()))
    new = _from(final, max(state.given, before.through if len(before.waiting) else 0))
    through = max(before.through, int(final.start_ns[-1]) // EPOCH_NS + 1)
    rows[device] = ClipRow(device, str(placement), through, Epochs.concat([before.waiting, new]))
    clips = tuple(rows[name] for name in sorted(rows))
    since = state.since or int(final.start_ns[0]) // EPOCH_NS
    return PersonState(clips, state.given, state.late + len(final) - len(new), since)


def _from(final: Epochs, second: int) -> Epochs:
    first = int(final.start_ns.searchsorted(second * EPOCH_NS))
    return final.slice(first, len(final)) if first else final


def _give(state: PersonState, horizon: int) -> tuple[PersonState, Epochs]:
    if horizon <= state.given:
        return state, Epochs.empty()
    ready: dict[Placement, Epochs] = {}
    rows = []
    for row in state.clips:
        n = int(np.searchsorted(row.waiting.start_ns, horizon * EPOCH_NS))
        if n:
            place = Placement(row.placement)
            mine = row.waiting.slice(0, n)
            # two clips at one place: the first by id speaks
            ready.setdefault(place, mine)
        rest = row.waiting.slice(n, len(row.waiting))
        rows.append(ClipRow(row.device, row.placement, row.through, rest.copy()) if n else row)
    joined = join(ready)
    given = max(state.given, int(joined.start_ns[-1]) // EPOCH_NS + 1) if len(joined) else state.given
    return PersonState(tuple(rows), given, state.late, state.since), joined


def join(clips: Mapping[Placement, Epochs]) -> Epochs:
    """Join what clips at different places saw of the same stretch, second by second."""
    if len(clips) <= 1:
        return next(iter(clips.values()), Epochs.empty())
    places = tuple(place for place in STATE_ORDER if place in clips)
    start_ns = _all_seconds([clips[place].start_ns for place in places])
    lined = [_lined_up(clips[place], start_ns) for place in places]
    n = len(start_ns)
    columns = [column for clip in lined for column in clip.columns()[_FIRST_NUMBER : _FIRST_NUMBER + _NUMBERS]]
    state, posture = np.empty(n, dtype=np.int8), np.empty(n, dtype=np.int8)
    numbers, both = np.empty((_NUMBERS, n)), np.empty(n, dtype=np.bool_)
    _join(
        np.array([clip.state for clip in lined]), np.array([clip.posture for clip in lined]),
        np.concatenate(columns).reshape(len(lined), _NUMBERS, n), *_roles(places), state, posture, numbers, both,
    )  # fmt: skip
    if both.any():
        lower, upper = (next(lined[places.index(place)] for place in kind if place in places) for kind in _PAIR)
        posture = np.where(both, together(posture, lower, upper), posture)
    return Epochs(start_ns, state, posture, *numbers)


def _all_seconds(starts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    first = starts[0]
    if all(len(start) == len(first) and (start == first).all() for start in starts[1:]):
        return first
    return np.unique(np.concatenate(starts))


def _lined_up(clip: Epochs, start_ns: NDArray[np.int64]) -> Epochs:
    if len(clip) == len(start_ns):
        return clip
    at = np.searchsorted(start_ns, clip.start_ns)
    full = Epochs.unknown(start_ns)
    for whole, known in zip(full.columns()[1:], clip.columns()[1:], strict=True):
        whole[at] = known
    return full


@lru_cache(maxsize=64)
def _roles(places: tuple[Placement, ...]) -> tuple[bool, NDArray[np.int64], NDArray[np.int64]]:
    """Return whether the first is a thigh, who tells the posture, and who names it together (two, or none)."""
    tellers = [places.index(place) for place in POSTURE_ORDER if place in places]
    pair = [places.index(next(place for place in kind if place in places)) for kind in _PAIR if set(kind) & set(places)]
    return (
        places[0] is Placement.THIGH,
        np.array(tellers, dtype=np.int64),
        np.array(pair if len(pair) == len(_PAIR) else [], dtype=np.int64),
    )


@compiled
def _join(
    states: NDArray[np.int8],
    postures: NDArray[np.int8],
    told: NDArray[np.float64],
    thigh: bool,
    tellers: NDArray[np.int64],
    pair: NDArray[np.int64],
    state: NDArray[np.int8],
    posture: NDArray[np.int8],
    numbers: NDArray[np.float64],
    both: NDArray[np.bool_],
) -> None:
    """Go through seconds and take each column from the clip that tells it; clips in the order of `STATE_ORDER`.

    `told` is what the clips say, shape (clips, 8, n); `both` becomes true where two clips name the posture together.
    """
    for i in range(len(state)):
        who = _decider(states, told, i)
        code = states[who, i]
        gait = who
        if thigh:
            if code in (_SITTING, _LYING):
                code = _rest(states, told, i, code)
            gait = _stepper(told, i, who)
        teller = _teller(postures, told, tellers, i)
        resting = code in (_SITTING, _STANDING, _UNKNOWN)
        held = postures[teller, i] if resting and teller >= 0 else _NO_POSTURE
        state[i], posture[i] = code, held
        for column in (_WALKING_S, _INTENSITY, _CONFIDENCE):
            numbers[column, i] = told[who, column, i]
        for column in (_CADENCE, _STEPS):
            numbers[column, i] = told[gait, column, i]
        for column in (_FLEXION, _LATERAL):
            numbers[column, i] = told[teller, column, i] if teller >= 0 else np.nan
        numbers[_COVERAGE, i] = told[:, _COVERAGE, i].max()
        both[i] = len(pair) > 0 and resting and (code != _UNKNOWN or held != _NO_POSTURE)
        for clip in pair:
            both[i] &= told[clip, _COVERAGE, i] >= MEASURED


@compiled
def _decider(states: NDArray[np.int8], told: NDArray[np.float64], i: int) -> int:
    """Return the first clip that knows the state and is worn, or else that knows it, or else the first."""
    knows = -1
    for clip in range(len(states)):
        if told[clip, _COVERAGE, i] >= MEASURED and states[clip, i] != _UNKNOWN:
            if states[clip, i] != _NOT_WORN:
                return clip
            knows = clip if knows < 0 else knows
    return max(knows, 0)


@compiled
def _rest(states: NDArray[np.int8], told: NDArray[np.float64], i: int, code: int) -> int:
    """Let the trunk tell sitting from lying: the thigh lies flat in both."""
    for clip in range(1, len(states)):
        says = states[clip, i]
        if told[clip, _COVERAGE, i] >= MEASURED and says in (_SITTING, _LYING):
            return int(says)
    return code


@compiled
def _stepper(told: NDArray[np.float64], i: int, who: int) -> int:
    """Take steps from the lowest trunk clip that saw some: a thigh swings once for two steps."""
    for clip in range(1, len(told)):
        if told[clip, _STEPS, i] > 0:
            return clip
    return who


@compiled
def _teller(postures: NDArray[np.int8], told: NDArray[np.float64], tellers: NDArray[np.int64], i: int) -> int:
    """Return the uppermost clip that knows the posture, or else the angles, or else the uppermost; -1 without any."""
    seen = -1
    for clip in tellers:
        if told[clip, _COVERAGE, i] >= MEASURED:
            if postures[clip, i] != _NO_POSTURE:
                return int(clip)
            if seen < 0 and np.isfinite(told[clip, _FLEXION, i]):
                seen = clip
    if seen < 0 and len(tellers):
        return int(tellers[0])
    return seen
