"""Files that are their owner's alone, and whole at any moment: secrets, and what is known of patients."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait for the turn to change files of a folder, which has to be there.

    Of two who read, change and write a file at once, in any threads or programs, one would undo what the other has
    changed. The lock is the operating system's: whoever dies lets go of it. Windows has no such lock.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        yield
        return
    descriptor = os.open(folder / ".turn", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read (mode 0600), in place of an older one; its folder has to be there.

    Whoever reads meanwhile, or after a crash or a full disk, finds all of the old or all of the new.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched then.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        try:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
