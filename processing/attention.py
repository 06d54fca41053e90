"""What of a day a therapist would want to ask about: so that forty patients can be sorted by who needs a call.

A day gets points, and for each point a few words. The points are for sorting alone; they say nothing about a person.
The bounds are our choice: a day has to miss what was agreed by a wide margin (half of a goal, twice a limit) before
it counts, because single days vary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from processing.metrics import Value

NOT_SEEN: Final = 2
"""Points of a day on which the clip was not worn at all."""
FAR_BELOW: Final = 0.5
FAR_ABOVE: Final = 2.0


def attention(day: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields ``attention`` and ``attention_why`` of a local day.

    Parameters
    ----------
    day
        The other fields of the day's ``daily`` point; what is not known is left out.
    """
    worn_min = _number(day, "worn_min") or 0.0
    if worn_min <= 0:
        return {"attention": NOT_SEEN, "attention_why": "not worn"}
    if not day.get("enough_data", False):
        return {"attention": 1, "attention_why": f"worn {worn_min:.0f} min only"}
    found = []
    walked, goal = _number(day, "walking_min"), _number(day, "goal_walking_min")
    if walked is not None and goal is not None and walked < goal * FAR_BELOW:
        found.append(f"walked {walked:.0f} of {goal:.0f} min")
    sat, limit = _number(day, "longest_sedentary_min"), _number(day, "goal_longest_sedentary_min")
    if sat is not None and limit is not None and sat > limit * FAR_ABOVE:
        found.append(f"sat {sat:.0f} min without a break")
    upright, share = _number(day, "upright_pct"), _number(day, "goal_upright_pct")
    if upright is not None and share is not None and upright < share * FAR_BELOW:
        found.append(f"upright {upright:.0f} % of sitting")
    return {"attention": len(found), "attention_why": "; ".join(found)}


def _number(day: Mapping[str, Value], name: str) -> float | None:
    value = day.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
