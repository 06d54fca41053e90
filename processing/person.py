"""One person from several clips: a thigh or belt clip decides the state, an upper clip the posture.

Seconds of all clips are lined up; one is handed out when every clip that is streaming has said what it saw of it. A
clip that has fallen behind the others by more than `WAIT_S` is not waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import EPOCH_NS, Epochs, Posture, State
from processing.two_clips import LOWER, UPPER, together
from spineclip.contract.placement import Placement

WAIT_S: Final = 30
"""So far behind the newest clip, in seconds of data, a clip is waited for (our choice: beyond the 15 s that a clip's
own seconds need to become final, and within what a person will wait for a page)."""
GAP_S: Final = 120
"""Unmeasured seconds that are waited for on top (our choice: out of reach for a while; more would grow the state)."""
FOREVER_S: Final = 1 << 40
"""Waiting time for recordings, which are all there."""
ENOUGH: Final = 0.5
"""A clip that saw less of a second than this has no say in it."""

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


@dataclass(frozen=True, slots=True)
class ClipRow:
    """What one clip has said that was not yet handed out; `through` is the second (since 1970) it has come to."""

    device: str
    placement: str
    through: int
    waiting: Epochs


@dataclass(frozen=True, slots=True)
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
    if len(state.clips) <= 1 and all(row.device == device for row in state.clips):
        return _alone(state, device, placement, final)
    if not len(final):
        return state, Epochs.empty()
    state = _with(state, device, placement, final)
    newest = max(row.through for row in state.clips)
    reached = [row.through or state.since for row in state.clips]
    return _give(state, min(at for at in reached if at == newest or not _left_behind(state, at, newest, wait_s)))


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
    measured = [row.waiting.coverage[row.waiting.start_ns >= through * EPOCH_NS] >= ENOUGH for row in state.clips]
    return max(int(seen.sum()) for seen in measured) > wait_s


def _alone(state: PersonState, device: str, placement: Placement, final: Epochs) -> tuple[PersonState, Epochs]:
    if not len(final):
        return state, final
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
    return replace(state, clips=clips, late=state.late + len(final) - len(new), since=since)


def _from(final: Epochs, second: int) -> Epochs:
    first = int(np.searchsorted(final.start_ns, second * EPOCH_NS))
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
        rows.append(replace(row, waiting=rest.copy()) if n else row)
    joined = join(ready)
    given = max(state.given, int(joined.start_ns[-1]) // EPOCH_NS + 1) if len(joined) else state.given
    return replace(state, clips=tuple(rows), given=given), joined


def join(clips: Mapping[Placement, Epochs]) -> Epochs:
    """Join what clips at different places saw of the same stretch, second by second."""
    if len(clips) <= 1:
        return next(iter(clips.values()), Epochs.empty())
    start_ns = np.unique(np.concatenate([clip.start_ns for clip in clips.values()]))
    lined = {place: _lined_up(clip, start_ns) for place, clip in clips.items()}
    ordered = [lined[place] for place in STATE_ORDER if place in lined]
    usable = [(clip.coverage >= ENOUGH) & (clip.state != State.UNKNOWN.code) for clip in ordered]
    worn = [ok & (clip.state != State.NOT_WORN.code) for ok, clip in zip(usable, ordered, strict=True)]
    who = _first_of([*worn, *usable]) % len(ordered)
    state = _choose(ordered, "state", who)
    if Placement.THIGH in lined:
        state = _resting_from_trunk(state, lined)
    gait = _gait(lined, ordered, who)
    posture, flexion, lateral = _posture(lined, state)
    return Epochs(
        start_ns,
        state,
        posture,
        flexion,
        lateral,
        _choose(ordered, "walking_s", who),
        _choose(ordered, "cadence_spm", gait),
        _choose(ordered, "steps", gait),
        _choose(ordered, "intensity_mg", who),
        _choose(ordered, "confidence", who),
        np.max([clip.coverage for clip in ordered], axis=0),
    )


def _lined_up(clip: Epochs, start_ns: NDArray[np.int64]) -> Epochs:
    if len(clip) == len(start_ns):
        return clip
    at = np.searchsorted(start_ns, clip.start_ns)
    full = Epochs.unknown(start_ns)
    for name in Epochs.__slots__:
        if name != "start_ns":
            getattr(full, name)[at] = getattr(clip, name)
    return full


def _first_of(masks: list[NDArray[np.bool_]]) -> NDArray[np.intp]:
    """Return the number of the first mask that holds, 0 where none does."""
    return np.asarray(np.argmax(np.array(masks), axis=0))


def _choose(ordered: list[Epochs], column: str, who: NDArray[np.intp]) -> NDArray[Any]:
    return np.array([getattr(clip, column) for clip in ordered])[who, np.arange(len(who))]


def _resting_from_trunk(state: NDArray[Any], lined: Mapping[Placement, Epochs]) -> NDArray[Any]:
    """Let the trunk tell sitting from lying: the thigh lies flat in both."""
    rest = (State.SITTING.code, State.LYING.code)
    state = state.copy()
    open_to_trunk = np.isin(state, rest)
    for place in STATE_ORDER[1:]:
        if place in lined:
            clip = lined[place]
            says = open_to_trunk & np.isin(clip.state, rest) & (clip.coverage >= ENOUGH)
            state[says] = clip.state[says]
            open_to_trunk &= ~says
    return state


def _gait(lined: Mapping[Placement, Epochs], ordered: list[Epochs], who: NDArray[np.intp]) -> NDArray[np.intp]:
    """Take steps from the lowest trunk clip that saw some: a thigh swings once for two steps."""
    if Placement.THIGH not in lined:
        return who
    trunk = _first_of([clip.steps > 0 for clip in ordered[1:]])
    seen = np.any([clip.steps > 0 for clip in ordered[1:]], axis=0)
    return np.where(seen, trunk + 1, who)


def _posture(lined: Mapping[Placement, Epochs], state: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    ordered = [lined[place] for place in POSTURE_ORDER if place in lined]
    if not ordered:
        n = len(state)
        return np.zeros(n, dtype=np.int8), np.full(n, np.nan), np.full(n, np.nan)
    known = [(clip.coverage >= ENOUGH) & (clip.posture != Posture.UNKNOWN.code) for clip in ordered]
    seen = [(clip.coverage >= ENOUGH) & np.isfinite(clip.flexion_deg) for clip in ordered]
    who = _first_of([*known, *seen]) % len(ordered)
    resting = np.isin(state, (State.SITTING.code, State.STANDING.code, State.UNKNOWN.code))
    posture = np.where(resting, _choose(ordered, "posture", who), np.int8(Posture.UNKNOWN.code))
    return (
        _told_by_two(lined, posture, resting & ((state != State.UNKNOWN.code) | (posture != Posture.UNKNOWN.code))),
        _choose(ordered, "flexion_deg", who),
        _choose(ordered, "lateral_deg", who),
    )


def _told_by_two(
    lined: Mapping[Placement, Epochs], posture: NDArray[Any], resting: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Let a clip at the pelvis and one high on the trunk name the posture together."""
    lower = next((lined[place] for place in LOWER if place in lined), None)
    upper = next((lined[place] for place in UPPER if place in lined), None)
    if lower is None or upper is None:
        return posture
    seen = resting & (lower.coverage >= ENOUGH) & (upper.coverage >= ENOUGH)
    if not seen.any():
        return posture
    return np.where(seen, together(posture, lower, upper), posture)
