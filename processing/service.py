"""The core: records from MQTT in, metrics into the store, and only then an ack.

::

    broker -> inbox of each patient -> intake -> pipeline -> (points + checkpoint) -> store -> ack

A batch is acknowledged when its metrics and the checkpoint that explains them are stored, never before. Everything
between may be lost at any moment: what is not acknowledged is sent again by its collector.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from typing import Final

from processing import nudge_words, records, warm_up
from processing.checkpoint import CheckpointError
from processing.committer import Committer
from processing.desk import Desk
from processing.intake import Verdict
from processing.metrics import check
from processing.patient import TOGETHER, Patient, Taken
from processing.stores.base import MetricStore
from processing.streaks import Nudge
from spineclip.contract.clock import Clock, SystemClock
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import StoreBusyError, WireError
from spineclip.contract.line import Line
from spineclip.contract.live import Live
from spineclip.contract.messages import Buzz, Event, command_to_json
from spineclip.contract.topics import Channel, everyone, parse
from spineclip.contract.wire import Record, SampleBatch, check_time, decode, encode

_LOG = logging.getLogger(__name__)

_CHANNELS: Final = (Channel.CONFIG, Channel.EVENT, Channel.SAMPLES, Channel.NEWEST)
"""What the core listens to. Configs first: what is retained of them comes before any samples."""
INBOX_MAX: Final = 4096
"""Messages that may wait for one patient; a flood beyond is dropped unread (and sent again, since it is not
acknowledged), so that it costs its sender time and nobody else."""
TURN: Final = 8
TURN_PAST: Final = TOGETHER
"""Records of one patient that are processed before it is the next one's turn: of the present, of the past."""
BEHIND: Final = 2
"""When more records of a patient wait, those of the present are processed together, too: a core that has more patients
than it can look at every second looks at each every few seconds, for a fraction of the work."""
UNSTORED_MAX: Final = 100_000
"""Points of one patient that may wait for the store; then its records wait too."""
LIVE_EVERY_S: Final = 0.2
"""Live messages of a patient are at least so far apart: one a second in real time, a few while a replay runs fast."""
FRESH_NS: Final = 60 * 10**9
"""A nudge for a moment longer ago is stored, but no longer told, and no page is shown such a moment as the present."""
PRESENT_NS: Final = 10 * 10**9
"""A nudge that was not told is said anew, if it still holds, once what is known is at most so old."""
DRAIN_S: Final = 5.0
"""At a stop, what has arrived is processed for at most so long; the rest will be sent again."""
SETTLE_S: Final = 30.0
"""So long after a connection days are not closed yet: collectors send what they hold first."""
_TICK_S: Final = 0.25


