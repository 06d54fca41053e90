"""Seconds of a person as one says them: ``seconds(("sitting", 600), ("walking", 60))``."""

from __future__ import annotations

import numpy as np

from processing.epochs import EPOCH_NS, Epochs, Posture, State

START_S = 1_700_000_000 - 1_700_000_000 % 86_400  # a midnight in UTC
CADENCE_SPM = 110.0


def seconds(*runs: tuple[str, int], start_s: int = START_S, posture: Posture = Posture.UNKNOWN) -> Epochs:
    """Seconds in which each state lasts so long; ``gap`` was not measured."""
    names = [name for name, n in runs for _ in range(n)]
    epochs = Epochs.unknown((start_s + np.arange(len(names), dtype=np.int64)) * EPOCH_NS)
    seen = np.array([name != "gap" for name in names])
    state = np.array([State.UNKNOWN.code if name == "gap" else State(name).code for name in names], dtype=np.int8)
    walks = np.isin(state, (State.WALKING.code, State.RUNNING.code))
    resting = np.isin(state, (State.SITTING.code, State.STANDING.code))
    return Epochs(
        epochs.start_ns,
        state,
        np.where(resting, np.int8(posture.code), np.int8(0)),
        np.where(seen, 1.0, np.nan),
        np.where(seen, 0.0, np.nan),
        walks.astype(float),
        np.where(walks, CADENCE_SPM, np.nan),
        np.where(walks, CADENCE_SPM / 60, 0.0),
        np.where(seen, 10.0, np.nan),
        np.where(seen, 0.9, 0.0),
        seen.astype(float),
    )
