"""How right rest is before any walk, on a protocol as laboratories have it, made of the labelled recordings.

A person stands, sits, stands, lies, sits, lies and stands for 8 to 20 s each, and only then walks: the plain protocol,
with changes of one kind. The varied one draws the order, the way of getting up and sitting down, the seat, the fidgets,
the sensor and how it is worn anew for each run (`benchmarks/_protocol.py`). With `--folds`, fits are those of people
left out; without, they are the shipped ones, which these people have taught::

    spineclip train ../shared/data --folds FOLDER
    python -m benchmarks.before_a_walk [--data ../shared/data] [--folds FOLDER]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import _protocol
from benchmarks._protocol import STATES
from processing import activity, clip
from processing.activity import Model
from processing.clip import ClipSetup
from processing.epochs import Epochs, State
from spineclip import labelled
from spineclip.contract.placement import Placement
from spineclip.labelled import Labelled
from spineclip.training import fit

_SEEDS = {"plain": 3, "varied": 11}


def _said(one: Labelled, model: Model, kind: str, told: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Truth, state and confidence by second of one run, shape (3, n)."""
    way = _protocol.varied(rng, told=told) if kind == "varied" else _protocol.Way()
    block, truth = _protocol.made(one, way, rng)
    axes = _protocol.axes(way) if told else {}
    state, output = clip.step(clip.begin(ClipSetup(one.placement, axes)), block, model)
    said = Epochs.concat([output.final, clip.finish(state, model).final])
    n = min(len(said), len(truth))
    return np.stack([truth[:n], said.state[:n], said.confidence[:n]])


def _cells(rows: list[NDArray[np.float64]]) -> list[str]:
    truth, said, sure = np.concatenate(rows, axis=1)
    known = truth >= 0
    cells = [f"{np.mean(said[known] == State.UNKNOWN.code):.3f}"]
    for state in STATES.values():
        claims, asked = known & (said == state.code), truth == state.code
        right = np.mean(truth[claims] == state.code) if claims.any() else np.nan
        cells.append(f"{right:.2f}, {np.mean(said[asked] == state.code):.2f}")
    sure_ones = known & (sure >= 0.9)
    return [*cells, f"{np.mean(truth[sure_ones] == said[sure_ones]):.3f}, {np.sum(sure_ones) / np.sum(known):.2f}"]


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--data", type=Path, default=Path("../shared/data"))
    words.add_argument("--folds", type=Path)
    words.add_argument("--runs", type=int, default=3, help="of each person")
    words.add_argument("--seed", type=int, default=0, help="another draw")
    chosen = words.parse_args()
    if not chosen.data.is_dir():
        print(f"the labelled recordings are not at {chosen.data}: left out")
        return
    number = fit.folds(labelled.people(chosen.data, fit.SETS["trunk"]))
    shipped = activity.load(Placement.LOWER_BACK)
    models = [shipped] * fit.FOLDS
    if chosen.folds:
        models = [activity.model(fit.load(chosen.folds / f"trunk-{k}.npz")) for k in range(fit.FOLDS)]
    print("people left out" if chosen.folds else "the shipped fit, which these people have taught")
    print(
        "protocol, set, axes told | unknown | right of claimed, found: standing, sitting, lying, walking | "
        "0.9 or more: right, share"
    )
    for kind, seed in _SEEDS.items():
        for name in ("harth", "har70plus"):
            people = list(labelled.recordings(chosen.data / name, "lower_back"))
            for told in (False, True):
                rng, rows = np.random.default_rng(seed + 1000 * chosen.seed), []
                for one in people:
                    model = replace(models[number[one.dataset, one.subject]], confidence=shipped.confidence)
                    rows += [_said(one, model, kind, told, rng) for _ in range(chosen.runs)]
                print(" | ".join([f"{kind}, {name}, {told}", *_cells(rows)]), flush=True)


if __name__ == "__main__":
    main()
