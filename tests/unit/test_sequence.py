"""Promise: a wearable's own counter and clock tell what was lost, sample for sample, and never more."""

from __future__ import annotations

import numpy as np
import pytest

from collector.sequence import Sequence, Step
from collector.wearables.base import Decoded, TickClock

PERIOD_NS = 20_000_000
CLOCK = TickClock(1_000.0, 32, "first")
_COUNTS = np.zeros((10, 3), np.int16)


def _packet(counter: int, first: int) -> Decoded:
    """Make a packet of ten samples, the first of them sample `first` since boot."""
    return Decoded(_COUNTS, 0.001, tick=first * PERIOD_NS // 1_000 % 2**32, counter=counter % 2**16)


def _sequence(packets: int = 5, counter: int = 65_533) -> Sequence:
    sequence = Sequence(CLOCK, 16, PERIOD_NS)
    for k in range(packets):
        assert sequence.judge(_packet(counter + k, 10 * k), 10 * k * PERIOD_NS).step is Step.NEXT
    return sequence


@pytest.mark.parametrize("lost", [0, 1, 3, 40])
def test_packets_lost_on_the_way_are_counted(lost: int) -> None:
    verdict = _sequence().judge(_packet(65_538 + lost, 50 + 10 * lost), (50 + 10 * lost) * PERIOD_NS)
    assert (verdict.step, verdict.lost) == (Step.NEXT, 10 * lost)


@pytest.mark.parametrize("silent", [10, 55, 400])
def test_a_wearable_that_was_silent_itself_is_seen_by_its_clock(silent: int) -> None:
    # Its counter goes on by one: nothing was lost on the way, and yet samples are missing.
    sequence = _sequence()
    before = sequence.period()
    verdict = sequence.judge(_packet(65_538, 50 + silent), (50 + silent) * PERIOD_NS)
    assert (verdict.step, verdict.lost) == (Step.NEXT, silent)
    assert sequence.period() == before, "a silence says nothing about the rate"


def test_both_at_once_are_added() -> None:
    verdict = _sequence().judge(_packet(65_540, 50 + 20 + 30), 100 * PERIOD_NS)
    assert (verdict.step, verdict.lost) == (Step.NEXT, 50)


def test_a_clock_that_ran_ahead_was_set_anew() -> None:
    verdict = _sequence().judge(_packet(65_538, 50 + 3_000), 50 * PERIOD_NS)
    assert verdict.step is Step.REBOOT


@pytest.mark.parametrize("back", [1, 2, 5])
def test_what_came_before_is_not_taken_again(back: int) -> None:
    verdict = _sequence().judge(_packet(65_538 - back, 50 - 10 * back), 51 * PERIOD_NS)
    assert verdict.step is Step.AGAIN


def test_a_counter_that_starts_anew_is_a_reboot() -> None:
    assert _sequence(counter=30_000).judge(_packet(0, 0), 51 * PERIOD_NS).step is Step.REBOOT
