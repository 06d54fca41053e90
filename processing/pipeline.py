"""One patient from records to metrics: clips, person, days, nudges and the live second, composed.

Streaming and batch are this one code: the core steps it with batches of a second, `processing.analysis` with pieces of
a recording, and the same samples end in the same points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

import numpy as np

from processing import clip, days, nudge_words, nudges, person, present, slots
from processing.clip import ClipSetup, ClipState, LiveSecond
from processing.days import DaysState
from processing.epochs import Epochs
from processing.frozen import frozen, replace
from processing.metrics import Point
from processing.orientation import OrientationState
from processing.person import PersonState
from processing.present import Present
from processing.samples import Block
from processing.streaks import Nudge, NudgeState, settle
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.live import Live
from spineclip.contract.placement import Placement

SECOND_NS: Final = 10**9
STALE_NS: Final = 5 * SECOND_NS
"""A clip whose live second is older than the newest by more than this has no say in the present."""


@frozen
class Worn:
    """One clip: where it is, its stream's state, the time of its last sample and its newest live second."""

    placement: Placement
    stream: ClipState
    last_ns: int = 0
    live: LiveSecond | None = None


@frozen
class PatientState:
    """Everything that is carried of a patient from record to record."""

    patient: str
    config: PatientConfig
    clips: Mapping[str, Worn] = field(default_factory=dict)
    person: PersonState = field(default_factory=PersonState)
    days: DaysState = field(default_factory=days.begin)
    nudges: NudgeState = field(default_factory=nudges.begin)
    present: Present = field(default_factory=Present)
    overlapping: int = 0
    """Samples left out because their time had passed already."""


