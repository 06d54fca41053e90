"""One patient in the core: records in, in order, through the pipeline; points kept until the store has them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from processing import late, nudges, pipeline, records
from processing.checkpoint import CheckpointError, Registry
from processing.intake import Intake, IntakeState, Verdict
from processing.late import Before, Stretch
from processing.metrics import Point
from processing.orientation import OrientationState
from processing.pipeline import PatientState, Result
from processing.preview import Preview
from processing.samples import Block
from processing.streaks import Nudge
from spineclip.contract.config import PatientConfig
from spineclip.contract.live import Live
from spineclip.contract.messages import Ack, Resend
from spineclip.contract.wire import Gap, Record, SampleBatch

_LOG = logging.getLogger(__name__)

TOGETHER: Final = 32
"""So many records of the past are processed as one: the same metrics (any cutting of samples gives the same) for a
ninth of the work."""
_PointKey = tuple[str, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PatientCheckpoint:
    """All that a core needs to go on: the pipeline's state and how far the intake has come."""

    pipeline: PatientState
    intake: IntakeState
    befores: Mapping[str, tuple[Before, ...]] = field(default_factory=dict)


REGISTRY: Final = Registry(PatientCheckpoint)


@dataclass(frozen=True, slots=True)
class Commit:
    """What goes to the store together, and the ack that may be told afterwards."""

    points: tuple[Point, ...]
    checkpoint: bytes
    ack: Ack


