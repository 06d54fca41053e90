"""Run the core over labelled recordings and write down how right it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from processing import activity, clip, grid
from processing.activity import Model
from processing.clip import ClipSetup
from processing.epochs import STATES, Epochs, State
from processing.samples import Block
from spineclip import labelled, scoring
from spineclip.labelled import Labelled
from spineclip.scoring import SCORED, Judged
from spineclip.training import fit

KINDS: Final = {(name, place): kind for kind, sets in fit.SETS.items() for name, place in sets}
"""Which fitted numbers have seen which folder."""


def judge(one: Labelled, fitted: Model | None = None) -> Judged:
    """Let the core name the seconds of a recording and set them beside its labels."""
    state, output = clip.step(clip.begin(ClipSetup(one.placement)), Block(one.t_ns, one.xyz_g), fitted)
    epochs = Epochs.concat([output.final, clip.finish(state, fitted).final])
    truth, steady, shuffling = one.truth(int(epochs.start_ns[0] // grid.SECOND_NS), len(epochs))
    measured = epochs.coverage >= grid.ENOUGH
    scored = measured & (truth != labelled.NOT_SCORED)
    walked = epochs.state == State.WALKING.code
    return Judged(
        one.dataset,
        one.subject,
        truth[scored],
        epochs.state[scored].astype(np.int64),
        epochs.confidence[scored],
        steady[scored],
        int((measured & shuffling & walked).sum()),
        int((measured & shuffling).sum()),
    )


def people_left_out(root: Path, kind: str, kept: Path | None = None) -> Iterator[tuple[str, Judged]]:
    """Judge every recording that the fitted numbers have seen by numbers that have not seen the person.

    `kept` is where ``spineclip train --folds`` has kept such fits; without it they are made, which takes minutes.
    How sure a claim is comes from the shipped numbers (33 points of a rising curve, fitted on people left out).
    Gives the place and the judgement.
    """
    sets = [(name, place) for name, place in fit.SETS[kind] if (root / name / place).is_dir()]
    if kept is None:
        recorded = fit.read(root, kind)
        number = fit.folds([one.person for one in recorded])
        models = [numbers for numbers, _ in fit.left_out(recorded)]
    else:
        number = fit.folds(labelled.people(root, sets))
        models = [fit.load(kept / f"{kind}-{fold}.npz") for fold in range(fit.FOLDS)]
    for name, place in sets:
        confidence = activity.load(labelled.PLACES[place]).confidence
        fitted = [replace(activity.model(numbers), confidence=confidence) for numbers in models]
        for one in labelled.recordings(root / name, place):
            yield place, judge(one, fitted[number[one.dataset, one.subject]])


def set_left_out(root: Path, kind: str) -> Iterator[tuple[str, Judged]]:
    """Judge every data set by numbers fitted on the others."""
    recorded = fit.read(root, kind)
    for name, place in fit.SETS[kind]:
        known = [one for one in recorded if one.dataset != name]
        unseen = [one for one in recorded if one.dataset == name]
        if not known or not unseen:
            continue
        model = fit.model_without(known, fit.FAR[kind])
        for one in labelled.recordings(root / name, place):
            yield place, judge(one, model)


def table(title: str, judged: Sequence[Judged]) -> str:
    """Write the scores of data sets side by side, in Markdown."""
    sets = list(dict.fromkeys(one.dataset for one in judged))
    parts = {name: [one for one in judged if one.dataset == name] for name in sets}
    whole = {name: scoring.joined(ones) for name, ones in parts.items()}
    steady = {name: one.only(one.steady) for name, one in whole.items()}
    lines = [
        f"### {title}",
        "",
        _row("", [name for name in sets for _ in (0, 1)]),
        _row("---", ["---:"] * 2 * len(sets)),
    ]
    lines.append(_row("seconds scored", [word for _ in sets for word in ("all", "1 s off changes")]))
    seen = [s for s in SCORED if any((one.truth == s.code).any() for one in whole.values())]
    lines += [_row(f"{s} F1", _pairs(sets, partial(scoring.f1, state=s), whole, steady)) for s in seen]
    lines += [
        _row(f"{s}, right of claimed", _pairs(sets, partial(scoring.precision, state=s), whole, steady))
        for s in (State.WALKING, State.STANDING, State.SITTING)
    ]
    walking = State.WALKING
    lines.append(
        _row(
            "walking F1, cycling left out",
            _pairs(sets, lambda one: scoring.f1(scoring.without_cycling(one), walking), whole, steady),
        )
    )
    for index, word in enumerate(("sensitivity", "specificity")):
        lines.append(_row(f"sedentary {word}", _pairs(sets, partial(_sedentary, index=index), whole, steady)))
    lines.append(_row("unknown", _pairs(sets, scoring.unknown, whole, steady)))
    lines.append(_row("confidence 0.9 or more: share", _pairs(sets, lambda one: scoring.sure(one)[0], whole, steady)))
    lines.append(_row("confidence 0.9 or more: right", _pairs(sets, lambda one: scoring.sure(one)[1], whole, steady)))
    error = {name: np.mean([scoring.walking_error_min(one) for one in ones]) for name, ones in parts.items()}
    lines.append(_row("walking minutes, mean error a recording", [f"{error[n]:.2f}" for n in sets for _ in (0, 1)]))
    return "\n".join(lines)


def together(judged: Sequence[Judged]) -> str:
    """Say the scores of recordings of whole protocols as one."""
    whole = scoring.joined(judged)
    errors = [scoring.walking_error_min(one) for one in judged]
    walk, still = scoring.f1(whole, State.WALKING), scoring.f1(scoring.without_cycling(whole), State.WALKING)
    return (
        f"All {len(judged)} recordings as one: walking F1 {walk:.3f}, cycling left out {still:.3f}; "
        f"walking minutes: mean error {np.mean(errors):.2f}, worst {max(errors):.2f} a recording; "
        f"shuffling (not scored above) claimed as walking: {whole.shuffled} of {whole.shuffling} s."
    )


def people(judged: Sequence[Judged]) -> str:
    """Write the scores of each person, the one with the fewest right seconds last."""
    persons: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        persons.setdefault((one.dataset, one.subject), []).append(one)
    joined = sorted((scoring.joined(ones) for ones in persons.values()), key=lambda one: -_right(one))
    states = (State.WALKING, State.STANDING, State.SITTING, State.LYING, State.RUNNING, State.CYCLING)
    lines = [_row("person", ["right", *(f"{s} F1" for s in states), "walking error, min", "unknown"])]
    lines.append(_row("---", ["---:"] * (len(states) + 3)))
    for one in joined:
        scores = [_text(scoring.f1(one, s)) if (one.truth == s.code).any() else "" for s in states]
        error = f"{scoring.walking_error_min(one):.2f}"
        lines.append(
            _row(f"{one.dataset} {one.subject}", [_text(_right(one)), *scores, error, _text(scoring.unknown(one))])
        )
    return "\n".join(lines)


def reliability(judged: Sequence[Judged]) -> str:
    """Write the reliability diagram as a table: of the claims of a confidence, how many are right."""
    sets = list(dict.fromkeys(one.dataset for one in judged))
    rows = {n: scoring.reliability(scoring.joined([o for o in judged if o.dataset == n])) for n in sets}
    lines = [_row("confidence", [f"{n}: {w}" for n in sets for w in ("seconds", "mean", "right")])]
    lines.append(_row("---", ["---:"] * 3 * len(sets)))
    for i, (low, high, *_) in enumerate(rows[sets[0]]):
        cells = [c for n in sets for c in (str(rows[n][i][2]), _text(rows[n][i][3]), _text(rows[n][i][4]))]
        lines.append(_row(f"{low:.2f} to {high:.2f}", cells))
    return "\n".join(lines)


def confusions(judged: Sequence[Judged]) -> str:
    """Write for each true state what its seconds were called."""
    claims = [s for s in STATES if any((one.claim == s.code).any() for one in judged)]
    lines = [_row("truth, seconds", [str(s) for s in claims]), _row("---", ["---:"] * len(claims))]
    for state, counts in scoring.confusion(scoring.joined(judged)):
        lines.append(_row(str(state), [str(counts[s.code]) for s in claims]))
    return "\n".join(lines)


def _sedentary(one: Judged, index: int) -> float:
    return scoring.sedentary(one)[index]


def _right(one: Judged) -> float:
    return float((one.truth == one.claim).mean()) if len(one.truth) else float("nan")


def _pairs(
    sets: list[str], score: Callable[[Judged], float], whole: dict[str, Judged], steady: dict[str, Judged]
) -> list[str]:
    return [_text(score(part[name])) for name in sets for part in (whole, steady)]


def _row(head: str, cells: Iterable[str]) -> str:
    return f"| {head} | {' | '.join(cells)} |"


def _text(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"