class Core:
    """The processing service.

    Parameters
    ----------
    store
        Where metrics and checkpoints go; the core alone writes.
    mqtt
        The broker.
    clock
        The time that records live in: what is too far ahead of it is refused. Pauses and network timers are real.
    commit_s
        How far the store may be behind live.
    fresh_ns
        How far behind the clock the present may be: `FRESH_NS`, and more where the clock runs faster than life.
    each_second
        Look at each second by itself, however far behind: where a recording is played, nudges shall not depend on how
        busy the machine is.

    Notes
    -----
    Use ``await run()``; end it with ``await stop()``, which stores everything that has arrived.
    """

    def __init__(
        self,
        store: MetricStore,
        mqtt: BrokerAccess,
        clock: Clock | None = None,
        *,
        commit_s: float = 2.0,
        fresh_ns: int = FRESH_NS,
        each_second: bool = False,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._fresh_ns = fresh_ns
        self._each_second = each_second
        self._real = SystemClock()
        self._desks: dict[str, Desk] = {}
        self._work = asyncio.Event()
        self._line = Line(mqtt, "core", [everyone(one) for one in _CHANNELS], self._on_message, self._greet)
        self._committer = Committer(store, self._publish_ack, commit_s=commit_s)
        self.received = 0
        """Messages from the broker."""
        self.processed = 0
        """Records that came through the intake in order or not."""
        self.rejects: Counter[str] = Counter()
        """Messages that could not be used, by reason."""
        self.duplicates = 0
        """Records that came again."""
        self.floods: Counter[str] = Counter()
        """Messages dropped unread because their patient had too many waiting, or sent the same over and over."""

    @property
    def connected(self) -> bool:
        """Whether the broker listens to us."""
        return self._line.connected

    @property
    def waiting(self) -> int:
        """Records that have arrived and are not processed yet, and patients that are not stored yet."""
        return sum(
            len(desk.inbox) + desk.patient.changed + (desk.patient.unstored > 0) for desk in self._desks.values()
        )

    @property
    def commits(self) -> int:
        """Commits that the store has accepted."""
        return self._committer.commits

    async def run(self) -> None:
        """Resume every patient from the store and serve until `stop`.

        Raises
        ------
        StoreError
            If the checkpoints cannot be read at the start.
        """
        await self._resume()
        # the first samples would wait for it, and all patients with them
        prepared = asyncio.create_task(asyncio.to_thread(warm_up.warm_up))
        tasks = [asyncio.create_task(work) for work in (self._process(), self._ticks(), self._committer.run())]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        try:
            await self._line.run()
        finally:
            self._committer.stop()
            for task in tasks[:2]:
                task.cancel()
            await asyncio.gather(prepared, *tasks, return_exceptions=True)
            for task in tasks:
                if not task.cancelled() and (error := task.exception()) is not None:
                    raise error

    async def stop(self, *, finish: bool = False) -> None:
        """Process and store everything that has arrived, take leave of the broker, and let `run` return.

        Parameters
        ----------
        finish
            Also close what is open, because no more data will come (the end of a replay).
        """
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    while any(desk.inbox for desk in self._desks.values()):
                        self._work.set()
                        await asyncio.sleep(0.01)
            for name, desk in self._desks.items():
                self._tell(name, desk, Taken(failed=desk.patient.amend()))
            if finish:
                self.finish()
            await self._committer.flush([desk.patient for desk in self._desks.values()])
        except StoreBusyError as error:
            _LOG.warning("%s What is not stored will be sent again", error)
        finally:
            self._line.end()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        """End the service when a part of it has failed, so that whoever started it notices."""
        if not task.cancelled() and task.exception() is not None:
            self._line.end()

    def finish(self) -> None:
        """Close what is open of every patient, because no more data will come."""
        for desk in self._desks.values():
            desk.patient.finish()

    # ---- the broker

    def _greet(self) -> None:
        """Tell again what is stored, and ask for what may have passed by while nobody listened."""
        for name, desk in self._desks.items():
            self._publish_ack(name, self._committer.acked(name))
            for ask in desk.patient.intake.open_ends():
                self._line.publish(name, Channel.CMD, command_to_json(ask))

    def _publish_ack(self, name: str, payload: bytes | None) -> None:
        if payload is not None:
            self._line.publish(name, Channel.ACK, payload, retain=True)

    # ---- messages

    def _on_message(self, name: str, payload: bytes) -> None:
        self.received += 1
        patient = ""
        try:
            patient, channel = parse(name)
            match channel:
                case Channel.SAMPLES:
                    self._arrived(patient, payload)
                case Channel.NEWEST:
                    self._look(patient, decode(payload, now_ns=self._clock.utc_ns()))
                case Channel.CONFIG:
                    if payload:
                        self._configure(patient, PatientConfig.from_json(payload))
                case Channel.EVENT:
                    self._report(patient, Event.from_json(payload))
                case _:
                    raise WireError("topic", f"nothing to do with {name!r}")
        except WireError as error:
            self._refuse(patient, error, payload)

    def _arrived(self, patient: str, payload: bytes) -> None:
        desk = self._desk(patient)
        if len(desk.inbox) >= INBOX_MAX or desk.allowance.exhausted(self._now_s()):
            if patient not in self.floods:
                _LOG.warning("a patient sends more than can be used; what is too much is dropped unread")
            self._count(patient, "flood")
            self.floods[patient] += 1
            return
        desk.inbox.append(decode(payload, now_ns=self._clock.utc_ns()))
        self._work.set()

    def _look(self, patient: str, record: Record) -> None:
        desk = self._desk(patient)
        live = desk.patient.look(record) if isinstance(record, SampleBatch) else None
        if live is not None:
            self._tell_live(patient, desk, live)

    def _configure(self, patient: str, config: PatientConfig) -> None:
        desk = self._desk(patient)
        desk.patient.configure(config)
        if desk.patient.changed:
            self._committer.changed(patient, desk.patient)

    def _report(self, patient: str, event: Event) -> None:
        if event.detail.get("stage") == "core":
            return  # our own words
        check_time("time_ns", event.time_ns, self._clock.utc_ns())
        point = records.event_point(event, patient)
        if point is not None:
            try:
                check(point)
            except ValueError as error:
                raise WireError("absurd-value", str(error)) from error
            desk = self._desk(patient)
            desk.patient.add(point)
            self._committer.changed(patient, desk.patient)

    def _refuse(self, patient: str, error: WireError, payload: bytes) -> None:
        """Count what cannot be used, keep it aside, and tell of each reason once a patient."""
        self._count(patient, error.reason)
        _LOG.debug("message of %s refused: %s", patient, error)
        self._committer.keep_aside(patient, self._clock.utc_ns(), error.reason, payload)
        if patient in self._desks:
            self._desks[patient].allowance.spend(1)

    def _count(self, patient: str, reason: str, n: int = 1) -> None:
        self.rejects[reason] += n
        if patient in self._desks:
            self._desks[patient].counts[reason] += n

    def _desk(self, patient: str) -> Desk:
        desk = self._desks.get(patient)
        if desk is None:
            desk = self._desks[patient] = Desk(Patient(patient))
        return desk

    # ---- work

    async def _resume(self) -> None:
        for name, checkpoint in (await asyncio.to_thread(self._store.checkpoints)).items():
            try:
                self._desks[name] = Desk(Patient.resume(name, checkpoint))
            except CheckpointError as error:
                # one patient's damaged state must not stop the others; its collector sends what is not acknowledged
                _LOG.error("the checkpoint of a patient cannot be read (%s); it begins anew", error)
                self.rejects["checkpoint"] += 1
                self._committer.keep_aside(name, self._clock.utc_ns(), "checkpoint", checkpoint)
                continue
            self._committer.resume(name, self._desks[name].patient)

    async def _process(self) -> None:
        """Give each patient a turn, as long as there is work."""
        while True:
            await self._work.wait()
            self._work.clear()
            for name, desk in list(self._desks.items()):
                if desk.inbox and desk.patient.unstored < UNSTORED_MAX:
                    self._turn(name, desk)
                    await asyncio.sleep(0)
                if desk.inbox and desk.patient.unstored < UNSTORED_MAX:
                    self._work.set()

    def _turn(self, name: str, desk: Desk) -> None:
        past_ns, now_ns = 0, self._clock.utc_ns()
        if not self._each_second:
            past_ns = now_ns - (FRESH_NS if len(desk.inbox) <= BEHIND else 0)
        most = TURN_PAST if desk.inbox[0].end_ns < past_ns - FRESH_NS else TURN
        turn = [desk.inbox.popleft() for _ in range(min(most, len(desk.inbox)))]
        self.processed += len(turn)
        taken = desk.patient.take(*turn, now_s=self._now_s(), past_ns=past_ns, present_ns=now_ns - PRESENT_NS)
        if taken.verdicts[Verdict.LATE]:
            self._count(name, "late", taken.verdicts[Verdict.LATE])
        if taken.verdicts[Verdict.DUPLICATE]:
            self._committer.repeat_ack(name)
            desk.allowance.spend(taken.verdicts[Verdict.DUPLICATE])
            desk.counts["duplicate"] += taken.verdicts[Verdict.DUPLICATE]
            self.duplicates += taken.verdicts[Verdict.DUPLICATE]
        self._tell(name, desk, taken)

    def _tell(self, name: str, desk: Desk, taken: Taken) -> None:
        for record in taken.failed:
            self._count(name, "failed")
            self._committer.keep_aside(name, self._clock.utc_ns(), "failed", encode(record))
        if desk.patient.changed:
            self._committer.changed(name, desk.patient)
        if taken.live is not None and desk.patient.is_present(taken.live):
            self._tell_live(name, desk, taken.live)
        late = [nudge.time_ns for nudge in taken.nudges if nudge.ended_s is None and not self._is_fresh(nudge.time_ns)]
        for nudge in taken.nudges:
            if nudge.time_ns in late and nudge.ended_s is None:
                desk.patient.not_told(nudge)
            elif nudge.told and nudge.time_ns not in late:
                self._tell_nudge(name, desk, nudge, taken.live)

    def _is_fresh(self, time_ns: int) -> bool:
        return abs(self._clock.utc_ns() - time_ns) <= self._fresh_ns

    def _tell_live(self, name: str, desk: Desk, live: Live) -> None:
        if self._clock.utc_ns() - live.time_ns > self._fresh_ns:
            return  # what came of a while ago is nobody's present
        now_s = self._now_s()
        if now_s - desk.told_live_s >= LIVE_EVERY_S:
            desk.told_live_s = now_s
            self._line.publish(name, Channel.LIVE, live.to_json(), qos=0)

    def _tell_nudge(self, name: str, desk: Desk, nudge: Nudge, live: Live | None) -> None:
        device = live.device if live is not None else ""
        point = nudge_words.point(nudge, name, desk.patient.config.language)
        event = Event("nudge", nudge.time_ns, device, {"stage": "core", **point.fields})
        self._line.publish(name, Channel.EVENT, event.to_json())
        if nudge.ended_s is None and device:
            self._line.publish(name, Channel.CMD, command_to_json(Buzz(device, str(nudge.cause))))

    async def _ticks(self) -> None:
        """Ask for what is missing, give up what does not come, and close the days that are over."""
        while True:
            await self._real.sleep(_TICK_S)
            for name, desk in list(self._desks.items()):
                asks, taken = desk.patient.due(self._now_s())
                for ask in asks:
                    self._line.publish(name, Channel.CMD, command_to_json(ask))
                if self._line.has_stood(SETTLE_S):
                    desk.close_days(self._clock.utc_ns())
                desk.report(self._clock.utc_ns())
                self._tell(name, desk, taken)
            self._work.set()

    def _now_s(self) -> float:
        return self._real.monotonic_ns() / 1e9
