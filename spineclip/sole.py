"""One core a store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import StoreError

if TYPE_CHECKING:
    from processing.stores.influx import InfluxStore
    from processing.stores.lease import Lease


@contextlib.contextmanager
def sole_core(file: Path) -> Iterator[None]:
    """Be the only core on a SQLite store: with two, the checkpoint of one would hide what the other acknowledged.

    The lock is the operating system's: a core that dies lets go of it. Windows has no such lock.

    Raises
    ------
    StoreError
        If another core works on it.
    """
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file.with_name(f"{file.name}.core"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreError(
            f"another core works on the metric store {file}", advice="Stop it first, or name another file"
        ) from error
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def sole_core_influx(store: InfluxStore) -> Iterator[Lease]:
    """Be the only core on an InfluxDB's bucket, by a heartbeat there; whoever runs us keeps it beating.

    Raises
    ------
    StoreError
        If another core works on it, or the database is away.
    """
    lease = store.lease(SystemClock())
    lease.take()
    try:
        yield lease
    finally:
        lease.release()
