"""How long a person has been sitting, by the final seconds and by the live ones that are newer than those.

A live second is named with little of what comes after it, a final one with more (`processing.smoothing.AHEAD_S`): it
takes back a flicker, and it knows better when the body came to rest. So the count stands on the final seconds, and live
ones only lengthen it to the present. Where no final ones come, live ones are taken for final once they are old.

Lying is not sitting: who rests on the sofa for an hour and sits up has not been sitting, and is not to be told so in
the moment of getting up. It ends a sitting as standing does.

Between two states the change lies somewhere in the seconds that are not sure. Half of them is the guess that is wrong
by least; on 60 labelled changes to sitting (HARTH, HAR70+) it dates them to within two seconds, but for those that
are named late.
"""

from __future__ import annotations

from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.epochs import STATES, Epochs, State
from processing.frozen import frozen, replace

SURE: Final = 0.6
"""Confidence from which on a second counts for or against a cause (our choice; `benchmarks/nudges.py` shows what it
does on labelled recordings)."""

UP_RESETS_S: Final = 60.0
"""Seconds out of the chair in a row that break a sitting streak (a minute is the common, strict rule; PMC4721432 uses
two)."""

AHEAD_S: Final = 3.0
"""A live state is that of so many seconds ago (`processing.windows.AHEAD_S`)."""

FINAL_S: Final = 20.0
"""A live second that is so old is taken for final: final ones come within 15 s, and batches of up to 5 s."""

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

MEASURED_GAP_S: Final = 5.0
"""A longer step between two live seconds is time that was not measured (a live second is at most so far behind)."""

_NS: Final = 1_000_000_000
_AHEAD_NS: Final = round(AHEAD_S * _NS)


@frozen
class Sitting:
    """A sitting so far, in seconds.

    Attributes
    ----------
    seated_s
        How long; 0 while nobody sits.
    sure_s, sure_sum
        Seconds of it that were sure by themselves, and the sum of their confidence.
    resumed_s, before_s
        Seated, or seated again, but not yet for long enough to count; and what belongs to it from before its first sure
        second.
    up_s
        Out of the chair since: on the feet, or lying.
    quiet_s
        Standing since the last movement.
    doubt_s, guessed_s
        Not sure, or not measured, since the last sure second; and how much of that was named sitting all the same.
    """

    seated_s: float = 0.0
    sure_s: float = 0.0
    sure_sum: float = 0.0
    resumed_s: float = 0.0
    before_s: float = 0.0
    up_s: float = 0.0
    quiet_s: float = 0.0
    doubt_s: float = 0.0
    guessed_s: float = 0.0


@frozen
class Seen:
    """A live second that is not final yet: its state, and the end of the second that it tells of (UTC)."""

    end_ns: int
    state: State
    confidence: float


@frozen
class Seat:
    """The sitting by final seconds up to `settled_ns` (UTC), the live ones since, and the sitting by both."""

    settled: Sitting = Sitting()
    settled_ns: int = 0
    tail: tuple[Seen, ...] = ()
    now: Sitting = Sitting()


def look(seat: Seat, time_ns: int, state: State, confidence: float) -> Seat:
    """Take in the live second that is known at `time_ns`, later than all before."""
    settled, settled_ns, tail = seat.settled, seat.settled_ns, seat.tail
    seen = Seen(time_ns - _AHEAD_NS, state, confidence)
    before_ns = tail[-1].end_ns if tail else settled_ns
    if seen.end_ns <= before_ns:
        return seat
    now = _lengthened(seat.now, (seen,), before_ns)
    tail = (*tail, seen)
    while tail[0].end_ns < time_ns - FINAL_S * _NS:
        settled, settled_ns = _lengthened(settled, tail[:1], settled_ns), tail[0].end_ns
        tail = tail[1:]
    return Seat(settled, settled_ns, tail, now)


def settle(seat: Seat, final: Epochs) -> Seat:
    """Take in final seconds; they stand in for the live ones of their time."""
    if not len(final) or int(final.start_ns[-1]) < seat.settled_ns:
        return seat
    skip = int(final.start_ns.searchsorted(seat.settled_ns))
    settled, lost_ns = seat.settled, int(final.start_ns[skip]) - seat.settled_ns
    if seat.settled_ns and lost_ns > 0:
        settled = _doubt(settled, lost_ns / _NS)
    for code, sure, span_s, sure_sum in _runs(final, skip):
        settled = _take(settled, STATES[int(code)], span_s, sure_sum if sure else None)
    settled_ns = int(final.start_ns[-1]) + _NS
    tail = tuple([seen for seen in seat.tail if seen.end_ns > settled_ns])
    return Seat(settled, settled_ns, tail, _lengthened(settled, tail, settled_ns))


def _runs(final: Epochs, skip: int) -> list[list[float]]:
    """Give runs of one state, sure or not, from a row on: code, whether sure, seconds, sum of their confidence."""
    runs = np.zeros((len(final) - skip, 4))
    found = _find_runs(final.state, final.confidence, skip, runs)
    return cast("list[list[float]]", runs[:found].tolist())


@compiled
def _find_runs(codes: NDArray[np.int8], confidence: NDArray[np.float64], skip: int, runs: NDArray[np.float64]) -> int:
    m = 0
    for i in range(skip, len(codes)):
        sure = confidence[i] >= SURE
        if i == skip or codes[i] != codes[i - 1] or sure != (confidence[i - 1] >= SURE):
            runs[m, 0], runs[m, 1] = codes[i], 1.0 if sure else 0.0
            m += 1
        runs[m - 1, 2] += 1.0
        runs[m - 1, 3] += confidence[i]
    return m


