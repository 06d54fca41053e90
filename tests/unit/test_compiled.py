"""Promise: what was compiled is kept where the user's cache is, never mixed with another version, and not needed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.typing import NDArray

import processing
from processing.compiled import borrowing, compiled

PACKAGE = Path(processing.__file__).parent
PROGRAM = """
import numpy as np
from processing.compiled import compiled

{function}
print(int(total(np.ones(3))), total.stats.cache_hits.total())
"""
FUNCTION = """
@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found
"""


def _run(folder: Path, cache: str) -> list[str]:
    file = folder / "program.py"
    file.write_text(PROGRAM.format(function=FUNCTION))
    env = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(PACKAGE.parent)}
    env.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, file], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_second_start_loads_what_the_first_has_compiled(tmp_path: Path) -> None:
    assert _run(tmp_path, str(tmp_path / "cache")) == ["3", "0"]
    assert _run(tmp_path, str(tmp_path / "cache")) == ["3", "1"]


def test_what_no_version_has_used_for_long_is_let_go(tmp_path: Path) -> None:
    kept, old = (tmp_path / "spineclip" / "compiled" / name for name in ("recent", "old"))
    kept.mkdir(parents=True)
    old.mkdir()
    long_ago = time.time() - 30 * 86400
    os.utime(old, (long_ago, long_ago))
    _run(tmp_path, str(tmp_path))
    assert kept.exists()
    assert not old.exists()


def test_without_a_place_to_keep_it_the_core_still_runs(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder can be made here")
    assert _run(tmp_path, str(taken))[0] == "3"


def test_what_counts_no_users_of_arrays_can_make_none() -> None:
    @borrowing
    def make(values: NDArray[np.float64]) -> float:
        return float(np.empty(3)[0] + values[0])

    @compiled
    def outer(values: NDArray[np.float64]) -> float:
        return make(values)

    with pytest.raises(TypingError):
        outer(np.ones(3))


def test_what_counts_no_users_of_arrays_leaves_them_as_they_are() -> None:
    @borrowing
    def total(values: NDArray[np.float64]) -> float:
        part, found = values[1:], 0.0
        for value in part:
            found += value
        return found

    @compiled
    def outer(values: NDArray[np.float64]) -> float:
        return total(values) + total(values[1:])

    values = np.ones(4)
    users = sys.getrefcount(values)
    assert outer(values) == 5.0
    assert sys.getrefcount(values) == users
