"""A line to the broker: opened again whenever it is lost, until it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import RETRY_S, BrokerAccess, Connection
from spineclip.contract.errors import BrokerError
from spineclip.contract.topics import Channel, topic

_LOG = logging.getLogger(__name__)


class Line:
    """A connection after the other.

    Parameters
    ----------
    access
        The broker.
    client_id
        What we are called there.
    patterns
        What is listened to; subscribed to one after the other.
    on_message
        Called with topic and payload.
    on_open
        Called when a connection is open and listens.
    """

    def __init__(
        self,
        access: BrokerAccess,
        client_id: str,
        patterns: Sequence[str],
        on_message: Callable[[str, bytes], None],
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self._access = access
        self._client_id = client_id
        self._patterns = patterns
        self._on_message = on_message
        self._on_open = on_open
        self._clock = SystemClock()
        self._ended = asyncio.Event()
        self._lost = asyncio.Event()
        self._tried = asyncio.Event()
        self._trouble: BrokerError | None = None
        self._connection: Connection | None = None
        self._opened_s = float("inf")

    @property
    def connected(self) -> bool:
        """Whether the broker listens to us."""
        return self._connection is not None

    def has_stood(self, seconds: float) -> bool:
        """Tell whether it has been open for so long."""
        return self._now_s() - self._opened_s >= seconds

    def publish(self, name: str, channel: Channel, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message of a patient, if anybody listens."""
        if self._connection is not None:
            self._connection.publish(topic(name, channel), payload, qos=qos, retain=retain)

    def end(self) -> None:
        """Take leave of the broker, and let `run` return."""
        self._ended.set()
        self._lost.set()

    async def begun(self) -> None:
        """Wait until `run` has opened it for the first time.

        Raises
        ------
        BrokerError
            If that has failed; `run` goes on trying.
        """
        await self._tried.wait()
        if self._trouble is not None:
            raise self._trouble

    async def run(self) -> None:
        """Keep it open until `end`."""
        failures = 0
        while not self._ended.is_set():
            self._lost.clear()
            connection = Connection(
                self._access, client_id=self._client_id, on_message=self._on_message, on_lost=self._on_lost
            )
            try:
                await connection.open()
                for pattern in self._patterns:
                    await connection.subscribe(pattern)
                self._connection, self._opened_s = connection, self._now_s()
                failures, self._trouble = 0, None
                self._tried.set()
                self._on_open()
                await self._lost.wait()
            except BrokerError as error:
                if str(error) != str(self._trouble):
                    _LOG.warning("%s", error)
                self._trouble = error
            finally:
                self._tried.set()
                self._connection, self._opened_s = None, float("inf")
                await connection.close()
            if not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S[min(failures, len(RETRY_S) - 1)]):
                        await self._ended.wait()
                failures += 1

    def _on_lost(self, reason: str) -> None:
        if not self._ended.is_set():
            _LOG.warning("the broker closed the connection (%s)", reason)
        self._lost.set()

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9
