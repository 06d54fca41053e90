"""Promise: steps and cadence do not depend on how a recording is cut, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.motion import Motion
from firmware_sim.script import runs, sits, stands, walks
from processing.walking import AFTER_S, BEFORE_S, GRID_HZ, gait

SECONDS = 120


def _recording() -> tuple[np.ndarray, np.ndarray]:
    motion = Motion((sits(20.0), walks(30.0, 95.0), stands(15.0), walks(25.0), runs(20.0), sits(10.0)), start_ns=0)
    x = motion.samples(np.arange(SECONDS * GRID_HZ, dtype=np.int64) * 40_000_000)
    x[70 * GRID_HZ : 73 * GRID_HZ] = np.nan
    return x, motion.truth(0, SECONDS * 10**9).cadence_spm > 0


X, WALKED = _recording()
WHOLE = gait(X, WALKED)


@settings(max_examples=60, deadline=None)
@given(
    first=st.integers(0, SECONDS - 1),
    length=st.integers(1, SECONDS),
    before=st.integers(0, 9),
    after=st.integers(0, 9),
)
def test_a_piece_with_its_surroundings_gives_what_the_whole_gives(
    first: int, length: int, before: int, after: int
) -> None:
    last = min(first + length, SECONDS)
    low, high = max(first - BEFORE_S - before, 0), min(last + AFTER_S + after, SECONDS)
    wanted = np.zeros(high - low, dtype=np.bool_)
    wanted[first - low : last - low] = WALKED[first:last]
    part = gait(X[low * GRID_HZ : high * GRID_HZ], wanted)
    for name in ("steps", "cadence_spm", "regularity"):
        got, expected = getattr(part, name)[first - low : last - low], getattr(WHOLE, name)[first:last]
        assert np.array_equal(got, expected, equal_nan=True)
