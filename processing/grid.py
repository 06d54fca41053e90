"""One time grid for every wearable: 25 samples in each whole UTC second, from anything between 10 and 400 Hz.

Accuracy does not fall between 50 Hz and 25 Hz (measured on HARTH and HAR70+), and half the samples are half the
work. A second depends on the samples within it and on its two neighbours alone, so that the way in which a stream
was cut cannot change it. Values are rounded to 2**-16 g (15 microgram, far below any sensor's noise): sums and
products of such numbers are exact in float64, so that no library's order of summation can change a bit either.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import borrowing, compiled
from processing.frozen import frozen
from processing.rows import with_room
from processing.samples import Block

RATE_HZ: Final = 25
"""Grid samples a second."""

SECOND_NS: Final = 10**9
_POINTS: Final = 2 * RATE_HZ
_HALF_STEP_NS: Final = SECOND_NS // _POINTS

GAP_NS: Final = SECOND_NS // 2
"""Samples further apart than this have nothing between them: a gap is never bridged."""

ENOUGH: Final = 0.8
"""Share of a second that must have been measured for the second to be looked at."""

_QUANTUM: Final = 65536.0
_LIMIT_G: Final = 64.0
_REGULAR_MIN: Final = 2 * RATE_HZ
_SPOILT: Final = -1


@frozen
class GridState:
    """What is carried from block to block: the samples from the last one before `second` on.

    `second` is the next whole second to be finished (since 1970), None before the first sample.
    """

    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]
    second: int | None = None


@frozen
class Seconds:
    """Finished seconds without a hole between them, from `first` (seconds since 1970).

    Attributes
    ----------
    xyz_g
        Shape (n, 25, 3), g; zero in a second that is not covered.
    coverage
        Shape (n,), share of the second that was measured.
    """

    first: int
    xyz_g: NDArray[np.float64]
    coverage: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of seconds."""
        return len(self.coverage)

    def slice(self, start: int, stop: int) -> Seconds:
        """Rows ``[start, stop)`` as views."""
        return Seconds(self.first + start, self.xyz_g[start:stop], self.coverage[start:stop])

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which seconds were measured well enough to be looked at."""
        return self.coverage >= ENOUGH


_NO_SECONDS: Final = Seconds(0, np.empty((0, RATE_HZ, 3)), np.empty(0))


def begin() -> GridState:
    """Return the state before the first sample."""
    return GridState(np.empty(0, dtype=np.int64), np.empty((0, 3)))


def step(
    state: GridState, block: Block, *, last: bool = False, kept: Seconds | None = None
) -> tuple[GridState, Seconds]:
    """Take samples in and hand out the seconds that they finish; with `last`, the one that has begun as well.

    Seconds that are `kept`, right before those, come first in what is handed out.
    """
    held, given, kept = len(state.t_ns), len(block.t_ns), _NO_SECONDS if kept is None else kept
    if held and given and block.t_ns.item(0) <= state.t_ns.item(-1):  # what is not newer is left out
        block = block.slice(int(block.t_ns.searchsorted(state.t_ns[-1], side="right")), given)
        given = len(block.t_ns)
    if not held and not given:
        return state, kept
    first = block.t_ns.item(0) // SECOND_NS if state.second is None else state.second
    newest_ns = block.t_ns.item(-1) if given else state.t_ns.item(-1)
    n, before = max(newest_ns // SECOND_NS + (1 if last else 0) - first, 0), len(kept.coverage)
    xyz_g, coverage = with_room(kept.xyz_g, n), with_room(kept.coverage, n)
    out, share, stop = xyz_g[before:].reshape(n, 3 * RATE_HZ), coverage[before:], 0
    for begin, end, t_ns, xyz in _parts(state, block, first, first + n):
        low, high = begin - first, end - first
        stop = _lay(t_ns, xyz.reshape(-1), begin, out[low:high], share[low:high])
        if stop == _SPOILT:
            good = np.isfinite(block.xyz_g).all(axis=1)
            return step(state, Block(block.t_ns[good], block.xyz_g[good]), last=last, kept=kept)
    keep = max(stop - 1, 0)
    carried = GridState(t_ns[keep:].copy(), xyz[keep:].copy(), first + n)
    return carried, Seconds(kept.first if before else first, xyz_g, coverage)


def _parts(
    state: GridState, block: Block, first: int, end: int
) -> list[tuple[int, int, NDArray[np.int64], NDArray[np.float64]]]:
    """Give the samples for the seconds ``[first, end)``, in one part, or in two with their own seconds each.

    Carried samples are laid before as many new ones as their seconds need; those after are not copied.
    """
    if not len(state.t_ns):
        return [(first, end, block.t_ns, block.xyz_g)]
    given = len(block.t_ns)
    alone = block.t_ns.item(0) // SECOND_NS + 1 if given else end
    seam = int(block.t_ns.searchsorted(alone * SECOND_NS)) + 1
    t_ns = np.concatenate([state.t_ns, block.t_ns[:seam]])
    xyz_g = np.concatenate([state.xyz_g, block.xyz_g[:seam]])
    if seam >= given:
        return [(first, end, t_ns, xyz_g)]
    return [(first, alone, t_ns, xyz_g), (alone, end, block.t_ns, block.xyz_g)]


@compiled
def _lay(
    t_ns: NDArray[np.int64],
    flat_g: NDArray[np.float64],
    first: int,
    out: NDArray[np.float64],
    coverage: NDArray[np.float64],
) -> int:
    """Fill the seconds from `first` on, one after the other; return the number of the first sample after them.

    Gives `_SPOILT` where a sample is not a number. Samples and their axes are laid end to end: in one row the compiler
    finds values that it can work on side by side.
    """
    return _lay_on(t_ns, flat_g, first, out, coverage, np.empty((2, 3 * _POINTS)))


@borrowing
def _lay_on(
    t_ns: NDArray[np.int64],
    flat_g: NDArray[np.float64],
    first: int,
    out: NDArray[np.float64],
    coverage: NDArray[np.float64],
    room: NDArray[np.float64],
) -> int:
    """Do as `_lay`, with room for the points of a second, twice; loops over seconds."""
    line, whole = room[0], room[1]
    low = high = _end(t_ns, 0, 0, first * SECOND_NS)
    for second in range(len(out)):
        start_ns = (first + second) * SECOND_NS
        likely = 2 * high - low
        low = high
        high = _end(t_ns, low, likely, start_ns + SECOND_NS)
        if _regular(t_ns[low:high]):
            coverage[second] = 1.0
            if not _average(flat_g[3 * low : 3 * high], out[second]) and not _finite(flat_g[3 * low : 3 * high]):
                return _SPOILT
            continue
        if not _finite(flat_g[3 * low : 3 * high]):
            return _SPOILT
        coverage[second] = _interpolate(t_ns, flat_g, start_ns, low, line) if high > low else 0.0
        if coverage[second] >= ENOUGH:
            _halve(line, whole, out[second])
        else:
            out[second] = 0.0
    return high if _finite(flat_g[3 * high :]) else _SPOILT


@borrowing
def _end(t_ns: NDArray[np.int64], low: int, likely: int, stop_ns: int) -> int:
    """Look for the first sample from `low` on that is not before `stop_ns`, beginning where it is likely."""
    end = min(likely, len(t_ns))
    while end > low and t_ns[end - 1] >= stop_ns:
        end -= 1
    while end < len(t_ns) and t_ns[end] < stop_ns:
        end += 1
    return end


@borrowing
def _finite(values: NDArray[np.float64]) -> bool:
    """Tell whether all values are numbers."""
    odd = 0
    for i in range(len(values)):
        odd += not abs(values[i]) < np.inf
    return odd == 0


@borrowing
def _regular(t_ns: NDArray[np.int64]) -> bool:
    """Tell whether the samples of a second fall evenly into its 25 bins."""
    count = len(t_ns)
    if count < _REGULAR_MIN or count % RATE_HZ:
        return False
    ideal = SECOND_NS // count
    odd = 0
    for i in range(1, count):
        odd += abs(t_ns[i] - t_ns[i - 1] - ideal) >= ideal // 4
    return odd == 0


@borrowing
def _average(flat_g: NDArray[np.float64], out: NDArray[np.float64]) -> bool:
    """Take the mean of the samples of each bin of a regular second; tell whether all sums are numbers."""
    width = len(flat_g) // (3 * RATE_HZ)
    if width == 2:  # 50 Hz, and all that is interpolated: a number that the compiler knows makes it a third faster
        _add_up(flat_g, 2, out)
    else:
        _add_up(flat_g, width, out)
    sound = _finite(out)
    _round(out, 1.0 / width)
    return sound


@borrowing
def _add_up(flat_g: NDArray[np.float64], width: int, out: NDArray[np.float64]) -> None:
    for k in range(RATE_HZ):
        for axis in range(3):
            total = flat_g[3 * k * width + axis]
            for i in range(1, width):
                total += flat_g[3 * (k * width + i) + axis]
            out[3 * k + axis] = total


@borrowing
def _interpolate(
    t_ns: NDArray[np.int64],
    flat_g: NDArray[np.float64],
    start_ns: int,
    low: int,
    line: NDArray[np.float64],
) -> float:
    """Read 50 points of a second off the lines between neighbouring samples; return the share that could be.

    The others are NaN.
    """
    right, count = low, 0
    for k in range(_POINTS):
        at_ns = start_ns + k * _HALF_STEP_NS + _HALF_STEP_NS // 2
        while right < len(t_ns) and t_ns[right] < at_ns:
            right += 1
        if not 0 < right < len(t_ns) or t_ns[right] - t_ns[right - 1] > GAP_NS:
            line[3 * k : 3 * k + 3] = np.nan
            continue
        count += 1
        share = (at_ns - t_ns[right - 1]) / (t_ns[right] - t_ns[right - 1])
        for axis in range(3):
            left = flat_g[3 * right - 3 + axis]
            line[3 * k + axis] = left + (flat_g[3 * right + axis] - left) * share
    return count / _POINTS


@borrowing
def _halve(line: NDArray[np.float64], whole: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Take the mean of each two points; those at the edge of a gap hold the nearest that was measured."""
    for k in range(_POINTS):
        at = _nearest(line, k)
        for axis in range(3):
            whole[3 * k + axis] = line[3 * at + axis]
    _average(whole, out)


@borrowing
def _nearest(line: NDArray[np.float64], k: int) -> int:
    """Number of the point next to the `k`-th that is not NaN; the later one where two are as near."""
    for apart in range(_POINTS):
        if k + apart < _POINTS and not np.isnan(line[3 * (k + apart)]):
            return k + apart
        if k >= apart and not np.isnan(line[3 * (k - apart)]):
            return k - apart
    return k


@borrowing
def _round(values: NDArray[np.float64], scale: float) -> None:
    """Scale a second to multiples of 2**-16 g, held within +-64 g."""
    for i in range(3 * RATE_HZ):
        value = np.rint(values[i] * (scale * _QUANTUM)) * (1.0 / _QUANTUM)
        values[i] = min(max(value, -_LIMIT_G), _LIMIT_G)
