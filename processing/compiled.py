"""Loops over seconds and samples, run as machine code.

The core looks at each second with a few hundred small sums. Array by array, that costs a call for each of them, for one
second as for a thousand; compiled, a second costs microseconds, and a stream and a batch run through the very same
code, in the same order, so that their bits are the same. Numba compiles a function when it is first called and
keeps the result on disk.

A compiled function holds copies of the numbers and functions that it takes from other files. So what is kept
stands under a digest of all files of this package: a changed one is never mixed with what was compiled before.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from numba.core import config, types

_OLD_S: Final = 14 * 86400.0
_F = TypeVar("_F", bound=Callable[..., Any])
_njit: Final = cast("Callable[..., Any]", numba.njit)
_plain: Final = cast("Callable[[types.Type], types.Type]", types.unliteral)


def _home() -> Path:
    """Where machine code is kept: as Numba was told, else the user's cache (XDG base directory specification)."""
    told = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    return Path(told or Path("~/.cache").expanduser()) / "spineclip" / "compiled"


def _digest() -> str:
    found = hashlib.sha256(numba.__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _keep() -> bool:
    """Say where to keep machine code, and let go of what no version has used for long; False if there is no place."""
    try:
        own = _home() / _digest()
        own.mkdir(parents=True, exist_ok=True)
        os.utime(own)
        for other in own.parent.iterdir():
            if other.stat().st_mtime < time.time() - _OLD_S:
                shutil.rmtree(other, ignore_errors=True)
    except (OSError, RuntimeError):  # no home, no room, not ours: each start compiles anew, slower, and nothing else
        return False
    vars(config)["CACHE_DIR"] = str(own)
    return True


_KEPT: Final = _keep()


def compiled(function: _F) -> _F:
    """Compile a function of arrays and plain numbers, at its first call for each kind of argument.

    Sums are done in the order in which they are written, and a division by zero gives what IEEE 754 says, as in NumPy.

    Called by another compiled function, it becomes a part of that one: without what Python would need to call it, not
    kept by itself, and once for whole numbers rather than once for each number that is written in a call. Half of the
    time to compile would go into these.
    """
    return _made(function)


def borrowing(function: _F) -> _F:
    """Do as `compiled` for a function that only works on arrays that it is given: it makes none and returns none.

    So nothing needs to be counted of who still uses them, which a function does for each array and each part of one
    that it touches, with instructions that cost more than many a sum: a tenth of all time in loops over seconds. What
    it calls returns no arrays either, since nobody would let go of them.
    """
    return _made(function, _nrt=False)


def _made(function: _F, **options: bool) -> _F:
    made = numba.njit(cache=_KEPT, error_model="numpy")(function)
    part = _njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)

    def call(args: Iterable[types.Type], kws: Mapping[str, types.Type]) -> tuple[Any, ...]:
        """Say how another compiled function calls it."""
        plain = {name: _plain(kind) for name, kind in kws.items()}
        return cast("tuple[Any, ...]", part.get_call_template([_plain(kind) for kind in args], plain))

    vars(made).update(get_call_template=call, get_overload=part.get_overload)
    return cast("_F", made)
