"""``spineclip train``: fit the numbers of the core again, from labelled recordings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer


def train(
    data: Annotated[Path, typer.Argument(help="Folder that holds harth, har70plus and daily_activities.")],
    into: Annotated[Path, typer.Option(help="Folder to write trunk.npz and thigh.npz to.")] = Path(
        "processing/weights"
    ),
    folds: Annotated[
        Path | None, typer.Option(help="Folder to keep the fits of people left out in, for `validate --folds`.")
    ] = None,
    only: Annotated[str, typer.Option(help="trunk, thigh or both.")] = "both",
) -> None:
    """Fit the numbers that tell states apart; takes some ten minutes on one core."""
    from processing import activity  # noqa: PLC0415
    from spineclip.training import fit  # noqa: PLC0415 - reads nothing until it is asked to

    for kind in fit.SETS if only == "both" else (only,):
        recorded = fit.read(data, kind)
        typer.echo(f"{kind}: {len({one.person for one in recorded})} people, {len(recorded)} recordings")
        claims: list[fit.Claims] = []
        for fold, (numbers, unseen) in enumerate(fit.left_out(recorded)):
            model = activity.model(numbers)
            if folds is not None:
                folds.mkdir(parents=True, exist_ok=True)
                fit.write(folds / f"{kind}-{fold}.npz", numbers)
            claims.extend(fit.claims_of(model, one, pieces) for one in unseen for pieces in (False, True))
            typer.echo(
                f"{kind}: a fifth of the people left out, right {np.mean(np.concatenate([c[3] for c in claims])):.3f}"
            )
        abroad = list(fit.sets_left_out(recorded))
        final = {**fit.fit(recorded), "confidence": fit.confidence(claims, abroad)}
        into.mkdir(parents=True, exist_ok=True)
        fit.write(into / f"{kind}.npz", final)
        typer.echo(f"{kind}: wrote {into / f'{kind}.npz'}")
