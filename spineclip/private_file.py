"""Files that are their owner's alone, and whole at any moment: secrets, and what is known of patients."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
