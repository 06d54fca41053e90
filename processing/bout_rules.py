"""When a bout begins and ends, second by second, whatever the pieces in which the seconds come.

Every second is one of four things to a bout: IN it, OUT of it, OFF (the clip not worn, asleep: it is over, but nobody
got up) or NOT KNOWN. What is not known never lengthens a bout, and ends it only openly: with that as the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from itertools import chain
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.epochs import State
from processing.frozen import frozen


class Kind(IntEnum):
    """What a second is to a bout."""

    NOT_KNOWN = 0
    IN = 1
    OUT = 2
    OFF = 3


class Ended(StrEnum):
    """Why a bout ended."""

    OUT = "out"
    OFF = "off"
    NOT_KNOWN = "not_known"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Rule:
    """The lengths that make a bout, seconds.

    Attributes
    ----------
    name
        What the bout is called in the store.
    begin_s
        So long IN begins a bout (hysteresis), and ends an interruption.
    end_s
        So long OUT ends it, at the beginning of that OUT.
    off_s
        So long OFF ends it, at the beginning of that OFF.
    bridge_s
        So long NOT KNOWN is waited for; then it ended where knowledge did.
    least_s
        Bouts that are shorter are not kept.
    """

    name: str
    begin_s: int
    end_s: int
    off_s: int
    bridge_s: int
    least_s: int


WALKING: Final = Rule("walking", begin_s=1, end_s=4, off_s=1, bridge_s=3, least_s=5)
"""Gaps of up to 3 s belong to a walk; it has at least 5 s (Mobilise-D: breaks of up to 3 s do not end a walking bout,
Kluge et al. 2021, PLoS ONE 16:e0256541) and `LEAST_STEPS`."""
LEAST_STEPS: Final = 8
"""Steps of the shortest walk (our choice: four strides; turns and shuffles in the kitchen stay below)."""

SEDENTARY: Final = Rule("sedentary", begin_s=10, end_s=60, off_s=10, bridge_s=300, least_s=60)
"""Sitting, reclining or lying while awake (SBRN consensus, Tremblay et al. 2017, PMC5466781). A minute upright ends it
(PMC4721432 uses two minutes; the strict minute counts every real break); 10 s of hysteresis were best against
video-labelled recordings; five minutes without knowledge are bridged, as nudges do."""

SLOUCHED: Final = Rule("slouched", begin_s=10, end_s=10, off_s=10, bridge_s=300, least_s=10)
"""Relief counts from 10 s on, as for nudges."""

NOT_WORN: Final = Rule("not_worn", begin_s=10, end_s=10, off_s=10, bridge_s=300, least_s=60)
"""Wear itself is decided over longer windows, second by second; here it is only strung together."""

NIGHT_HOURS: Final = frozenset({22, 23, 0, 1, 2, 3, 4, 5, 6})
"""Local hours in which lying is taken for sleep and not for sedentary time (our choice; SBRN counts waking time only,
and one clip at the trunk cannot tell sleep)."""

UPRIGHT_STATES: Final = frozenset({State.STANDING, State.ACTIVE, State.WALKING, State.RUNNING, State.CYCLING})


RULES: Final = (WALKING, SEDENTARY, SLOUCHED, NOT_WORN)
"""All kinds of bouts; a row of counts is of the rule at the same place."""
_BEGIN, _END, _OFF, _BRIDGE, _LEAST = range(5)
_LENGTHS: Final = np.array([[r.begin_s, r.end_s, r.off_s, r.bridge_s, r.least_s] for r in RULES], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Bout:
    """A finished bout ``[start_s, end_s)`` (seconds since 1970); `known_s` of them were measured."""

    start_s: int
    end_s: int
    known_s: int
    breaks: int
    ended: Ended


@frozen
class BoutState:
    """Counts of one kind of bout, all in seconds.

    Attributes
    ----------
    open
        A bout has begun.
    start
        Where it (or what may become one) began.
    known
        Known seconds that belong to it for certain.
    away, away_start
        An interruption runs that may become its end, since when.
    pending, out, off
        Seconds of that interruption: all that are known, those OUT and those OFF.
    back
        Seconds IN again during the interruption.
    lost, lost_start
        Seconds NOT KNOWN in a row, since when.
    candidate
        Seconds IN while no bout is open.
    seen
        End of the last known second.
    """

    open: bool = False
    start: int = 0
    known: int = 0
    breaks: int = 0
    away: bool = False
    away_start: int = 0
    pending: int = 0
    out: int = 0
    off: int = 0
    back: int = 0
    lost: int = 0
    lost_start: int = 0
    candidate: int = 0
    seen: int = 0


_NAMES: Final = tuple(column.name for column in fields(BoutState))
_values: Final = attrgetter(*_NAMES)
COUNTS: Final = len(_NAMES)
"""Columns of a table of counts: the fields of `BoutState`, in their order."""
OPEN, START, KNOWN, BREAKS, AWAY, AWAY_START, PENDING, OUT, OFF, BACK, LOST, LOST_START, CANDIDATE, SEEN = range(COUNTS)
DONE: Final = 5
"""Columns of a table of finished bouts: those of `Bout`, `ended` as its place in `Ended`."""
_ENDED: Final = tuple(Ended)
_ENDED_OUT, _ENDED_OFF, _ENDED_NOT_KNOWN, _ENDED_DATA = range(4)


def counts_of(*states: BoutState) -> NDArray[np.int64]:
    """Return the table of counts, shape (k, `COUNTS`)."""
    counts = chain.from_iterable(_values(state) for state in states)
    return np.fromiter(counts, np.int64, len(states) * COUNTS).reshape(-1, COUNTS)


def state_of(row: list[int]) -> BoutState:
    """Return one row of counts as what is carried on."""
    is_open, start, known, breaks, away, *rest = row
    return BoutState(is_open != 0, start, known, breaks, away != 0, *rest)


def bout_of(row: list[int]) -> Bout:
    """Return one row of finished bouts."""
    start_s, end_s, known_s, breaks, ended = row
    return Bout(start_s, end_s, known_s, breaks, _ENDED[ended])


@compiled
def advance(
    c: NDArray[np.int64], k: int, kind: int, start: int, n: int, done: NDArray[np.int64], m: int
) -> int:  # fmt: skip
    """Take in `n` seconds of one kind from second `start` on; cutting them in two changes nothing.

    Parameters
    ----------
    c
        Counts, shape (`RULES`, `COUNTS`); row `k` is brought up to date by the rule of that place.
    done
        Shape (at least m + 1, at least `DONE`): a bout that is finished by these seconds goes to row `m`.

    Returns
    -------
    How many rows of `done` are filled.
    """
    if kind == Kind.NOT_KNOWN.value:
        return _not_known(c, k, start, n, done, m)
    c[k, LOST] = 0
    c[k, SEEN] = start + n
    if kind == Kind.IN.value:
        _in(c, k, start, n)
    elif not c[k, OPEN]:
        c[k, CANDIDATE] = 0
    else:
        _leave(c, k, start, n)
        if kind == Kind.OUT.value:
            c[k, OFF] = 0
            c[k, OUT] += n
            if c[k, OUT] >= _LENGTHS[k, _END]:
                return _close(c, k, c[k, AWAY_START], _ENDED_OUT, done, m)
        else:
            c[k, OFF] += n
            if c[k, OFF] >= _LENGTHS[k, _OFF]:
                return _close(c, k, c[k, AWAY_START], _ENDED_OFF, done, m)
    return m


@compiled
def finish(c: NDArray[np.int64], k: int, done: NDArray[np.int64], m: int) -> int:
    """Close an open bout because the data end; see `advance`."""
    if not c[k, OPEN]:
        return m
    return _close(c, k, c[k, AWAY_START] if c[k, AWAY] else c[k, SEEN], _ENDED_DATA, done, m)


@compiled
def _in(c: NDArray[np.int64], k: int, start: int, n: int) -> None:
    c[k, OFF] = 0
    if c[k, OPEN]:
        if not c[k, AWAY]:
            c[k, KNOWN] += n
            return
        c[k, BACK] += n
        c[k, PENDING] += n
        if c[k, BACK] >= _LENGTHS[k, _BEGIN]:
            c[k, KNOWN] += c[k, PENDING]
            c[k, BREAKS] += c[k, OUT] >= _LENGTHS[k, _BEGIN]
            _stay(c, k)
        return
    if not c[k, CANDIDATE]:
        c[k, START] = start
    c[k, CANDIDATE] += n
    if c[k, CANDIDATE] >= _LENGTHS[k, _BEGIN]:
        c[k, OPEN], c[k, KNOWN], c[k, BREAKS], c[k, CANDIDATE] = 1, c[k, CANDIDATE], 0, 0
        _stay(c, k)


@compiled
def _not_known(c: NDArray[np.int64], k: int, start: int, n: int, done: NDArray[np.int64], m: int) -> int:
    if not c[k, LOST]:
        c[k, LOST_START] = start
    c[k, LOST] += n
    if c[k, LOST] > _LENGTHS[k, _BEGIN]:
        c[k, CANDIDATE] = 0
    if c[k, OPEN] and c[k, LOST] > _LENGTHS[k, _BRIDGE]:
        return _close(c, k, c[k, AWAY_START] if c[k, AWAY] else c[k, LOST_START], _ENDED_NOT_KNOWN, done, m)
    return m


@compiled
def _leave(c: NDArray[np.int64], k: int, start: int, n: int) -> None:
    c[k, BACK] = 0
    c[k, PENDING] += n
    if not c[k, AWAY]:
        c[k, AWAY], c[k, AWAY_START] = 1, start


@compiled
def _stay(c: NDArray[np.int64], k: int) -> None:
    c[k, AWAY] = c[k, OUT] = c[k, OFF] = c[k, BACK] = c[k, PENDING] = 0


@compiled
def _close(c: NDArray[np.int64], k: int, end: int, ended: int, done: NDArray[np.int64], m: int) -> int:
    if c[k, KNOWN] >= _LENGTHS[k, _LEAST]:
        done[m, 0], done[m, 1], done[m, 2], done[m, 3], done[m, 4] = c[k, START], end, c[k, KNOWN], c[k, BREAKS], ended
        m += 1
    c[k, OPEN] = c[k, KNOWN] = c[k, BREAKS] = 0
    _stay(c, k)
    return m