@frozen
class Result:
    """What a step gives: final whole slots, second by second; other points; the present; nudges begun or ended."""

    patient: str
    seconds: Epochs
    other: tuple[Point, ...] = ()
    live: Live | None = None
    nudges: tuple[Nudge, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        """All points to be stored."""
        if not len(self.seconds):
            return self.other
        return (*slots.points(slots.summarise(self.seconds), self.patient), *self.other)


def begin(patient: str, config: PatientConfig) -> PatientState:
    """Return the state of a patient of whom nothing was measured yet."""
    known = {device: worn.placement for device, worn in config.clips.items()}
    return PatientState(patient, config, person=person.begin(known))


def configure(state: PatientState, config: PatientConfig) -> PatientState:
    """Take on a new config; a calibration in it holds from its own time on."""
    return state if config == state.config else replace(state, config=config)


def step(
    state: PatientState,
    device: str,
    placement: Placement,
    block: Block,
    *,
    battery_pct: int | None = None,
    wait_s: int = person.WAIT_S,
    present_ns: int = nudges.NEVER,
) -> tuple[PatientState, Result]:
    """Take in samples of one clip, in order of their times.

    Samples whose time has passed already are left out and counted in `overlapping`. From `present_ns` on (UTC) what was
    not told before may be said anew (`processing.nudges`).
    """
    state, block = _in_time(state, device, block)
    parts = _calibrated_parts(state, device, block)
    if len(parts) == 1:
        return _step(state, device, placement, parts[0], battery_pct, wait_s, present_ns)
    results = []
    for part in parts:
        state, result = _step(state, device, placement, part, battery_pct, wait_s, present_ns)
        results.append(result)
    return state, Result(
        state.patient,
        Epochs.concat([result.seconds for result in results]),
        tuple(point for result in results for point in result.other),
        next((result.live for result in reversed(results) if result.live), None),
        tuple(nudge for result in results for nudge in result.nudges),
    )


def _calibrated_parts(state: PatientState, device: str, block: Block) -> list[Block]:
    """Cut a block where a calibration begins to hold."""
    told = state.config.clips.get(device)
    if not len(block) or told is None or told.calibration is None:
        return [block] if len(block) else []
    cut = int(block.t_ns.searchsorted(told.calibration.since_ns))
    return [part for part in (block.slice(0, cut), block.slice(cut, len(block))) if len(part)]


def _step(
    state: PatientState,
    device: str,
    placement: Placement,
    block: Block,
    battery_pct: int | None,
    wait_s: int,
    present_ns: int,
) -> tuple[PatientState, Result]:
    worn, before = _worn(state, device, placement, int(block.t_ns[0]))
    stream, output = clip.step(worn.stream, block)
    worn = Worn(worn.placement, stream, int(block.t_ns[-1]), output.live or worn.live)
    clips: Mapping[str, Worn] = {**state.clips, device: worn}
    if wait_s < person.FOREVER_S:
        clips = _heard_of(clips, worn.last_ns)
    final = Epochs.concat([before, output.final]) if len(before) else output.final
    people, asked, counted, given, now = state.person, state.nudges, state.days, days.NOTHING, state.present
    if len(final):
        people, joined = person.step(people, device, placement, final, wait_s=wait_s)
        asked = settle(asked, joined)
        counted, given = days.step(counted, joined, state.patient, state.config)
    result = Result(state.patient, given.seconds, given.points)
    told_by = None if output.live is None else _told_by(clips, device, output.live)
    if told_by is not None:
        second, teller = told_by
        moment = present.moment(second, output.final, teller)
        local, today = present.today(counted, state.config, second.time_ns)
        asked, changed = nudges.step(asked, moment, today, state.config.nudging, local, present_ns=present_ns)
        now, live = present.live(now, second, counted, today, device=device, battery_pct=battery_pct)
        result = Result(state.patient, given.seconds, _with_nudges(given.points, changed, state), live, changed)
    return PatientState(state.patient, state.config, clips, people, counted, asked, now, state.overlapping), result


def untold(state: PatientState, nudge: Nudge) -> PatientState:
    """Take note that a nudge which a step has started was not told."""
    return replace(state, nudges=nudges.untold(state.nudges, nudge))


def _heard_of(clips: Mapping[str, Worn], now_ns: int) -> Mapping[str, Worn]:
    """Forget clips that have been silent for so long that they would begin anew: who changes clips keeps no more."""
    if len(clips) == 1:
        return clips
    oldest_ns = now_ns - clip.MAX_SILENCE_S * SECOND_NS
    return {device: worn for device, worn in clips.items() if worn.last_ns >= oldest_ns}


def amend(
    state: PatientState,
    device: str,
    placement: Placement,
    late: Block,
    missing_ns: tuple[int, int],
    *,
    sat: OrientationState | None = None,
) -> tuple[PatientState, Result]:
    """Take in samples that came after their time had passed as a gap ``[start, end)`` (UTC nanoseconds).

    They are looked at by themselves, with no more from before them than how the clip sat (`sat`); without it, as if it
    had just been put on.
    """
    told = state.config.clips.get(device)
    setup = ClipSetup(placement, told.axes if told else {}, _calibration(told, None, int(late.t_ns[0])))
    begun = clip.begin(setup)
    stream, output = clip.step(begun if sat is None else replace(begun, orientation=sat), late)
    seconds = Epochs.concat([output.final, clip.finish(stream).final])
    missing_s = -(-missing_ns[0] // SECOND_NS), missing_ns[1] // SECOND_NS
    amended, given = days.amend(state.days, seconds, missing_s, state.patient, state.config)
    return replace(state, days=amended), Result(state.patient, given.seconds, given.points)


def close_days(state: PatientState, now_ns: int) -> tuple[PatientState, tuple[Point, ...]]:
    """Write the local days that are over by `now_ns` (UTC) and of which nothing was measured."""
    closed, points = days.close(state.days, now_ns // SECOND_NS, state.patient, state.config)
    return (state if closed is state.days else replace(state, days=closed)), points


def finish(state: PatientState) -> Result:
    """Hand out all that still waits and close what is open, because the data end."""
    people, waiting = state.person, []
    for device, worn in sorted(state.clips.items()):
        final = clip.finish(worn.stream).final
        people, joined = person.step(people, device, worn.placement, final, wait_s=person.FOREVER_S)
        waiting.append(joined)
    waiting.append(person.finish(people))
    counted, given = days.step(state.days, Epochs.concat(waiting), state.patient, state.config)
    closing = days.finish(counted, state.patient, state.config)
    seconds = Epochs.concat([given.seconds, closing.seconds])
    return Result(state.patient, seconds, (*given.points, *closing.points))


def _in_time(state: PatientState, device: str, block: Block) -> tuple[PatientState, Block]:
    known = state.clips.get(device)
    if known is None or not len(block) or int(block.t_ns[0]) > known.last_ns:
        return state, block
    first = int(np.searchsorted(block.t_ns, known.last_ns, side="right"))
    return replace(state, overlapping=state.overlapping + first), block.slice(first, len(block))


def _worn(state: PatientState, device: str, placement: Placement, t_ns: int) -> tuple[Worn, Epochs]:
    """Return the clip as worn at a time; if it is set up anew, with the seconds that the old set-up still held."""
    known = state.clips.get(device)
    told = state.config.clips.get(device)
    before = None if known is None else known.stream.setup
    axes, calibration = told.axes if told else {}, _calibration(told, before, t_ns)
    if known is None or before is None:
        return Worn(placement, clip.begin(ClipSetup(placement, axes, calibration))), Epochs.empty()
    if before.placement is placement and before.axes == axes and before.calibration == calibration:
        return known, Epochs.empty()
    begun = clip.begin(ClipSetup(placement, axes, calibration))
    return Worn(placement, begun, known.last_ns), clip.finish(known.stream).final


def _calibration(told: Clip | None, before: ClipSetup | None, t_ns: int) -> Calibration | None:
    new = None if told is None else told.calibration
    if new is None or t_ns >= new.since_ns:
        return new
    return None if before is None else before.calibration


def _with_nudges(points: tuple[Point, ...], changed: tuple[Nudge, ...], state: PatientState) -> tuple[Point, ...]:
    """Add the nudges that this second begins or ends."""
    if not changed:
        return points
    return (*points, *[nudge_words.point(nudge, state.patient, state.config.language) for nudge in changed])


def _told_by(
    clips: Mapping[str, Worn], device: str, newest: LiveSecond
) -> tuple[LiveSecond, Placement] | None:  # fmt: skip
    """Join the live seconds of all clips, and say which place tells the angles; None if another clip decides."""
    if len(clips) == 1:
        return newest, clips[device].placement
    oldest_ns = newest.time_ns - STALE_NS
    fresh = {
        worn.placement: (name, worn.live)
        for name, worn in clips.items()
        if worn.live is not None and worn.live.time_ns >= oldest_ns
    }
    seconds = {place: live for place, (_, live) in fresh.items()}
    decider = present.decider(seconds)
    if fresh[decider][0] != device:
        return None
    teller = present.teller(seconds, decider)
    return present.joined(seconds, decider, teller), teller
