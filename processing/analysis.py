"""Whole recordings through the pipeline: the same code as live, in big pieces and bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processing import person, pipeline
from processing.pipeline import Result
from processing.samples import Block
from spineclip.contract.config import PatientConfig
from spineclip.contract.placement import Placement


@dataclass(frozen=True, slots=True)
class Track:
    """One clip's samples, in order of time, in pieces of any size."""

    device: str
    placement: Placement
    blocks: Iterable[Block]


def analyze(tracks: Iterable[Track], config: PatientConfig, patient: str = "recording") -> Iterator[Result]:
    """Run recordings of one person through the pipeline and hand out what is final, piece by piece.

    Parameters
    ----------
    tracks
        One for each clip that was worn at the same time. Clips that `config` does not name have no axes and no
        calibration.

    Yields
    ------
    Results as from `pipeline.step`, the last one from `pipeline.finish`. Of points with the same measurement, tags and
    time the last one holds. Live seconds and nudges depend on the pieces and are not for keeping.
    """
    state = pipeline.begin(patient, config)
    for device, placement, block in _in_turn(list(tracks)):
        state, result = pipeline.step(state, device, placement, block, wait_s=person.FOREVER_S)
        yield result
    yield pipeline.finish(state)


def _in_turn(tracks: list[Track]) -> Iterator[tuple[str, Placement, Block]]:
    """Take from each clip in turn the piece that begins first, so that none runs far ahead of the others."""
    waiting = []
    for track in tracks:
        pieces = (block for block in track.blocks if len(block))
        first = next(pieces, None)
        if first is not None:
            waiting.append((track, pieces, first))
    while waiting:
        k = min(range(len(waiting)), key=lambda k: int(waiting[k][2].t_ns[0]))
        track, pieces, piece = waiting[k]
        yield track.device, track.placement, piece
        following = next(pieces, None)
        if following is None:
            del waiting[k]
        else:
            waiting[k] = (track, pieces, following)
