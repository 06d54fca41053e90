"""Takes records off the event loop into the outbox, many in one transaction when the disk is slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from collector.outbox import Outbox
from spineclip.contract.errors import OutboxError
from spineclip.contract.wire import Record

_HELD: Final = 3_600
"""Records kept in memory while the disk takes none: an hour of one wearable, some 3 MB at 100 Hz."""
_GROUP: Final = 256
_RETRY_S: Final = 1.0


class Writer:
    """Commits in order. While the disk is full, records wait in memory; past the bound the newest are let go.

    What is let go has a sequence number that never arrives, so that the core reports it as missing.

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
        self._taken = 0
        self._wake = asyncio.Event()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Records that are not committed yet."""
        return len(self._queue) + self._taken

    def put(self, records: list[Record]) -> None:
        """Queue records."""
        for record in records:
            if len(self._queue) < _HELD:
                self._queue.append(record)
            else:
                self.let_go += 1
        self._wake.set()

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
                if not refused:
                    self._trouble(error)
                refused = True
                if self._stopping:
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                refused = False
                self._committed()
            finally:
                self._taken = 0

    async def stop(self, task: asyncio.Task[None]) -> None:
        """Commit what is queued, at most for some seconds, and end the task."""
        self._stopping = True
        self._wake.set()
        await asyncio.wait([task], timeout=3.0)
        task.cancel()
