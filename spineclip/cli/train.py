"""``spineclip train``: fit the numbers of the core again, from labelled recordings alone."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from spineclip.contract.errors import RecordingError


class Fit(StrEnum):
    """What is fitted."""

    TRUNK = "trunk"
    THIGH = "thigh"
    BOTH = "both"
    POSTURE = "posture"


def train(
    data: Annotated[
        Path, typer.Argument(help="Folder that holds harth, har70plus, daily_activities and sitting_posture.")
    ],
    into: Annotated[Path, typer.Option(help="Folder to write the fitted numbers to.")] = Path("processing/weights"),
    folds: Annotated[
        Path | None, typer.Option(help="Folder to keep the fits of people left out in, for `validate --folds`.")
    ] = None,
    only: Annotated[
        Fit, typer.Option(help="Of states at the trunk, at the thigh, at both; or of postures.")
    ] = Fit.BOTH,
) -> None:
    """Fit the numbers that tell states apart; takes some five minutes on one core. Postures take ten seconds."""
    if only is Fit.POSTURE:
        _postures(data, into)
        return
    from processing import activity  # noqa: PLC0415
    from spineclip.training import fit  # noqa: PLC0415 - reads nothing until it is asked to

    for kind in fit.SETS if only is Fit.BOTH else (only.value,):
        recorded = fit.read(data, kind)
        if len({one.person for one in recorded}) < fit.FOLDS:
            wanted = ", ".join(f"{name}/{place}" for name, place in fit.SETS[kind])
            raise RecordingError(f"{data} holds too few people to fit {kind}", advice=f"It should hold {wanted}")
        typer.echo(f"{kind}: {len({one.person for one in recorded})} people, {len(recorded)} recordings")
        claims: list[fit.Claims] = []
        for fold, (numbers, unseen) in enumerate(fit.left_out(recorded)):
            model = activity.model(numbers)
            if folds is not None:
                folds.mkdir(parents=True, exist_ok=True)
                fit.write(folds / f"{kind}-{fold}.npz", numbers)
            claims.extend(fit.claims_of(model, one, way) for one in unseen for way in fit.WAYS)
            typer.echo(
                f"{kind}: a fifth of the people left out, right {np.mean(np.concatenate([c[3] for c in claims])):.3f}"
            )
        abroad = list(fit.sets_left_out(recorded))
        final = {**fit.fit(recorded), "confidence": fit.confidence(claims, abroad, fit.FAR[kind])}
        into.mkdir(parents=True, exist_ok=True)
        fit.write(into / f"{kind}.npz", final)
        typer.echo(f"{kind}: wrote {into / f'{kind}.npz'}")


def _postures(data: Path, into: Path) -> None:
    """Fit what tells sitting postures apart."""
    from processing import posture  # noqa: PLC0415
    from spineclip import posture_trials  # noqa: PLC0415

    folder = data if posture_trials.is_folder(data) else data / "sitting_posture"
    trials = posture_trials.read(folder)
    if not trials:
        raise RecordingError(f"{folder} holds no trials", advice="Give a folder with subjectNN.parquet in it")
    into.mkdir(parents=True, exist_ok=True)
    files = into / posture.WEIGHTS.name, into / posture.FINE.name
    posture_trials.write(posture_trials.described(trials), *files)
    typer.echo(f"posture: {len({trial.person for trial in trials})} people, {len(trials)} trials")
    typer.echo(f"posture: wrote {files[0]} and {files[1]}")
