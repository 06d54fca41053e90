"""One core on an InfluxDB, where nothing can be locked: a heartbeat that a second core sees.

One point, ``core``, has who works on the bucket and a number that rises with every beat. Who starts waits until the
number has stood still for longer than a core lets it; no two clocks have to agree for that. Who reads somebody else's
name before a beat, or before it stores something after a pause, has been replaced, and ends.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from processing.metrics import Value
from processing.stores.influx_link import InfluxLink
from processing.stores.line_protocol import line
from spineclip.contract.clock import Clock
from spineclip.contract.errors import StoreBusyError, StoreError

BEAT_S: Final = 2.0
PATIENCE_S: Final = 7.0
"""A heartbeat that stands still for so long has stopped: a core lets three beats pass at most."""
LONG_GONE_NS: Final = 60 * 10**9
"""A heartbeat that is so old by our own clock is not waited for."""
_LOOK_S: Final = 0.25
_STOPPED: Final = -1


class TakenError(StoreError):
    """Another core works on this store."""


class Lease:
    """The right to write one bucket of a database, from `take` to `release`.

    Parameters
    ----------
    link
        The way to the database.
    clock
        Tells how long a heartbeat has stood still.
    wait
        Lets so many seconds of the clock pass; `take` blocks meanwhile.
    """

    def __init__(self, link: InfluxLink, clock: Clock, wait: Callable[[float], None] = time.sleep) -> None:
        self._link = link
        self._clock = clock
        self._wait = wait
        self._name = secrets.token_hex(8)
        self._number = 0
        self._beaten_ns: int | None = None
        self.lost: TakenError | None = None
        """What there is to say once another core has taken our place."""

    def take(self) -> None:
        """Become the core of this bucket.

        Raises
        ------
        TakenError
            If another one is at work there.
        StoreBusyError
            If the database is away.
        """
        found = self._read()
        if found is not None and found[1] != _STOPPED and self._clock.utc_ns() - found[2] < LONG_GONE_NS:
            until_ns = self._clock.monotonic_ns() + round(PATIENCE_S * 1e9)
            while self._clock.monotonic_ns() < until_ns:
                self._wait(_LOOK_S)
                if (now := self._read()) is not None and now[:2] != found[:2] and now[1] != _STOPPED:
                    raise self._taken()
        self._write(1)
        self._wait(_LOOK_S)
        self.beat()  # whoever started in the same moment has written by now, and one of us two reads the other's name

    def beat(self) -> None:
        """Say that we are here.

        Raises
        ------
        TakenError
            If another core has taken our place.
        StoreBusyError
            If the database is away.
        """
        found = self._read()
        if found is not None and found[0] != self._name:
            self.lost = self._taken()
            raise self.lost
        self._write(self._number + 1)

    def check(self) -> None:
        """Make sure before something is stored that our place is still ours: a core may have stood still for long."""
        if self._beaten_ns is None or self._clock.monotonic_ns() - self._beaten_ns > 2 * BEAT_S * 1e9:
            self.beat()

    def release(self) -> None:
        """Say that we are gone, so that the next one need not wait."""
        try:
            found = self._read()
            if found is not None and found[0] == self._name:
                self._write(_STOPPED)
        except StoreBusyError:
            pass  # the next one waits for some seconds instead

    def _read(self) -> tuple[str, int, int] | None:
        for one in self._link.query('SELECT "name", "number", "utc_ns" FROM "core"'):
            for _, name, number, utc_ns in one["values"]:
                return str(name), int(number), int(utc_ns)
        return None

    def _write(self, number: int) -> None:
        fields: dict[str, Value] = {"name": self._name, "number": number, "utc_ns": self._clock.utc_ns()}
        refused = self._link.write([line("core", {}, fields, 0)])
        if refused:
            raise StoreError(
                f"InfluxDB will not take a heartbeat ({refused[0].words})",
                advice="Name a bucket that no other program writes a measurement 'core' to",
            )
        self._number, self._beaten_ns = number, self._clock.monotonic_ns()

    def _taken(self) -> TakenError:
        address = self._link.address
        return TakenError(
            f"another core works on the bucket {address.bucket!r} of {address.url}",
            advice="Stop it first, or name another bucket",
        )
