"""Promise: a wearable's own counter and clock tell what was lost, sample for sample, and never more."""

from __future__ import annotations

from typing import Literal

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


@pytest.mark.parametrize(
    ("passed", "lost"),
    [
        (50 * 1.02, 40),  # its samples take 2 % longer than named: whole packets are missing all the same
        (50 * 0.98, 40),
        (10 + 53, 53),  # no number of packets of ten: the wearable itself was silent
        (10 + 1, 0),  # a step of its clock
    ],
)
def test_a_clock_alone_counts_whole_packets_though_the_rate_is_not_known_well(passed: float, lost: int) -> None:
    sequence = Sequence(CLOCK, None, PERIOD_NS)
    sequence.judge(_packet(0, 0), 0)
    late_ns = round(passed * PERIOD_NS)
    verdict = sequence.judge(Decoded(_COUNTS, 0.001, tick=late_ns // 1_000), late_ns)
    assert (verdict.step, verdict.lost) == (Step.NEXT, lost)


@pytest.mark.parametrize("bits", [None, 16])
@pytest.mark.parametrize("marks", ["first", "last"])
def test_in_packets_of_any_size_nothing_is_missing(marks: Literal["first", "last"], bits: int | None) -> None:
    """From first to first sample lies the earlier packet, from last to last the later one."""
    sequence, first = Sequence(TickClock(1_000.0, 32, marks), bits, PERIOD_NS), 0
    for counter, n in enumerate((10, 40, 5, 80, 10, 3, 40)):
        marked = first if marks == "first" else first + n - 1
        first += n
        packet = Decoded(np.zeros((n, 3), np.int16), 0.001, tick=marked * PERIOD_NS // 1_000, counter=counter)
        verdict = sequence.judge(packet, first * PERIOD_NS)
        assert (verdict.step, verdict.lost) == (Step.NEXT, 0)
    period = sequence.period()
    assert period is not None
    assert period[0] == pytest.approx(PERIOD_NS)


def test_both_at_once_are_added() -> None:
    verdict = _sequence().judge(_packet(65_540, 50 + 20 + 30), 100 * PERIOD_NS)
    assert (verdict.step, verdict.lost) == (Step.NEXT, 50)


@pytest.mark.parametrize(("clock", "bits"), [(CLOCK, 16), (CLOCK, None), (None, 16)])
@pytest.mark.parametrize(("packets", "step"), [(151, Step.NEXT), (152, Step.REBOOT)])
def test_a_clock_or_a_counter_that_ran_ahead_by_more_than_half_a_minute_was_set_anew(
    clock: TickClock | None, bits: int | None, packets: int, step: Step
) -> None:
    """Packets of a fifth of a second: 150 are half a minute, and one more is what has passed here."""
    sequence = Sequence(clock, bits, PERIOD_NS)
    sequence.judge(_packet(0, 0), 0)
    ahead = packets + (1 if clock is None else 0)  # a counter tells what is between two packets, a clock what passed
    assert sequence.judge(_packet(ahead, 10 * ahead), 10 * PERIOD_NS).step is step


@pytest.mark.parametrize("back", [1, 2, 5])
def test_what_came_before_is_not_taken_again(back: int) -> None:
    verdict = _sequence().judge(_packet(65_538 - back, 50 - 10 * back), 51 * PERIOD_NS)
    assert verdict.step is Step.AGAIN


@pytest.mark.parametrize(("back", "step"), [(64, Step.AGAIN), (65, Step.REBOOT)])
def test_a_counter_far_back_is_no_late_packet(back: int, step: Step) -> None:
    sequence = Sequence(None, 16, PERIOD_NS)
    sequence.judge(_packet(1_000, 0), 0)
    assert sequence.judge(_packet(1_000 - back, 0), PERIOD_NS).step is step


@pytest.mark.parametrize(("back", "step"), [(0, Step.AGAIN), (249, Step.AGAIN), (251, Step.REBOOT)])
def test_a_clock_five_seconds_back_is_no_late_packet(back: int, step: Step) -> None:
    sequence = Sequence(CLOCK, None, PERIOD_NS)
    sequence.judge(_packet(0, 1_000), 0)
    assert sequence.judge(_packet(0, 1_000 - back), PERIOD_NS).step is step


def test_who_stays_in_the_past_has_rebooted_after_all() -> None:
    sequence = _sequence()
    old, new = _packet(65_537, 40), _packet(65_538, 50)
    assert [sequence.judge(old, 51 * PERIOD_NS).step for _ in range(8)] == [Step.AGAIN] * 8
    assert sequence.judge(new, 51 * PERIOD_NS).step is Step.NEXT, "repeats, and then it goes on"
    steps = [sequence.judge(old, 52 * PERIOD_NS).step for _ in range(9)]
    assert steps == [Step.AGAIN] * 8 + [Step.REBOOT]


def test_a_counter_that_starts_anew_is_a_reboot() -> None:
    assert _sequence(counter=30_000).judge(_packet(0, 0), 51 * PERIOD_NS).step is Step.REBOOT


@pytest.mark.parametrize("bits", [None, 16])
@pytest.mark.parametrize(("factor", "steps"), [(2, 16), (10, 16), (0.5, 4)])
def test_a_rate_that_nobody_asked_for_is_believed_after_a_while(factor: float, steps: int, bits: int | None) -> None:
    """Losses are uneven, a rate is not: what was called lost becomes the rate, and nothing is lost any more."""
    sequence, verdicts = Sequence(CLOCK, bits, PERIOD_NS), []
    for k in range(40):
        first = round(10 * k * factor)
        verdicts.append(sequence.judge(_packet(k, first), first * PERIOD_NS))
    assert [verdict.step for verdict in verdicts].index(Step.OTHER_RATE) == steps
    assert all(verdict.lost == (round(10 * (factor - 1)) if factor > 1 else 0) for verdict in verdicts[1 : steps + 1])
    assert {(verdict.step, verdict.lost) for verdict in verdicts[steps + 1 :]} == {(Step.NEXT, 0)}
    period = sequence.period()
    assert period is not None
    assert period[0] == pytest.approx(factor * PERIOD_NS)


def test_packets_that_a_counter_says_were_lost_are_no_other_rate() -> None:
    """Every other packet is lost, each time the same: the wearable sends at the rate that was asked for."""
    sequence = Sequence(CLOCK, 16, PERIOD_NS)
    verdicts = [sequence.judge(_packet(2 * k, 20 * k), 20 * k * PERIOD_NS) for k in range(40)]
    assert {(verdict.step, verdict.lost) for verdict in verdicts[1:]} == {(Step.NEXT, 10)}


def test_losses_at_random_are_no_other_rate() -> None:
    rng = np.random.default_rng(5)
    sequence, first, lost, named = Sequence(CLOCK, None, PERIOD_NS), 0, 0, 0
    for _ in range(5_000):
        missing = 10 * int(rng.integers(0, 3))
        first, lost = first + 10 + missing, lost + missing
        verdict = sequence.judge(_packet(0, first), first * PERIOD_NS)
        assert verdict.step is Step.NEXT
        named += verdict.lost
    assert named == pytest.approx(lost, abs=20)  # what came before the first packet is nobody's loss


def test_after_a_reboot_the_rate_is_found_anew() -> None:
    sequence = _sequence(50, counter=1_000)
    assert sequence.judge(_packet(0, 0), 600 * PERIOD_NS).step is Step.REBOOT
    assert sequence.period() is None
