"""Running until done, or until somebody asks to stop: Ctrl-C and SIGTERM end everything in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Run `work` to its end, or cancel it at the first signal and let it clean up.

    Returns
    -------
    Whether it came to its end by itself.
    """
    try:
        return asyncio.run(_guarded(work))
    except KeyboardInterrupt:  # where signal handlers cannot be set (Windows), asyncio has cancelled the work by now
        return False


async def _guarded(work: Coroutine[Any, Any, None]) -> bool:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:  # impatient fingers do not interrupt the cleaning up
            stopped = True
            task.cancel()

    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            break
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    return not stopped
