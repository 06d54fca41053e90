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
        # The loop hears of a signal by a byte in a pipe, which other threads fill, too: with none left in it, the
        # signal would be lost. So it is also called for by Python's own handler, which needs no pipe.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    return not stopped
