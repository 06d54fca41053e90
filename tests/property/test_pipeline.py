"""Promise: the same samples end in the same points, bit for bit, however they are cut, joined, saved and resumed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.recordings import read
from processing import pipeline, records
from processing.analysis import Track, analyze
from processing.checkpoint import Registry
from processing.metrics import Point, check
from processing.pipeline import PatientState, Result
from processing.samples import Block
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.placement import Placement
from tests.system.collecting import T0_NS, day_of_somebody

BACK, THIGH = Placement.LOWER_BACK, Placement.THIGH
REGISTRY = Registry(PatientState)
Points = dict[tuple[str, int, tuple[str, ...]], Point]


def whole(seconds: int, seed: int = 1) -> Block:
    """Somebody who walks and rests, with a gap of 3.5 s and one of 25 s."""
    parts = [records.block(batch) for batch in day_of_somebody(seconds, seed=seed)]
    block = Block(np.concatenate([p.t_ns for p in parts]), np.concatenate([p.xyz_g for p in parts]))
    at = (block.t_ns - T0_NS) / 1e9
    keep = ~(((at >= 40) & (at < 43.5)) | ((at >= 75) & (at < 100)))
    return Block(block.t_ns[keep], block.xyz_g[keep])


BLOCK = whole(150)


def gather(results: Iterable[Result]) -> Points:
    found: Points = {}
    for result in results:
        for point in result.points:
            check(point)
            if point.measurement != "nudge":  # nudges belong to the present, which has its own pieces
                found[point.measurement, point.time_ns, tuple(point.tags.values())] = point
    return found


def batch(config: PatientConfig | None = None, *tracks: Track) -> Points:
    return gather(analyze(tracks or [Track("clip", BACK, [BLOCK])], config or PatientConfig(), "p-1"))


WHOLE = batch()


def cut(block: Block, cuts: Iterable[int]) -> list[Block]:
    edges = [0, *sorted(cuts), len(block)]
    return [block.slice(a, b) for a, b in itertools.pairwise(edges)]


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(BLOCK)), max_size=30))
def test_any_cutting_ends_in_the_same_points(cuts: list[int]) -> None:
    assert batch(None, Track("clip", BACK, cut(BLOCK, cuts))) == WHOLE


@settings(max_examples=10)
@given(st.lists(st.integers(0, len(BLOCK)), min_size=1, max_size=6))
def test_saving_and_resuming_between_any_pieces_changes_nothing(cuts: list[int]) -> None:
    state, results = pipeline.begin("p-1", PatientConfig()), []
    for piece in cut(BLOCK, cuts):
        state, result = pipeline.step(state, "clip", BACK, piece)
        results.append(result)
        state = REGISTRY.loads(REGISTRY.dumps(state))
    assert gather([*results, pipeline.finish(state)]) == WHOLE


def test_there_is_something_to_compare() -> None:
    states = {point.fields["state"] for (name, _, _), point in WHOLE.items() if name == "activity"}
    assert {"walking", "unknown"} < states
    assert {name for name, _, _ in WHOLE} == {"activity", "bout", "streak", "hourly", "daily"}


@pytest.mark.parametrize(("back_s", "thigh_s"), [(1, 1), (14, 1), (3, 11)])
def test_two_clips_in_any_turn_are_the_same(back_s: int, thigh_s: int) -> None:
    thigh = whole(150, seed=2)
    config = PatientConfig(clips={"back": Clip(BACK), "thigh": Clip(THIGH)})

    def _pieces(block: Block, seconds: int) -> list[Block]:
        edges = np.searchsorted(block.t_ns, np.arange(T0_NS, block.t_ns[-1], seconds * 10**9)).tolist()
        return [piece for piece in cut(block, edges) if len(piece)]

    together = batch(config, Track("back", BACK, [BLOCK]), Track("thigh", THIGH, [thigh]))
    state, results = pipeline.begin("p-1", config), []
    turns = [("back", BACK, piece) for piece in _pieces(BLOCK, back_s)]
    turns += [("thigh", THIGH, piece) for piece in _pieces(thigh, thigh_s)]
    for device, place, piece in sorted(turns, key=lambda turn: int(turn[2].t_ns[-1])):
        state, result = pipeline.step(state, device, place, piece)
        results.append(result)
    assert gather([*results, pipeline.finish(state)]) == together


def test_a_calibration_holds_from_its_own_time_on_however_the_pieces_fall() -> None:
    calibration = Calibration(since_ns=T0_NS + 60 * 10**9, neutral=(1.0, 0.0, 0.0))
    config = PatientConfig(clips={"clip": Clip(BACK, {"x": "up", "y": "left", "z": "backward"}, calibration)})
    assert batch(config, Track("clip", BACK, cut(BLOCK, [2000, 3100, 5000]))) == batch(
        config, Track("clip", BACK, [BLOCK])
    )


def test_samples_whose_time_has_passed_are_left_out_and_counted() -> None:
    state = pipeline.begin("p-1", PatientConfig())
    state, first = pipeline.step(state, "clip", BACK, BLOCK.slice(0, 4000))
    state, again = pipeline.step(state, "clip", BACK, BLOCK.slice(3000, 4000))
    assert state.overlapping == 1000
    assert again.points == ()
    state, rest = pipeline.step(state, "clip", BACK, BLOCK.slice(3500, len(BLOCK)))
    assert gather([first, rest, pipeline.finish(state)]) == WHOLE


def test_live_comes_within_five_seconds_and_final_within_fifteen_and_a_slot() -> None:
    state = pipeline.begin("p-1", PatientConfig())
    newest_slot = 0
    for piece in cut(BLOCK, range(50, len(BLOCK), 50)):
        state, result = pipeline.step(state, "clip", BACK, piece)
        now_ns = int(piece.t_ns[-1])
        for point in result.points:
            if point.measurement == "activity":
                newest_slot = max(newest_slot, point.time_ns)
        if now_ns - T0_NS > 30 * 10**9:
            assert now_ns - newest_slot <= (15 + 2 * 5) * 10**9 or 75 <= (now_ns - T0_NS) / 1e9 <= 130
        if result.live is not None:
            assert now_ns - result.live.time_ns <= 5 * 10**9


@pytest.mark.data
def test_a_real_recording_cut_into_seconds_is_the_same(shared_data: Path) -> None:
    recording = read(sorted((shared_data / "harth" / "lower_back").glob("*.parquet"))[0])
    block = Block(recording.t_ns, recording.xyz_g).slice(0, 30_000)
    edges = np.searchsorted(block.t_ns, np.arange(block.t_ns[0], block.t_ns[-1], 10**9)).tolist()
    assert batch(None, Track("clip", BACK, cut(block, edges))) == batch(None, Track("clip", BACK, [block]))
