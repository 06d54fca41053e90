"""Promises of the heartbeat on a real InfluxDB: one core writes, a dead one is replaced, none waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from processing.stores.influx_link import Address, InfluxLink
from processing.stores.lease import BEAT_S, LONG_GONE_NS, PATIENCE_S, Lease, TakenError
from spineclip.contract.clock import DrivenClock
from tests.servers.influx import Influx

pytestmark = pytest.mark.server("influx")
NOON_NS = 1_770_000_000 * 10**9
AT_ONCE_S = 1.0
"""Who need not wait looks once more, a fraction of a second later, whether somebody came in the same moment."""


@pytest.fixture
def link(influx_empty: Influx) -> Iterator[InfluxLink]:
    way = InfluxLink(Address(influx_empty.url, influx_empty.bucket, influx_empty.token, influx_empty.org))
    yield way
    way.close()


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(NOON_NS)


def _waited_s(clock: DrivenClock, lease: Lease) -> float:
    begun_ns = clock.monotonic_ns()
    lease.take()
    return (clock.monotonic_ns() - begun_ns) / 1e9


def _stands(link: InfluxLink) -> tuple[str, int]:
    ((_, name, number),) = link.query('SELECT "name", "number" FROM "core"')[0]["values"]
    return name, number


def test_the_first_one_need_not_wait(link: InfluxLink, clock: DrivenClock) -> None:
    assert _waited_s(clock, Lease(link, clock, clock.advance)) < AT_ONCE_S


def test_while_one_beats_no_other_takes_its_place(link: InfluxLink, clock: DrivenClock) -> None:
    first = Lease(link, clock, clock.advance)
    first.take()

    def wait(seconds: float) -> None:
        clock.advance(seconds)
        first.check()

    with pytest.raises(TakenError, match="another core"):
        Lease(link, clock, wait).take()
    first.beat()
    assert first.lost is None


def test_one_that_is_silent_is_replaced_after_the_patience_and_told_so(link: InfluxLink, clock: DrivenClock) -> None:
    first, second = (Lease(link, clock, clock.advance) for _ in range(2))
    first.take()
    assert PATIENCE_S <= _waited_s(clock, second) < PATIENCE_S + AT_ONCE_S
    with pytest.raises(TakenError, match="another core"):
        first.check()
    assert isinstance(first.lost, TakenError)
    second.beat()
    first.release()  # what is not ours any more is not ours to give back
    second.beat()


def test_of_two_that_start_at_once_one_gives_way(link: InfluxLink, clock: DrivenClock) -> None:
    second = Lease(link, clock, clock.advance)

    def wait(seconds: float) -> None:
        clock.advance(seconds)
        second.take()

    with pytest.raises(TakenError, match="another core"):
        Lease(link, clock, wait).take()
    second.beat()


def test_who_took_leave_is_not_waited_for(link: InfluxLink, clock: DrivenClock) -> None:
    first = Lease(link, clock, clock.advance)
    first.take()
    first.release()
    assert _waited_s(clock, Lease(link, clock, clock.advance)) < AT_ONCE_S


def test_a_heartbeat_of_long_ago_is_not_waited_for(link: InfluxLink, clock: DrivenClock) -> None:
    Lease(link, clock, clock.advance).take()
    clock.advance_ns(LONG_GONE_NS)
    assert _waited_s(clock, Lease(link, clock, clock.advance)) < AT_ONCE_S


def test_a_wall_clock_that_was_set_back_makes_no_difference(link: InfluxLink, clock: DrivenClock) -> None:
    Lease(link, clock, clock.advance).take()
    clock.step_utc(-3600)
    assert PATIENCE_S <= _waited_s(clock, Lease(link, clock, clock.advance)) < PATIENCE_S + AT_ONCE_S


def test_before_something_is_stored_a_beat_is_given_only_if_the_last_is_two_beats_old(
    link: InfluxLink, clock: DrivenClock
) -> None:
    lease = Lease(link, clock, clock.advance)
    lease.take()
    name, number = _stands(link)
    clock.advance(2 * BEAT_S)
    lease.check()
    assert _stands(link) == (name, number)
    clock.advance(0.001)
    lease.check()
    assert _stands(link) == (name, number + 1)
