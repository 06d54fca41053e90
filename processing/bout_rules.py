"""When a bout begins and ends, second by second, whatever the pieces in which the seconds come.

Every second is one of four things to a bout: IN it, OUT of it, OFF (the clip not worn, asleep: it is over, but nobody
got up) or NOT KNOWN. What is not known never lengthens a bout, and ends it only openly: with that as the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from typing import Final

from processing.epochs import State


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


@dataclass(frozen=True, slots=True)
class Bout:
    """A finished bout ``[start_s, end_s)`` (seconds since 1970); `known_s` of them were measured."""

    start_s: int
    end_s: int
    known_s: int
    breaks: int
    ended: Ended


@dataclass(frozen=True, slots=True)
class BoutState:
    """Counts of one kind of bout, all in seconds; see `Machine` for their use."""

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


class Machine:
    """Runs one rule over stretches of seconds that are all of one kind; cutting a stretch in two changes nothing."""

    __slots__ = (*_NAMES, "finished", "rule")

    def __init__(self, rule: Rule, state: BoutState) -> None:
        self.rule = rule
        self.finished: list[Bout] = []
        self.open: bool = state.open
        """A bout has begun."""
        self.start: int = state.start
        """Where it (or what may become one) began."""
        self.known: int = state.known
        """Known seconds that belong to it for certain."""
        self.breaks: int = state.breaks
        self.away: bool = state.away
        """An interruption runs that may become its end."""
        self.away_start: int = state.away_start
        self.pending: int = state.pending
        """Known seconds since the interruption began."""
        self.out: int = state.out
        self.off: int = state.off
        self.back: int = state.back
        """Seconds IN again during the interruption."""
        self.lost: int = state.lost
        """Seconds NOT KNOWN in a row."""
        self.lost_start: int = state.lost_start
        self.candidate: int = state.candidate
        """Seconds IN while no bout is open."""
        self.seen: int = state.seen
        """End of the last known second."""

    def state(self) -> BoutState:
        """Return the counts, to be carried on."""
        return BoutState(*(getattr(self, name) for name in _NAMES))

    def advance(self, kind: int, start: int, n: int) -> None:
        """Take in `n` seconds of one kind from second `start` on."""
        if kind == Kind.NOT_KNOWN:
            self._not_known(start, n)
            return
        self.lost = 0
        self.seen = start + n
        if kind == Kind.IN:
            self._in(start, n)
        elif not self.open:
            self.candidate = 0
        elif kind == Kind.OUT:
            self._out(start, n)
        else:
            self._off(start, n)

    def so_far(self) -> int:
        """Return the known seconds of the open bout, without an interruption that still runs."""
        return self.known if self.open else 0

    def finish(self) -> None:
        """Close an open bout because the data end."""
        if self.open:
            self._close(self.away_start if self.away else self.seen, Ended.DATA)

    def _in(self, start: int, n: int) -> None:
        self.off = 0
        if self.open:
            if not self.away:
                self.known += n
                return
            self.back += n
            self.pending += n
            if self.back >= self.rule.begin_s:
                self.known += self.pending
                self.breaks += self.out >= self.rule.begin_s
                self._stay()
            return
        if not self.candidate:
            self.start = start
        self.candidate += n
        if self.candidate >= self.rule.begin_s:
            self.open, self.known, self.breaks, self.candidate = True, self.candidate, 0, 0
            self._stay()

    def _out(self, start: int, n: int) -> None:
        self._leave(start)
        self.off = 0
        self.out += n
        self.pending += n
        if self.out >= self.rule.end_s:
            self._close(self.away_start, Ended.OUT)

    def _off(self, start: int, n: int) -> None:
        self._leave(start)
        self.off += n
        self.pending += n
        if self.off >= self.rule.off_s:
            self._close(self.away_start, Ended.OFF)

    def _not_known(self, start: int, n: int) -> None:
        if not self.lost:
            self.lost_start = start
        self.lost += n
        if self.lost > self.rule.begin_s:
            self.candidate = 0
        if self.open and self.lost > self.rule.bridge_s:
            self._close(self.away_start if self.away else self.lost_start, Ended.NOT_KNOWN)

    def _leave(self, start: int) -> None:
        self.back = 0
        if not self.away:
            self.away, self.away_start = True, start

    def _stay(self) -> None:
        self.away = False
        self.out = self.off = self.back = self.pending = 0

    def _close(self, end: int, ended: Ended) -> None:
        if self.known >= self.rule.least_s:
            self.finished.append(Bout(self.start, end, self.known, self.breaks, ended))
        self.open, self.known, self.breaks = False, 0, 0
        self._stay()
