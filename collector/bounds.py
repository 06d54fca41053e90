"""What the packets of one segment say about its line: bounds on when each was ready, those that matter kept."""

from __future__ import annotations

from typing import Final

import numpy as np

from collector.events import EventGrid
from collector.strip import Reals, Strip, fit

_MOST: Final = 4096
_LEAST: Final = 48
"""Lower bounds that there must be: with fewer, two hulls say no more than one."""
_EDGE_NS, _PILE = 50e3, 20
"""Where packets and events keep step, one line makes all that were sent again look as if they had just missed the
event before, to the microsecond. So many packets so near an edge, five times what is further in, are that illusion."""
_MISSED: Final = 0.4
"""Where more than this share of packets was sent again, or was not ready as evenly as counted, hulls say nothing."""


class PacketBounds:
    """Packets with their bounds, and the line through them.

    Only packets near an edge of the strip shape it: of many, those in its middle are let go.

    Parameters
    ----------
    window_ns
        Older packets are let go.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._grid = EventGrid()
        self._base: tuple[int, int] | None = None
        self._new: list[tuple[int, int, bool]] = []
        self._x = np.empty(0, np.int64)
        self._arrival = np.empty(0, np.int64)
        self._head = np.empty(0, np.bool_)
        self._upper = np.empty(0)
        self._lower = np.empty(0)
        self._open = np.empty(0, np.bool_)  # bounds that follow the present grid as it becomes known better
        self._since: int | None = None
        self._gone = (0, 0)

    @property
    def events(self) -> int:
        """Arrivals so far, those in one burst counted once."""
        return self._grid.events

    def add(self, x: int, arrival_ns: int) -> None:
        """Take a packet; `x` and arrival rise."""
        if self._base is None:
            self._base = x, arrival_ns
        head = self._grid.add(arrival_ns)
        if self._since is not None and self._grid.since_ns != self._since:
            self._take_new(keep=True)
        self._since = self._grid.since_ns
        self._new.append((x, arrival_ns, head))
        if len(self._new) >= _MOST:
            self._take_new(keep=False)

    def line(self, prior: tuple[float, float], slope: float, half: float) -> tuple[Strip, int, int] | None:
        """Fit the line at the newest packet; returns it with the place and time that its zero stands for.

        None when the arrivals show no connection events. `prior` is what is known of the slope, value and standard
        deviation; `slope` and `half` where to look for it first.
        """
        if self._base is None or self._grid.since_ns is None:
            return None
        self._take_new(keep=False)
        x0, t0 = self._base
        self._bound(t0)
        known = np.isfinite(self._lower)
        if np.count_nonzero(known) < _LEAST:
            return None
        x = (self._x - x0).astype(np.float64)
        strip = fit(x, self._upper, self._lower, prior=prior, guess=(slope, half), at=float(x[-1]), gone=self._gone)
        above = strip.height + strip.slope * (x - strip.x) - self._lower
        edge = np.count_nonzero((above >= 0) & (above < _EDGE_NS))
        if edge > _PILE + 5 * np.count_nonzero((above >= _EDGE_NS) & (above < 2 * _EDGE_NS)):
            lower = self._lower + _EDGE_NS
            strip = fit(x, self._upper, lower, prior=prior, guess=(slope, half), at=float(x[-1]), gone=self._gone)
        if len(x) > _MOST:
            self._let_go(x, strip)
        return (strip, x0, t0) if strip.missed <= _MISSED else None

    def _take_new(self, *, keep: bool) -> None:
        """Merge new packets; with `keep`, the grid is gone, and the bounds stay as they were last."""
        if keep:
            self._open[:] = False
        if not self._new:
            return
        x, arrival, head = (np.array(column) for column in zip(*self._new, strict=True))
        self._new = []
        self._x = np.concatenate([self._x, x])
        self._arrival = np.concatenate([self._arrival, arrival])
        self._head = np.concatenate([self._head, head])
        base_ns = self._base[1] if self._base is not None else 0
        self._upper = np.concatenate([self._upper, (arrival - base_ns).astype(np.float64)])
        self._lower = np.concatenate([self._lower, np.full(len(x), -np.inf)])
        self._open = np.concatenate([self._open, np.full(len(x), not keep)])
        old = int(np.searchsorted(self._arrival, self._arrival[-1] - self._window_ns))
        old = max(old, len(self._x) - 4 * _MOST)  # so many only while nobody asks for a line, or nothing comes of it
        if old:
            self._pick(np.arange(old, len(self._x)))

    def _bound(self, base_ns: int) -> None:
        since = self._grid.since_ns
        which = np.flatnonzero(self._open & (self._arrival >= (since or 0)))
        upper, lower = self._grid.bounds(self._arrival[which])
        self._upper[which] = upper - base_ns
        self._lower[which] = np.where(self._head[which], lower - base_ns, -np.inf)

    def _let_go(self, x: Reals, strip: Strip) -> None:
        line = strip.height + strip.slope * (x - strip.x)
        distance = np.minimum(self._upper - line, np.abs(line - self._lower))
        order = np.argpartition(distance, _MOST // 2)
        away = order[_MOST // 2 :]
        known = np.isfinite(self._lower[away])
        missed, of = self._gone
        missed += int(np.count_nonzero(self._lower[away] > line[away]))
        self._gone = missed, of + int(np.count_nonzero(known))
        self._pick(np.sort(order[: _MOST // 2]))

    def _pick(self, which: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
        self._x, self._arrival, self._head = self._x[which], self._arrival[which], self._head[which]
        self._upper, self._lower, self._open = self._upper[which], self._lower[which], self._open[which]
