"""How right rest is before any walk, on a protocol as laboratories have it, made of the labelled recordings.

A person stands, sits, stands, lies, sits, lies and stands for 8 to 20 s each, and only then walks. No recording of
HARTH or HAR70+ is like that, and whole changes from one rest to the next were cut out of them. So pieces of a person's
recording are put together, and the changes between are made: a turn from the one gravity to the other with a bow of
28 degrees, and a lift with the least jerk (Flash and Hogan 1985) in two to three seconds. With `--folds`, fits are
those of people left out; without, they are the shipped ones, which these people have taught::

    spineclip train ../shared/data --folds FOLDER
    python -m benchmarks.before_a_walk [--data ../shared/data] [--folds FOLDER]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processing import activity, clip
from processing.clip import ClipSetup
from processing.epochs import Epochs, State
from processing.samples import Block
from spineclip import labelled
from spineclip.contract.placement import Placement
from spineclip.labelled import Labelled
from spineclip.training import fit

Array = NDArray[np.float64]

RATE_HZ = 50
PROTOCOL = (
    ("standing", 20), ("sitting", 16), ("standing", 20), ("lying", 18), ("sitting", 18), ("lying", 18), ("standing", 8),
    ("walking", 20), ("standing", 8), ("walking", 130),
)  # fmt: skip
"""What is asked for, and for how many seconds."""

HEIGHT_M = {"standing": 1.0, "sitting": 0.58, "lying": 0.45}
"""Of the lower back above the floor: a seat is some 0.42 m lower (our choice)."""

STATES = {"standing": State.STANDING, "sitting": State.SITTING, "lying": State.LYING, "walking": State.WALKING}
_NS = 10**9
_FORWARD = np.array([0.0, 0.0, 1.0])  # of the lower back in HARTH and HAR70+
_BOW = np.radians(28.0)
_NOISE_G = 0.012
_TIMES = 3


def _runs(one: Labelled) -> dict[str, list[tuple[int, int]]]:
    """Stretches of at least 12 s, by label; a walk may go up and down stairs."""
    found: dict[str, list[list[int]]] = {}
    for start, end, label in sorted(one.labels):
        name = "walking" if label.startswith("stairs") else label
        stretches = found.setdefault(name, [])
        if stretches and start - stretches[-1][1] <= _NS // 25:
            stretches[-1][1] = end
        else:
            stretches.append([start, end])
    return {name: [(a, b) for a, b in rows if b - a >= 12 * _NS] for name, rows in found.items()}


def _piece(one: Labelled, run: tuple[int, int], length_s: int, rng: np.random.Generator) -> Array:
    start, end = run
    length_ns = min(length_s * _NS, (end - start) // _NS * _NS)
    begin = start + int(rng.integers(0, (end - start - length_ns) // _NS + 1)) * _NS
    low, high = np.searchsorted(one.t_ns, [begin, begin + length_ns])
    return one.xyz_g[low : low + (high - low) // RATE_HZ * RATE_HZ]


def _change(before: Array, after: Array, lift_m: float, bows: bool, rng: np.random.Generator) -> Array:
    """Whole seconds from one rest to the next."""
    lasts_s = round(rng.uniform(1.8, 3.0) if bows else rng.uniform(2.5, 3.6))
    share = np.arange(lasts_s * RATE_HZ) / (lasts_s * RATE_HZ)
    turned = (share**3 * (10.0 - 15.0 * share + 6.0 * share**2))[:, None]
    ends = [one.mean(axis=0) for one in (before[-RATE_HZ:], after[:RATE_HZ])]
    size = np.linalg.norm(ends[0]) * (1.0 - turned) + np.linalg.norm(ends[1]) * turned
    up = _unit((1.0 - turned) * _unit(ends[0][None]) + turned * _unit(ends[1][None]))
    bow = (_BOW * bows * np.sin(np.pi * share) ** 2)[:, None]
    up = _unit(np.cos(bow) * up - np.sin(bow) * _FORWARD)
    ahead = _unit(_FORWARD - (up @ _FORWARD)[:, None] * up)
    lift_g = lift_m * (60.0 * share - 180.0 * share**2 + 120.0 * share**3) / lasts_s**2 / 9.80665
    pushed = (1.0 + lift_g)[:, None] * up + 0.12 * np.sin(2.0 * np.pi * share)[:, None] * ahead
    return np.asarray(pushed * size + rng.normal(0.0, _NOISE_G, (len(share), 3)))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1)[:, None])


def _made(one: Labelled, rng: np.random.Generator) -> tuple[Block, NDArray[np.int64]]:
    """One run through the protocol, and its truth by second (-1 in a change); what a person lacks is left out."""
    runs, parts, truth, last = _runs(one), [], [], ""
    for name, length_s in PROTOCOL:
        if not runs.get(name):
            continue
        piece = _piece(one, runs[name][int(rng.integers(len(runs[name])))], length_s, rng)
        if last and last != name and "walking" not in (last, name):
            lift_m = HEIGHT_M[name] - HEIGHT_M[last]
            parts.append(_change(parts[-1], piece, lift_m, "lying" not in (last, name), rng))
            truth += [-1] * (len(parts[-1]) // RATE_HZ)
        parts.append(piece)
        truth += [STATES[name].code] * (len(piece) // RATE_HZ)
        last = name
    xyz = np.concatenate(parts)
    t_ns = 1_700_000_000 * _NS + np.arange(len(xyz), dtype=np.int64) * (_NS // RATE_HZ)
    return Block(t_ns, xyz), np.array(truth)


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--data", type=Path, default=Path("../shared/data"))
    words.add_argument("--folds", type=Path)
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
    print("set, axes told | unknown | right of claimed, found: standing, sitting, lying, walking | 0.9 or more: right")
    for name in ("harth", "har70plus"):
        for axes in ({}, {"x": "up", "y": "right"}):
            rng, rows = np.random.default_rng(3), []
            for one in labelled.recordings(chosen.data / name, "lower_back"):
                model = replace(models[number[one.dataset, one.subject]], confidence=shipped.confidence)
                for _ in range(_TIMES):
                    block, truth = _made(one, rng)
                    state, output = clip.step(clip.begin(ClipSetup(one.placement, axes)), block, model)
                    said = Epochs.concat([output.final, clip.finish(state, model).final])
                    n = min(len(said), len(truth))
                    rows.append(np.stack([truth[:n], said.state[:n], said.confidence[:n]]))
            truth, said_code, sure = np.concatenate(rows, axis=1)
            known = truth >= 0
            cells = [f"{name}, {bool(axes)}", f"{np.mean(said_code[known] == State.UNKNOWN.code):.3f}"]
            for state_name in STATES.values():
                claims, asked = known & (said_code == state_name.code), truth == state_name.code
                right = np.mean(truth[claims] == state_name.code) if claims.any() else np.nan
                cells.append(f"{right:.2f}, {np.mean(said_code[asked] == state_name.code):.2f}")
            sure_ones = known & (sure >= 0.9)
            cells.append(f"{np.mean(truth[sure_ones] == said_code[sure_ones]):.3f}")
            print(" | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
