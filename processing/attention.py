"""What of a day a therapist would want to ask about: so that forty patients can be sorted by who needs a call.

A day gets points, and for each point a few words. The points are for sorting alone; they say nothing about a person.
The bounds are our choice: a day has to miss what was agreed by a wide margin (half of a goal, twice a limit) before
it counts, because single days vary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from processing.metrics import Value

NOT_SEEN: Final = 2
"""Points of a day on which the clip was not worn at all."""
FAR_BELOW: Final = 0.5
FAR_ABOVE: Final = 2.0


_WORDS: Final = {
    "not_worn": "not worn",
    "little": "worn {worn} min only",
    "walked": "walked {walked} of {goal} min",
    "sat": "sat {sat} min without a break",
    "upright": "upright {upright} % of sitting",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Something to ask about: its name, its points, and its numbers, rounded."""

    name: str
    points: int
    numbers: Mapping[str, str]


def attention(day: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields ``attention`` and ``attention_why`` of a local day.

    Parameters
    ----------
    day
        The other fields of the day's ``daily`` point; what is not known is left out.
    """
    found = reasons(day)
    why = "; ".join(_WORDS[reason.name].format(**reason.numbers) for reason in found)
    return {"attention": sum(reason.points for reason in found), "attention_why": why}


def reasons(day: Mapping[str, Value]) -> list[Reason]:
    """Return what one would ask about on a local day, for whoever has words of their own for it."""
    worn_min = _number(day, "worn_min") or 0.0
    if worn_min <= 0:
        return [Reason("not_worn", NOT_SEEN, {})]
    if not day.get("enough_data", False):
        return [Reason("little", 1, {"worn": f"{worn_min:.0f}"})]
    found = []
    walked, goal = _number(day, "walking_min"), _number(day, "goal_walking_min")
    if walked is not None and goal is not None and walked < goal * FAR_BELOW:
        found.append(Reason("walked", 1, {"walked": f"{walked:.0f}", "goal": f"{goal:.0f}"}))
    sat, limit = _number(day, "longest_sedentary_min"), _number(day, "goal_longest_sedentary_min")
    if sat is not None and limit is not None and sat > limit * FAR_ABOVE:
        found.append(Reason("sat", 1, {"sat": f"{sat:.0f}"}))
    upright, share = _number(day, "upright_pct"), _number(day, "goal_upright_pct")
    if upright is not None and share is not None and upright < share * FAR_BELOW:
        found.append(Reason("upright", 1, {"upright": f"{upright:.0f}"}))
    return found


def _number(day: Mapping[str, Value], name: str) -> float | None:
    value = day.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
