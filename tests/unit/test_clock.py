"""A driven clock makes time pass only where it is told to, in order, and tells wall from monotonic time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineclip.contract.clock import DrivenClock, SystemClock


async def _turns(n: int = 3) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def test_sleepers_wake_when_their_time_has_come_and_not_before() -> None:
    clock, woken = DrivenClock(1_000), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(s)) for s in (3.0, 1.0, 2.0)]
    await _turns()
    assert clock.next_wake_utc_ns == 1_000 + 10**9
    clock.advance_ns(10**9 - 1)
    await _turns()
    assert woken == []
    clock.advance_ns(1)
    await _turns()
    assert woken == [1.0]
    clock.advance(5)
    await asyncio.gather(*tasks)
    assert woken == [1.0, 2.0, 3.0]
    assert clock.next_wake_utc_ns is None


async def test_a_step_of_the_wall_clock_wakes_nobody() -> None:
    clock = DrivenClock(10**18)
    task = asyncio.create_task(clock.sleep(10))
    await _turns()
    clock.step_utc(3600)
    await _turns()
    assert not task.done()
    assert (clock.utc_ns(), clock.monotonic_ns()) == (10**18 + 3600 * 10**9, 0)
    clock.advance(10)
    await task


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = DrivenClock()
    task = asyncio.create_task(clock.sleep(1))
    await _turns()
    task.cancel()
    await _turns()
    assert clock.next_wake_utc_ns is None
    clock.advance(2)  # nothing left to wake, and nothing raised


async def test_no_sleep_still_lets_others_run() -> None:
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await DrivenClock().sleep(0)
    assert ran.is_set()


@given(st.lists(st.integers(0, 10**15), max_size=20))
def test_monotonic_time_is_the_sum_of_what_was_driven(deltas: list[int]) -> None:
    clock = DrivenClock(7)
    for delta in deltas:
        clock.advance_ns(delta)
    assert clock.monotonic_ns() == sum(deltas) == clock.utc_ns() - 7


def test_it_is_never_driven_back() -> None:
    clock = DrivenClock(100)
    with pytest.raises(ValueError, match="back"):
        clock.advance_ns(-1)
    clock.advance_to_utc(50)
    assert clock.utc_ns() == 100
    clock.advance_to_utc(130)
    assert clock.utc_ns() == 130


async def test_the_systems_clock_goes_on() -> None:
    clock = SystemClock()
    before = clock.monotonic_ns()
    await clock.sleep(-1)
    assert clock.monotonic_ns() >= before
    await clock.sleep(0.005)
    assert clock.monotonic_ns() - before >= 4_900_000, "it waits, to the resolution of a timer"
    assert clock.utc_ns() > 1_700_000_000 * 10**9
