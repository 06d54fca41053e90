"""Promises of a checkpoint: bit for bit what was saved, small, harmless to read, and told apart when it is damaged."""

from __future__ import annotations

import math
import struct
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

from processing.checkpoint import VERSION, CheckpointError, Registry
from processing.patient import REGISTRY, Patient, PatientCheckpoint
from tests.system.collecting import day_of_somebody


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
    assert len(payload) == pytest.approx(bytes_each * len(numbers), abs=200)


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
    ],
    ids=["empty", "noise", "list", "newer", "bare", "stranger", "unfinished", "unheard-of", "torn"],
)
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


def _worn_patient(seconds: int) -> Patient:
    patient = Patient("p-1")
    for batch in day_of_somebody(seconds):
        patient.take(batch, now_s=0.0)
    return patient