def _lengthened(so_far: Sitting, tail: tuple[Seen, ...], before_ns: int) -> Sitting:
    """Count live seconds, at once those that are alike."""
    span_s = sure_sum = 0.0
    state, sure = State.UNKNOWN, False
    for seen in tail:
        passed_s = (seen.end_ns - before_ns) / _NS if before_ns else 1.0
        gap_s = passed_s - 1.0 if passed_s > MEASURED_GAP_S else 0.0
        counts = seen.confidence >= SURE
        if span_s and (gap_s or state is not seen.state or sure is not counts):
            so_far = _take(so_far, state, span_s, sure_sum if sure else None)
            span_s = sure_sum = 0.0
        if gap_s:
            so_far = _doubt(so_far, gap_s)
        span_s += passed_s - gap_s
        sure_sum += (passed_s - gap_s) * seen.confidence
        state, sure, before_ns = seen.state, counts, seen.end_ns
    return _take(so_far, state, span_s, sure_sum if sure else None) if tail else so_far


def _take(so_far: Sitting, state: State, span_s: float, sure_sum: float | None) -> Sitting:
    """Count `span_s` seconds of one state; `sure_sum` is the sum of their confidence, None if they are not sure."""
    if state is State.NOT_WORN:
        return Sitting()
    if state is State.UNKNOWN:
        return _doubt(so_far, span_s)
    if sure_sum is None:
        return _doubt(so_far, span_s, guessed_s=span_s if state is State.SITTING else 0.0)
    return _sit(so_far, span_s, sure_sum) if state is State.SITTING else _stay_up(so_far, state, span_s)


def _doubt(so_far: Sitting, seconds: float, guessed_s: float = 0.0) -> Sitting:
    doubt_s, guessed_s = so_far.doubt_s + seconds, so_far.guessed_s + guessed_s
    if doubt_s >= UNSURE_RESETS_S:
        so_far = Sitting()
    return replace(so_far, doubt_s=doubt_s, guessed_s=guessed_s)


def _stay_up(so_far: Sitting, state: State, span_s: float) -> Sitting:
    doubt_s = so_far.doubt_s
    quiet_s = _quiet_s(so_far) + span_s if state is State.STANDING else 0.0
    was_up = so_far.up_s > 0.0 and so_far.resumed_s == 0.0
    up_s = so_far.up_s + so_far.before_s + so_far.resumed_s + (doubt_s if was_up else doubt_s / 2) + span_s
    if so_far.seated_s == 0.0 or up_s >= UP_RESETS_S:
        return Sitting(quiet_s=quiet_s)
    return replace(
        so_far,
        seated_s=so_far.seated_s + (0.0 if so_far.up_s else doubt_s / 2),
        up_s=up_s, quiet_s=quiet_s, before_s=0.0, resumed_s=0.0, doubt_s=0.0, guessed_s=0.0,
    )  # fmt: skip


def _sit(so_far: Sitting, span_s: float, sure_sum: float) -> Sitting:
    """Count sitting; it begins a streak, or goes on with one, once there are `RESUMED_S` of it."""
    more_s = span_s + (so_far.doubt_s if so_far.doubt_s <= BRIDGED_S else 0.0)
    if so_far.seated_s and not so_far.up_s:
        return Sitting(so_far.seated_s + more_s, so_far.sure_s + span_s, so_far.sure_sum + sure_sum)
    so_far = replace(so_far, resumed_s=so_far.resumed_s + more_s) if so_far.resumed_s else _sit_down(so_far, span_s)
    so_far = replace(
        so_far, sure_s=so_far.sure_s + span_s, sure_sum=so_far.sure_sum + sure_sum, doubt_s=0.0, guessed_s=0.0
    )
    if so_far.resumed_s < RESUMED_S:
        return so_far
    # What was too short to break the streak is part of it, as in the bouts that are stored.
    seated_s = so_far.seated_s + so_far.up_s + so_far.before_s + so_far.resumed_s
    return replace(so_far, seated_s=seated_s, up_s=0.0, before_s=0.0, resumed_s=0.0, quiet_s=0.0)


def _sit_down(so_far: Sitting, span_s: float) -> Sitting:
    """Begin to sit, or sit again, and date it back to when the body came to rest."""
    half_s = so_far.doubt_s / 2
    if so_far.up_s and so_far.up_s + half_s < UP_RESETS_S:
        return replace(so_far, up_s=so_far.up_s + half_s, before_s=half_s, resumed_s=span_s)
    unknown_s, guessed_s = so_far.doubt_s - so_far.guessed_s, min(so_far.guessed_s, BRIDGED_S)
    if so_far.quiet_s and so_far.quiet_s + unknown_s <= DOUBTED_S:
        before_s = so_far.quiet_s + unknown_s + guessed_s
    else:
        # what is too long to be one change says little of when it was
        change_s = unknown_s if unknown_s <= BRIDGED_S else DOUBTED_S
        before_s = change_s / 2 + guessed_s
    return Sitting(before_s=before_s, resumed_s=span_s, quiet_s=_quiet_s(so_far))


def _quiet_s(so_far: Sitting) -> float:
    """Return for how long nothing has moved, if it goes on so."""
    return so_far.quiet_s + so_far.resumed_s + (so_far.doubt_s if so_far.quiet_s else so_far.doubt_s / 2)
