"""Promises of a checkpoint: bit for bit what was saved, small, harmless to read, and told apart when it is damaged."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from firmware_sim.motion import Motion
from firmware_sim.person import Pose
from firmware_sim.script import sits, stands, walks
from processing import late, pipeline
from processing.checkpoint import VERSION, CheckpointError, Registry
from processing.intake import Intake
from processing.late import Before
from processing.patient import REGISTRY, Patient, PatientCheckpoint
from processing.samples import Block
from spineclip.contract.config import Clip, PatientConfig
from spineclip.contract.placement import Placement
from tests.system.collecting import T0_NS, day_of_somebody


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Leaf:
    numbers: NDArray[np.float64]
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf] = field(default_factory=dict)
    height: float | None = None
    flag: bool = False


TREES = Registry(Tree)
DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_])
ARRAYS = DTYPES.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0)))


@given(st.text(), st.lists(ARRAYS, max_size=3), st.one_of(st.none(), st.floats()), st.booleans())
def test_what_is_read_is_bit_for_bit_what_was_written(
    name: str, numbers: list[NDArray[np.generic]], height: float | None, flag: bool
) -> None:
    leaves = tuple(Leaf(array) for array in numbers)  # type: ignore[arg-type]
    tree = Tree(name, leaves, {f"leaf-{k}": leaf for k, leaf in enumerate(leaves)}, height, flag)
    back = TREES.loads(TREES.dumps(tree))
    assert (back.name, back.flag) == (name, flag)
    assert (back.height is None) is (height is None)
    if height is not None:
        assert struct.pack("d", back.height) == struct.pack("d", height) or math.isnan(height)
    for before, after in zip(leaves, back.leaves, strict=True):
        assert after.colour is Colour.RED
        assert after.numbers.dtype == before.numbers.dtype
        assert after.numbers.shape == before.numbers.shape
        assert after.numbers.tobytes() == before.numbers.tobytes()
        assert after.numbers.flags.writeable
    assert list(back.by_name) == list(tree.by_name)


@pytest.mark.parametrize(
    ("numbers", "bytes_each"),
    [(np.arange(999) / 65536, 4), (np.arange(999) / 3, 8), (np.full(999, np.nan), 4)],
    ids=["sensor", "thirds", "nan"],
)
def test_numbers_that_fit_into_four_bytes_take_four(numbers: NDArray[np.float64], bytes_each: int) -> None:
    payload = TREES.dumps(Tree("oak", (Leaf(numbers),)))
    (leaf,) = TREES.loads(payload).leaves
    assert leaf.numbers.tobytes() == numbers.tobytes()
    assert leaf.numbers.dtype == np.float64
    assert len(zlib.decompress(cbor2.loads(payload)["z"])) == pytest.approx(bytes_each * len(numbers), abs=200)


def test_a_field_that_is_new_takes_its_default_and_one_that_is_gone_is_left_out() -> None:
    older = cbor2.dumps({"v": 1, "state": cbor2.CBORTag(27, ["Tree", {"name": "oak", "bark": 3}])})
    assert TREES.loads(older) == Tree("oak")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xff",
        cbor2.dumps([1]),
        cbor2.dumps({"v": VERSION + 1, "state": 1}),
        cbor2.dumps({"v": 1}),
        cbor2.dumps({"v": 1, "state": cbor2.CBORTag(27, ["Popen", {"args": "ls"}])}),
        cbor2.dumps({"v": 1, "state": cbor2.CBORTag(27, ["Tree", {}])}),
        cbor2.dumps({"v": 1, "state": cbor2.CBORTag(27, ["Colour", "blue"])}),
        cbor2.dumps({"v": 1, "state": cbor2.CBORTag(40, [[99], cbor2.CBORTag(86, b"short")])}),
        cbor2.dumps({"v": 2, "z": b"noise"}),
        cbor2.dumps({"v": 2, "z": zlib.compress(cbor2.dumps("oak" * 999))[:-9]}),
        cbor2.dumps({"v": 2, "z": zlib.compress(b"\xff\xff")}),
        cbor2.dumps({"v": 2, "z": zlib.compress(cbor2.dumps(bytes(1 << 26)))}),
    ],
    ids=["empty", "noise", "list", "newer", "bare", "stranger", "unfinished", "unheard-of", "torn", "not-deflated",
         "cut-short", "hollow", "too-large"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_told_apart(payload: bytes) -> None:
    with pytest.raises(CheckpointError):
        TREES.loads(payload)


def test_what_cannot_be_saved_is_noticed_when_saving() -> None:
    with pytest.raises(CheckpointError, match="object cannot be"):
        TREES.dumps(Tree("oak", height=object()))  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="complex128"):
        TREES.dumps(Leaf(np.zeros(3, dtype=complex)))


@given(st.binary(max_size=200))
def test_noise_never_does_more_than_be_refused(payload: bytes) -> None:
    with pytest.raises(CheckpointError):
        REGISTRY.loads(payload)


def test_a_torn_checkpoint_of_a_patient_is_refused() -> None:
    payload = _worn_patient(30).commit().checkpoint
    for cut in range(0, len(payload), 997):
        with pytest.raises(CheckpointError):
            Patient.resume("p-1", payload[:cut])
    with pytest.raises(CheckpointError):
        Patient.resume("p-2", payload)


def test_a_patient_resumed_saves_the_same_bytes_and_stays_small() -> None:
    patient = _worn_patient(200)
    payload = patient.commit().checkpoint
    again = Patient.resume("p-1", payload)
    assert again.commit().checkpoint == payload
    assert isinstance(REGISTRY.loads(payload), PatientCheckpoint)
    assert len(payload) < 64_000


def test_two_clips_and_all_that_is_learnt_of_their_wearer_stay_small() -> None:
    """Walking, then fifty minutes in all postures, and walking; the clips were out of reach several times."""
    poses = [sits(600.0, pose) for pose in (Pose.UPRIGHT, Pose.SLOUCHED, Pose.LEANING_FORWARD, Pose.RECLINED)]
    script = (stands(20.0), walks(280.0), *poses, stands(20.0), walks(160.0))
    length_s, singly_s = 2880, 40
    t_ns = T0_NS + np.arange(length_s * 50, dtype=np.int64) * 20_000_000
    noise_g = np.random.default_rng(5).normal(0, 0.002, (len(t_ns), 3))
    clips = {"belt": Placement.LOWER_BACK, "back": Placement.UPPER_BACK}
    motions = {name: Motion(script, start_ns=T0_NS, placement=place) for name, place in clips.items()}
    xyz_g = {name: motion.samples(t_ns) + noise_g for name, motion in motions.items()}
    state = pipeline.begin("p-1", PatientConfig(clips={name: Clip(place) for name, place in clips.items()}))
    befores: dict[str, tuple[Before, ...]] = {}
    live, largest = set(), 0
    for at in [*range(0, length_s - singly_s, 40), *range(length_s - singly_s, length_s)]:
        part = slice(at * 50, (at + (40 if at < length_s - singly_s else 1)) * 50)
        for name, place in clips.items():
            if at % 800 == 400 and name == "back":
                continue
            state, result = pipeline.step(state, name, place, Block(t_ns[part], xyz_g[name][part]))
            live |= {result.live.state} if result.live else set()
            worn = state.clips[name]
            befores[name] = late.remembered(befores.get(name, ()), Before(worn.last_ns, worn.stream.orientation))
            largest = max(largest, len(REGISTRY.dumps(PatientCheckpoint(state, Intake().state, befores))))
    assert {"walking", "sitting"} <= live
    assert all(worn.stream.habits.counts.any() for worn in state.clips.values())
    assert largest < 64_000


def _worn_patient(seconds: int) -> Patient:
    patient = Patient("p-1")
    for batch in day_of_somebody(seconds):
        patient.take(batch, now_s=0.0)
    return patient
