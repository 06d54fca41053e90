"""``spineclip validate``: how right the core is on labelled recordings, in tables that can be checked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from spineclip import labelled, posture_sessions, posture_trials, validation
from spineclip.contract.errors import RecordingError
from spineclip.scoring import Judged
from spineclip.training import fit

_SOURCES = """\
HARTH 2.0 (Logacjov et al. 2021), HAR70+ (Ustad et al. 2023) and Daily and Sports Activities (Altun et al. 2010), all
CC BY 4.0; video labels at 1 s, or one label a file. Walking includes stairs; shuffling is scored as nothing; an unknown
second counts as wrong. No axes were told: each recording starts without knowing how the sensor sits. The chest
recordings hold one activity each, so nothing comes before or after it.
"""

_NOT_SHOWN = """\
## What this cannot show

- The recordings of HARTH and HAR70+ last under an hour, with much walking in them; errors of minutes do not grow
  with the length of a day in a straight line. Nothing here is a whole labelled day.
- Labels are made from video at one second and are the median of their frames: a mixed second can carry a class that
  never happened, so figures are given with and without the seconds next to a change. Some labels are wrong (one
  stretch of 232 s is labelled standing while the thigh lies flat); they are scored as they are.
- Nobody here has back pain, nobody wears the clip on clothes, and nobody takes it off: slipping and non-wear are
  tested with made recordings only.
- The choice of features and of the network's size was looked at on these people: expect half a point less on others.
- At the chest, quiet sitting and quiet standing cannot be told apart from one activity alone; they are mostly
  called unknown.
- A bag or a car moves a clip much as a body does. Carried by somebody who walks, a clip that nobody wears is mostly
  said to walk or cycle; in a car or a train to stand, sit or lie, as it happens to be turned. Such claims are less
  sure than 0.9 (made recordings; a bag that hangs as the body stood before may pass for it), and those that contradict
  themselves are taken back; a clip laid down is not worn after ten minutes of nothing but noise. Before ten seconds of
  a body at rest were seen, no walk is surer than that either: recordings of exercise alone have few claims of 0.9.
"""


def validate(
    dataset: Annotated[Path, typer.Argument(help="A labelled data set, or a folder of several.")],
    shipped: Annotated[
        bool, typer.Option(help="Use the shipped numbers also for people whom they were fitted on.")
    ] = False,
    folds: Annotated[
        Path | None, typer.Option(help="Where `train --folds` kept its fits; else they are made again.")
    ] = None,
    unseen_sets: Annotated[bool, typer.Option(help="Also leave out whole data sets, one at a time.")] = False,
    docs: Annotated[Path | None, typer.Option(help="Write the tables to this file as well.")] = None,
) -> None:
    """Print how right states are, with people left out where a fit has seen them."""
    pages: list[str] = []
    texts: Iterator[str] = iter(())
    if not posture_trials.is_folder(dataset):
        root, names = _datasets(dataset)
        texts = _pages(root, names, shipped=shipped, folds=folds, unseen_sets=unseen_sets)
    trials = [one for one in (dataset, dataset / "sitting_posture") if posture_trials.is_folder(one)]
    for text in itertools.chain(
        texts, *(posture_sessions.pages(posture_trials.read(one), shipped_only=shipped) for one in trials)
    ):
        typer.echo(text)
        pages.append(text)
    if docs is not None:
        docs.parent.mkdir(parents=True, exist_ok=True)
        docs.write_text("\n".join(pages), encoding="utf-8")


def _pages(root: Path, names: list[str], *, shipped: bool, folds: Path | None, unseen_sets: bool) -> Iterator[str]:
    yield f"# How right the states are\n\nBy `spineclip validate` on {', '.join(names)}.\n"
    yield _SOURCES
    for kind in fit.SETS:
        ours = [(name, place) for name, place in fit.SETS[kind] if name in names and (root / name / place).is_dir()]
        whole = all((root / name / place).is_dir() for name, place in fit.SETS[kind])
        if not ours:
            continue
        if shipped or not whole:
            ones = [validation.judge(one) for name, place in ours for one in labelled.recordings(root / name, place)]
            how = "the shipped numbers, fitted on these very people: not a measure of new ones"
        else:
            ones = [one for _, one in validation.people_left_out(root, kind, folds) if one.dataset in names]
            how = f"people left out in {fit.FOLDS} groups"
        yield f"## {kind.capitalize()}, {how}\n"
        yield from _tell(ones)
        if unseen_sets and whole and not shipped:
            others = [one for _, one in validation.set_left_out(root, kind) if one.dataset in names]
            yield f"## {kind.capitalize()}, fitted on the other data sets alone\n"
            yield validation.table("States", others) + "\n"
    for name in names:
        for place in labelled.places(root / name):
            ones = (
                []
                if (name, place) in validation.KINDS
                else [validation.judge(one) for one in labelled.recordings(root / name, place)]
            )
            if ones:
                yield f"## {name}, {place}: the shipped numbers, on people whom no fit has seen\n"
                yield from _tell(ones)
    yield _NOT_SHOWN


def _tell(ones: list[Judged]) -> Iterator[str]:
    yield validation.table("States", ones) + "\n"
    protocols = [one for one in ones if one.dataset != "daily_activities"]
    if protocols:
        yield validation.together(protocols) + "\n"
    yield "### What each second was called\n\n" + validation.confusions(ones) + "\n"
    yield "### How sure and how right (all seconds)\n\n" + validation.reliability(ones) + "\n"
    yield "### By person, the worst last\n\n" + validation.people(ones) + "\n"


def _datasets(folder: Path) -> tuple[Path, list[str]]:
    def is_one(path: Path) -> bool:
        return any((path / place).is_dir() for place in labelled.PLACES)

    if is_one(folder):
        return folder.resolve().parent, [folder.resolve().name]
    names = sorted(path.name for path in folder.iterdir() if is_one(path)) if folder.is_dir() else []
    if not names:
        raise RecordingError(
            f"{folder} holds no labelled data set",
            advice=f"A data set is a folder with {' or '.join(labelled.PLACES)} in it; see docs/validation.md",
        )
    return folder, names
