"""Promise: who asks too often waits for the next minute, and nobody else does."""

from __future__ import annotations

from dashboards.pace import MOST_KNOWN, Pace
from spineclip.contract.clock import DrivenClock


def test_so_many_a_window_and_a_new_count_in_the_next() -> None:
    clock = DrivenClock(0)
    pace = Pace(clock, 2, window_s=60.0)
    assert [pace.allows("one") for _ in range(3)] == [True, True, False]
    assert pace.allows("another"), "each is counted alone"
    clock.advance(59.0)
    assert not pace.allows("one")
    clock.advance(1.0)
    assert [pace.allows("one") for _ in range(3)] == [True, True, False]


def test_it_forgets_who_was_not_heard_of_for_longest() -> None:
    pace = Pace(DrivenClock(0), 1)
    assert pace.allows("first")
    assert pace.allows("second")
    assert not pace.allows("first"), "heard of again, and so newer than the second"
    for k in range(MOST_KNOWN - 1):
        pace.allows(f"visitor-{k}")
    assert not pace.allows("first")
    assert pace.allows("second"), "forgotten: a crowd costs memory within bounds"