@dataclass(slots=True)
class Taken:
    """What a message has brought: the newest live second and nudges to be told."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    live: Live | None = None
    nudges: list[Nudge] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    """Records that could not be processed."""


class Patient:
    """One patient, from the first record or from a checkpoint on.

    Parameters
    ----------
    patient
        The id.
    config
        What is known of the patient.
    """

    def __init__(self, patient: str, config: PatientConfig | None = None) -> None:
        self.patient = patient
        self.intake = Intake()
        self._state = pipeline.begin(patient, config or PatientConfig())
        self._unstored: dict[_PointKey, Point] = {}
        self._in_flight: dict[_PointKey, Point] = {}
        self._late: dict[tuple[str, int, int], SampleBatch] = {}
        self._befores: dict[str, tuple[Before, ...]] = {}
        self._late_s = 0.0
        self._preview = Preview()
        self.changed = False
        """Whether anything was taken in that is not stored yet."""

    @classmethod
    def resume(cls, patient: str, checkpoint: bytes) -> Patient:
        """Go on from a checkpoint.

        Raises
        ------
        CheckpointError
            If it cannot be read, or is not this patient's.
        """
        saved = REGISTRY.loads(checkpoint)
        if not isinstance(saved, PatientCheckpoint) or saved.pipeline.patient != patient:
            raise CheckpointError(f"not a checkpoint of {patient}")
        resumed = cls(patient)
        resumed.intake = Intake(saved.intake)
        resumed._state = saved.pipeline
        resumed._befores = dict(saved.befores)
        return resumed

    @property
    def config(self) -> PatientConfig:
        """What is known of the patient."""
        return self._state.config

    @property
    def unstored(self) -> int:
        """Number of points that the store does not have yet."""
        return len(self._unstored) + len(self._in_flight)

    def configure(self, config: PatientConfig) -> None:
        """Take on a new config."""
        if config != self._state.config:
            self._state = pipeline.configure(self._state, config)
            self.changed = True

    def take(self, *records: Record, now_s: float, past_ns: int = 0, present_ns: int = nudges.NEVER) -> Taken:
        """Take records in and process what is in order by them.

        Parameters
        ----------
        now_s
            Monotonic seconds.
        past_ns
            What ended before is the past: nobody is nudged for it and no page shows it, so that it need not be looked
            at second by second.
        present_ns
            What is not before is the present: a nudge that came too late to be told is said anew if it still holds.
        """
        verdicts: Counter[Verdict] = Counter()
        in_order: list[Record] = []
        for record in records:
            verdict, ready = self.intake.take(record, now_s)
            verdicts[verdict] += 1
            in_order += ready
            if verdict is Verdict.LATE and isinstance(record, SampleBatch):
                self._late[record.device, record.boot, record.seq] = record
                self._late_s = now_s
        taken = self._process(in_order, past_ns, present_ns)
        taken.verdicts = verdicts
        return taken

    def look(self, record: SampleBatch) -> Live | None:
        """Look at one of the newest records ahead of its turn, for the present only."""
        return self._preview.look(self._state, record)

    def is_present(self, live: Live) -> bool:
        """Tell whether a live second is the newest that is known, and not the past being worked off."""
        return not self._preview.newer_than(live.time_ns)

    def due(self, now_s: float) -> tuple[list[Resend], Taken]:
        """Return what is to be asked for again by now, and process what giving up has set free."""
        asks, freed = self.intake.due(now_s)
        failed: list[Record] = []
        if self._late and (now_s - self._late_s >= late.QUIET_S or len(self._late) >= late.MOST):
            failed = self.amend()
        taken = self._process(freed)
        taken.failed += failed
        return asks, taken

    def add(self, point: Point) -> None:
        """Add a point from elsewhere (a collector's report, a fault)."""
        self._keep((point,))
        self.changed = True

    def not_told(self, nudge: Nudge) -> None:
        """Note that a nudge which was just taken in came too late to be told, so that no page shows it as new."""
        self._state = pipeline.untold(self._state, nudge)
        for key, point in self._unstored.items():
            if point.measurement == "nudge" and point.time_ns == nudge.time_ns:
                self._unstored[key] = replace(point, fields={**point.fields, "told": False})

    def close_days(self, now_ns: int) -> None:
        """Write the days that are over and of which there is nothing, of a patient whom somebody has set up."""
        if not self._state.clips and self._state.config == PatientConfig():
            return
        state, points = pipeline.close_days(self._state, now_ns)
        if state is not self._state:
            self._state = state
            self._keep(points)
            self.changed = True

    def commit(self) -> Commit:
        """Hand out all that is not stored yet; `stored` or `not_stored` has to follow."""
        self._in_flight = {**self._in_flight, **self._unstored}
        self._unstored = {}
        self.changed = False
        saved = PatientCheckpoint(self._state, self.intake.state, dict(self._befores))
        return Commit(tuple(self._in_flight.values()), REGISTRY.dumps(saved), saved.intake.ack())

    def stored(self) -> None:
        """Let go of what the store now has."""
        self._in_flight = {}

    def not_stored(self) -> None:
        """Keep what the store did not take; later versions of the same points win."""
        self._unstored = {**self._in_flight, **self._unstored}
        self._in_flight = {}
        self.changed = True

    def finish(self) -> None:
        """Close what is open, because no more data will come; the state goes on as it was."""
        self._keep(pipeline.finish(self._state).points)
        self.changed = True

    def amend(self) -> list[Record]:
        """Use what came late, gap by gap, each record once; return the records that could not be processed."""
        came, self._late = self._late, {}
        failed: list[Record] = []
        for device in sorted({key[0] for key in came}):
            for lost in self.intake.given_up(device):
                found = late.stretches(lost, (batch for key, batch in came.items() if key[0] == device))
                if not found or not lost.start_ns:
                    continue
                sat = late.recalled(self._befores.get(device, ()), lost)
                used = []
                for stretch in found:
                    if self._amend(device, stretch, sat):
                        used.append(stretch)
                    else:
                        failed += stretch.batches
                if not used:
                    continue
                rest = late.left(lost, used)
                self._keep(late.gap_points(self.patient, device, lost, rest))
                self.intake.filled(device, lost, rest)
                self.changed = True
        return failed

    def _amend(self, device: str, stretch: Stretch, sat: OrientationState | None) -> bool:
        """Use one stretch that came late; tell whether it could be."""
        batches = stretch.batches
        late_block = _in_order([records.block(batch) for batch in batches])
        missing_ns = stretch.start_ns, stretch.end_ns
        try:
            self._state, result = pipeline.amend(
                self._state, device, batches[0].placement, late_block, missing_ns, sat=sat
            )
        except Exception:  # noqa: BLE001  as in `_step`
            _LOG.warning("what came late could not be processed; it is kept aside", exc_info=True)
            return False
        self._keep(result.points)
        return True

    def _process(self, ready: list[Record], past_ns: int = 0, present_ns: int = nudges.NEVER) -> Taken:
        taken = Taken()
        self.changed |= bool(ready)
        self._keep(tuple(records.gap_point(record, self.patient) for record in ready if isinstance(record, Gap)))
        for batches in _together([one for one in ready if isinstance(one, SampleBatch)], past_ns, self._state.clips):
            if not self._step(batches, taken, present_ns):
                for batch in batches:
                    if len(batches) == 1 or not self._step([batch], taken, present_ns):
                        taken.failed.append(batch)
        return taken

    def _step(self, batches: list[SampleBatch], taken: Taken, present_ns: int) -> bool:
        """Process batches of one wearable; tell whether they could be."""
        first = batches[0]
        self._remember(first)
        try:
            self._state, result = pipeline.step(
                self._state, first.device, first.placement, _joined(batches),
                battery_pct=batches[-1].battery_pct, present_ns=present_ns,
            )  # fmt: skip
        except Exception:  # noqa: BLE001  a record that meets a defect of ours must not stop those after it
            if len(batches) == 1:
                _LOG.warning("a record could not be processed; it is kept aside", exc_info=True)
            return False
        self._keep(result.points)
        _notice(taken, result)
        return True

    def _remember(self, batch: SampleBatch) -> None:
        """Before a gap, remember how the clip sat."""
        worn = self._state.clips.get(batch.device)
        if worn is not None and late.is_gap(worn.last_ns, batch.t0_ns):
            before = Before(worn.last_ns, worn.stream.orientation)
            kept = late.remembered(self._befores.get(batch.device, ()), before)
            others = {device: one for device, one in self._befores.items() if device in self._state.clips}
            self._befores = {**others, batch.device: kept}

    def _keep(self, points: tuple[Point, ...]) -> None:
        for point in points:
            self._unstored[point.measurement, point.time_ns, tuple(sorted(point.tags.values()))] = point


def _together(batches: list[SampleBatch], past_ns: int, known: Collection[str]) -> list[list[SampleBatch]]:
    """Put batches of the past together that follow each other, where a person wears one clip.

    Several are lined up as they come: what one of them says first has a say in what the others are waited for.
    """
    alone = len({*known, *(batch.device for batch in batches)}) == 1
    most = TOGETHER if alone else 1
    runs: list[list[SampleBatch]] = []
    open_runs: dict[str, list[SampleBatch]] = {}
    for batch in batches:
        run = open_runs.get(batch.device)
        if run is None or len(run) >= most or not _follows(run[-1], batch, past_ns):
            run = open_runs[batch.device] = []
            runs.append(run)
        run.append(batch)
    return runs


def _follows(before: SampleBatch, batch: SampleBatch, past_ns: int) -> bool:
    if batch.end_ns >= past_ns or before.placement != batch.placement or before.end_ns > batch.t0_ns:
        return False
    return not late.is_gap(before.end_ns, batch.t0_ns)


def _joined(batches: list[SampleBatch]) -> Block:
    blocks = [records.block(batch) for batch in batches]
    if len(blocks) == 1:
        return blocks[0]
    return Block(np.concatenate([one.t_ns for one in blocks]), np.concatenate([one.xyz_g for one in blocks]))


def _in_order(blocks: list[Block]) -> Block:
    """Put blocks one after the other; samples that do not come after the one before are left out."""
    t_ns = np.concatenate([block.t_ns for block in blocks])
    rising = np.r_[True, t_ns[1:] > np.maximum.accumulate(t_ns)[:-1]]
    return Block(t_ns[rising], np.concatenate([block.xyz_g for block in blocks])[rising])


def _notice(taken: Taken, result: Result) -> None:
    taken.live = result.live or taken.live
    taken.nudges += result.nudges
