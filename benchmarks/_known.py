"""When the live seconds by themselves fulfil the cause of a nudge: what tells acting late from recognising late.

They are counted here as plainly as somebody would who reads them one after the other, and apart from the code that
nudges: a stretch begins with the first sure second, goes on over what is not sure, and ends as the product says
(a minute out of the chair, `RELIEF_S` with a straight back, five minutes of nothing sure). It is a cause once it is as
long as the limit, three quarters of it were sure by themselves, and the newest second is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from processing.epochs import State
from processing.nudges import REST_S
from processing.seating import RESUMED_S, SURE, UNSURE_RESETS_S, UP_RESETS_S
from processing.streaks import RELIEF_S, SURE_SHARE, Cause, Moment, Nudge

SECOND_NS: Final = 10**9
PATIENCE_S: Final = 5.0


@dataclass(slots=True)
class _Stretch:
    """A sitting or a bend, in seconds since 1970 and lengths in seconds."""

    limit_s: float
    ends_s: float
    resumes_s: float
    since: float = inf
    sure_s: int = 0
    out_s: int = 0
    again_s: int = 0
    unsure_s: int = 0

    def step(self, end_s: float, *, holds: bool | None) -> bool:
        """Take in the second that ends then; tell whether there is cause now."""
        if holds is None:
            self.unsure_s += 1
            if self.unsure_s >= UNSURE_RESETS_S:
                self.since, self.sure_s = inf, 0
            return False
        self.unsure_s = 0
        if not holds:
            self.out_s, self.again_s = self.out_s + 1, 0
            if self.out_s >= self.ends_s:
                self.since, self.sure_s = inf, 0
            return False
        self.again_s += 1
        if self.again_s >= self.resumes_s:
            self.out_s = 0
        self.since = min(self.since, end_s - 1)
        self.sure_s += 1
        length_s = end_s - self.since
        return self.out_s == 0 and length_s >= self.limit_s and self.sure_s >= SURE_SHARE * length_s


def acted_s(moments: Iterable[Moment], given: Sequence[Nudge], cause: Cause, limit_min: float) -> list[float]:
    """Return how many seconds after its cause was known each nudge came; before that is 0.

    What stood in the ten minutes after the nudge before counts from their end. A cause that was known for longer than
    five seconds while no nudge came at all gives infinity.
    """
    limit_s = 60 * limit_min
    ends_s, resumes_s = (RELIEF_S, 1.0) if cause is Cause.SLOUCHED else (UP_RESETS_S, RESUMED_S)
    stretch = _Stretch(limit_s, ends_s, resumes_s)
    starts = {nudge.time_ns: nudge for nudge in given if nudge.cause is cause}
    found: list[float] = []
    free_s, known_s, stands_until_s = 0.0, inf, 0.0
    for moment in moments:
        now_s = moment.time_ns / SECOND_NS
        holds = moment.bent if cause is Cause.SLOUCHED else _sits(moment)
        fulfilled = stretch.step(now_s, holds=holds)
        if stretch.since == inf:
            if known_s < inf and now_s - known_s > PATIENCE_S:
                found.append(inf)
            known_s = inf
        elif fulfilled and known_s == inf and now_s >= max(free_s, stands_until_s):
            known_s = now_s
        if (nudge := starts.get(moment.time_ns)) is not None:
            found.append(max(0.0, now_s - known_s) if known_s < inf else 0.0)
            ended_s = inf if nudge.ended_s is None else now_s + nudge.ended_s
            known_s, stands_until_s, free_s = inf, ended_s, ended_s + REST_S
    return found


def _sits(moment: Moment) -> bool | None:
    if moment.state is State.UNKNOWN or moment.confidence < SURE:
        return None
    return moment.state is State.SITTING
