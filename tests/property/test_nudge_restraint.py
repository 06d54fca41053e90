"""Promise: whatever a body does, nudges stay within their bounds."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from processing.epochs import State
from processing.nudges import WARM_UP_S, Today, begin, is_quiet, step
from processing.streaks import Cause, Moment, Nudge
from spineclip.contract.config import Nudging
from spineclip.contract.days import local_time

ZONE = ZoneInfo("America/New_York")
START_NS = int(datetime(2026, 10, 31, 19, tzinfo=ZONE).timestamp()) * 10**9
SPELLS = st.lists(
    st.tuples(
        st.integers(1, 900),
        st.sampled_from(State),
        st.sampled_from([False, True, True, None]),
        st.sampled_from([0.9, 0.9, 0.9, 0.3]),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([2.0, 2.0, 60.0]),
        st.sampled_from([0, 0, 0, 30, 1000]),
    ),
    max_size=10,
)
WISHES = st.builds(
    Nudging,
    enabled=st.sampled_from([True, True, False]),
    slouched_min=st.integers(0, 3),
    sedentary_min=st.integers(0, 10),
    daily_cap=st.integers(0, 4),
    quiet_from_hour=st.integers(0, 24),
    quiet_until_hour=st.integers(0, 24),
)


@settings(max_examples=40, deadline=None)
@given(SPELLS, WISHES)
def test_nudges_stay_within_their_bounds(
    spells: list[tuple[int, State, bool | None, float, bool, float, int]], wishes: Nudging
) -> None:
    state, now_ns, off_ns, lost_ns = begin(), START_NS, START_NS, START_NS
    running: dict[str, Nudge] = {}
    given_on: dict[object, int] = {}
    for seconds, body, bent, confidence, oriented, vibration_mg, lost_s in spells:
        now_ns += lost_s * 10**9
        for _ in range(seconds):
            now_ns += 10**9
            local = local_time(now_ns, ZONE)
            off_ns = now_ns if body is State.NOT_WORN else off_ns
            lost_ns = now_ns if body is State.NOT_WORN or not oriented else lost_ns
            moment = Moment(now_ns, body, bent, confidence, oriented, vibration_mg)
            state, nudges = step(state, moment, Today(), wishes, local)
            for nudge in nudges:
                if nudge.ended_s is None:
                    assert nudge.cause not in running, "one at a time"
                    assert not is_quiet(wishes, local)
                    assert wishes.enabled
                    assert confidence > 0.5 or nudge.cause is Cause.SLOUCHED
                    assert bent is True or nudge.cause is not Cause.SLOUCHED
                    assert body is not State.NOT_WORN
                    assert now_ns - off_ns >= WARM_UP_S * 1e9
                    assert nudge.cause is not Cause.SLOUCHED or now_ns - lost_ns >= WARM_UP_S * 1e9
                    assert nudge.measured_min >= nudge.limit_min > 0
                    running[nudge.cause] = nudge
                    given_on[local.date()] = given_on.get(local.date(), 0) + 1
                else:
                    started = running.pop(nudge.cause)
                    assert nudge.time_ns == started.time_ns
                    assert nudge.ended_s == (now_ns - started.time_ns) / 1e9
            assert set(running.values()) == set(state.active)
    assert max(given_on.values(), default=0) <= wishes.daily_cap
