"""Points and checkpoints into the store, in groups, and only then the ack."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

from processing.metrics import Point
from processing.patient import Commit, Patient
from processing.stores.base import MetricStore
from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError

_LOG = logging.getLogger(__name__)

RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses while the store is busy."""
COMMIT_SHARE: Final = 0.5
"""Share of the time that commits may take (our choice); patients are then stored less often, in bigger groups."""
SPACING_MAX_S: Final = 15.0
ASIDE_MAX: Final = 256
"""Refused messages that may wait to be kept aside; of more, only the count is kept."""


class Committer:
    """Stores what patients have gathered, each at most so often, and says so.

    Parameters
    ----------
    store
        The store; its calls run in a thread, one at a time.
    acknowledge
        Called in the event loop with patient and ack after each commit.
    commit_s
        Pause between two commits of a patient.
    """

    def __init__(self, store: MetricStore, acknowledge: Callable[[str, bytes], None], *, commit_s: float = 2.0) -> None:
        self._store = store
        self._acknowledge = acknowledge
        self._commit_s = commit_s
        self._due: dict[str, tuple[float, Patient]] = {}
        self._acks: dict[str, bytes] = {}
        self._repeats: set[str] = set()
        self._aside: deque[tuple[str, int, str, bytes]] = deque(maxlen=ASIDE_MAX)
        self._wake = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._cost_s = 0.0
        self._busy = asyncio.Lock()
        self.commits = 0
        """Commits that the store has accepted."""
        self.refused = 0
        """Points that the store has refused."""

    def resume(self, name: str, patient: Patient) -> None:
        """Know what is stored already."""
        self._acks[name] = patient.intake.state.ack().to_json()

    def acked(self, name: str) -> bytes | None:
        """Return a patient's newest ack."""
        return self._acks.get(name)

    def changed(self, name: str, patient: Patient) -> None:
        """Say that a patient has something to store."""
        if name not in self._due:
            self._due[name] = (time.monotonic() + self._spacing_s(), patient)
            self._wake.set()

    def repeat_ack(self, name: str) -> None:
        """Say again what is stored, since a collector sends what it could have let go of."""
        self._repeats.add(name)
        self._wake.set()

    def keep_aside(self, patient: str, time_ns: int, reason: str, payload: bytes) -> None:
        """Have a message that cannot be used kept aside."""
        self._aside.append((patient, time_ns, reason, payload))
        self._wake.set()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Store what is due, until stopped."""
        while not self._stopping:
            pause_s = self._pause_s()
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                pass  # something is due
            self._wake.clear()
            await self._work(time.monotonic())

    async def flush(self, patients: Iterable[Patient]) -> None:
        """Store everything now, what is kept aside too; a busy store is tried again for a few seconds.

        Raises
        ------
        StoreBusyError
            If it stays busy. Nothing is lost by that: what was not acknowledged is sent again.
        """
        await _patiently(self._set_waiting_aside)
        for patient in patients:
            if patient.changed or patient.unstored:
                await _patiently(partial(self._commit, patient))

    def _spacing_s(self) -> float:
        """Space commits so that with many patients they take no more than their share of the time."""
        return max(self._commit_s, min(SPACING_MAX_S, self._cost_s * len(self._acks) / COMMIT_SHARE))

    def _pause_s(self) -> float | None:
        if self._failures:
            return RETRY_S[min(self._failures, len(RETRY_S)) - 1]
        if not self._due:
            return None
        return max(0.0, min(due_s for due_s, _ in self._due.values()) - time.monotonic())

    async def _work(self, now_s: float) -> None:
        repeats, self._repeats = self._repeats, set()
        for name in repeats:
            if name in self._acks:
                self._acknowledge(name, self._acks[name])
        try:
            await self._set_waiting_aside()
            for name, (due_s, patient) in list(self._due.items()):
                if due_s <= now_s or self._failures:
                    del self._due[name]
                    await self._commit(patient)
            self._failures = 0
        except StoreError as error:
            if not self._failures:
                _LOG.warning("%s", error)
            self._failures += 1

    async def _commit(self, patient: Patient) -> None:
        async with self._busy:
            begun_s = time.monotonic()
            commit = patient.commit()
            try:
                await self._store_commit(patient.patient, commit)
            except StoreError:
                patient.not_stored()
                self.changed(patient.patient, patient)
                raise
            except asyncio.CancelledError:
                patient.not_stored()
                raise
            patient.stored()
            self.commits += 1
            self._cost_s += (time.monotonic() - begun_s - self._cost_s) / 16
            ack = commit.ack.to_json()
            self._acks[patient.patient] = ack
            self._acknowledge(patient.patient, ack)

    async def _store_commit(self, name: str, commit: Commit) -> None:
        try:
            await asyncio.to_thread(self._store.commit, name, commit.points, commit.checkpoint)
        except StoreRefusedError as error:
            _LOG.warning("the store refuses points: %s", error)
            await self._commit_singly(name, commit)

    async def _commit_singly(self, name: str, commit: Commit) -> None:
        """Store what can be stored, and keep aside the points that the store will never take."""
        for point in commit.points:
            try:
                await asyncio.to_thread(self._store.commit, name, (point,), None)
            except StoreRefusedError as error:
                self.refused += 1
                reason = f"refused-{point.measurement}"
                await self._set_aside(name, point.time_ns, reason, _as_text(point, error))
        await asyncio.to_thread(self._store.commit, name, (), commit.checkpoint)

    async def _set_waiting_aside(self) -> None:
        while self._aside:
            row = self._aside.popleft()
            try:
                await self._set_aside(*row)
            except StoreError:
                self._aside.appendleft(row)
                raise

    async def _set_aside(self, name: str, time_ns: int, reason: str, payload: bytes) -> None:
        try:
            await asyncio.to_thread(self._store.keep_aside, name, time_ns, reason, payload)
        except StoreRefusedError as error:  # what cannot even be kept aside must hold up nothing else
            _LOG.warning("a refused message (%s) cannot be kept aside: %s", reason, error)


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do something with a store that may be busy for a moment."""
    for pause_s in (*RETRY_S[:-1], None):
        try:
            await work()
            break
        except StoreBusyError:
            if pause_s is None:
                raise
            await asyncio.sleep(pause_s)


def _as_text(point: Point, error: StoreRefusedError) -> bytes:
    row = {
        "measurement": point.measurement, "time_ns": point.time_ns, "tags": dict(point.tags),
        "fields": dict(point.fields), "why": str(error),
    }  # fmt: skip
    return json.dumps(row, default=str).encode()
