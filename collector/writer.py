"""Takes records off the event loop into the outbox, many in one transaction when the disk is slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from collector.outbox import REASON_FULL, Outbox
from spineclip.contract.errors import OutboxError
from spineclip.contract.wire import Gap, Record

_HELD: Final = 3_600
"""Records kept in memory while the disk takes none: an hour of one wearable, some 3 MB at 100 Hz."""
_GROUP: Final = 256
_RETRY_S: Final = 1.0


class Writer:
    """Commits in order. While the disk is full, records wait in memory; past the bound the newest are let go.

    What is let go is named by a gap in its place, one for each wearable, which is committed as soon as the disk takes
    records again.

    Parameters
    ----------
    outbox
        Where to commit.
    committed
        Called after every commit.
    trouble
        Called once for each time that the disk begins to refuse.
    """

    def __init__(self, outbox: Outbox, committed: Callable[[], None], trouble: Callable[[OutboxError], None]) -> None:
        self.let_go = 0
        self._outbox = outbox
        self._committed = committed
        self._trouble = trouble
        self._queue: deque[Record] = deque()
        self._missed: dict[tuple[str, int], Gap] = {}
        self._taken = 0
        self._wake = asyncio.Event()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Records that are not committed yet."""
        return len(self._queue) + len(self._missed) + self._taken

    def put(self, records: list[Record]) -> None:
        """Queue records."""
        for record in records:
            if len(self._queue) + self._taken < _HELD:
                self._name_missed()
                self._queue.append(record)
            else:
                self._let_go(record)
        self._wake.set()

    def _let_go(self, record: Record) -> None:
        self.let_go += 1
        key = (record.device, record.boot)
        start_ns, from_seq = _beginning(record)
        if key in self._missed:
            start_ns, from_seq = _beginning(self._missed[key])
        self._missed[key] = Gap(
            record.device, record.placement, record.boot, record.seq, start_ns, record.end_ns, REASON_FULL,
            from_seq=from_seq,
        )  # fmt: skip

    def _name_missed(self) -> None:
        """Queue the gaps for what was let go, before anything newer."""
        self._queue.extend(self._missed.values())
        self._missed.clear()

    async def run(self) -> None:
        """Commit until `stop`."""
        refused = False
        while not (self._stopping and not self._queue):
            if not self._queue:
                await self._wake.wait()
                self._wake.clear()
                continue
            group = [self._queue.popleft() for _ in range(min(_GROUP, len(self._queue)))]
            self._taken = len(group)
            try:
                await asyncio.to_thread(self._outbox.append, group)
            except OutboxError as error:
                self._queue.extendleft(reversed(group))
                self._taken = 0
                if not refused:
                    self._trouble(error)
                refused = True
                if self._stopping:
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                refused = False
                self._name_missed()
                self._committed()
            finally:
                self._taken = 0

    async def stop(self, task: asyncio.Task[None]) -> None:
        """Commit what is queued, at most for some seconds, and end the task."""
        self._stopping = True
        self._wake.set()
        await asyncio.wait([task], timeout=3.0)
        task.cancel()


def _beginning(record: Record) -> tuple[int, int]:
    """Return from when on, and from which number on, a record stands."""
    if isinstance(record, Gap):
        return record.start_ns, record.seq if record.from_seq is None else record.from_seq
    return record.t0_ns, record.seq
