"""The lower convex hull of arrival times, kept incrementally.

Over the air a packet can be late but never early, and how late is skewed: so the straight line from a wearable's time
to ours is sought along the *lower* edge of the points (index, arrival), not through their middle. Of all lines below
all points, the hull's edge over the mean index has the least total distance to them. The hull itself is the lower half
of Andrew's monotone chain (Information Processing Letters 9(5), 1979), which takes points in rising order as they come.
"""

from __future__ import annotations

from bisect import bisect_left


class LowerHull:
    """Points come with rising `x`; all are integers, so that exact data give exact lines."""

    def __init__(self, x0: int, y0: int) -> None:
        self._x0 = x0
        self._y0 = y0
        self._xs = [0]
        self._ys = [0]
        self._sum_x = 0
        self._sum_y = 0
        self.n = 1
        self._last_x = 0

    @property
    def start(self) -> tuple[int, int]:
        """The first point."""
        return self._x0, self._y0

    @property
    def span(self) -> int:
        """From the first to the last `x`."""
        return self._last_x

    def add(self, x: int, y: int) -> None:
        """Take a point; its `x` must lie beyond all before."""
        x, y = x - self._x0, y - self._y0
        if x <= self._last_x:
            raise ValueError(f"points must come with rising x ({x} after {self._last_x})")
        xs, ys = self._xs, self._ys
        while len(xs) >= 2 and (ys[-1] - ys[-2]) * (x - xs[-2]) >= (y - ys[-2]) * (xs[-1] - xs[-2]):
            xs.pop()
            ys.pop()
        xs.append(x)
        ys.append(y)
        self._last_x = x
        self._sum_x += x
        self._sum_y += y
        self.n += 1

    def slope(self) -> float:
        """Slope of the edge over the mean `x`; needs two points."""
        mean_x = self._sum_x / self.n
        right = min(max(bisect_left(self._xs, mean_x), 1), len(self._xs) - 1)
        return (self._ys[right] - self._ys[right - 1]) / (self._xs[right] - self._xs[right - 1])

    def below(self, slope: float) -> float:
        """Height at the first `x` of the highest line with this slope that lies below all points, minus `y0`."""
        low, high = 0, len(self._xs) - 1
        while low < high:  # the edges' slopes rise: find the first vertex whose right edge is steeper
            middle = (low + high) // 2
            rise = self._ys[middle + 1] - self._ys[middle]
            if rise > slope * (self._xs[middle + 1] - self._xs[middle]):
                high = middle
            else:
                low = middle + 1
        return self._ys[low] - slope * self._xs[low]

    def mean_distance(self, slope: float) -> float:
        """Mean height of the points above that line."""
        return self._sum_y / self.n - slope * (self._sum_x / self.n) - self.below(slope)

    def at(self, x: int, slope: float) -> float:
        """Height of that line at `x`, minus `y0`."""
        return self.below(slope) + slope * (x - self._x0)


class RecentHull:
    """A lower hull of the last `window` to twice `window` of `y`, so that old points do not bend the line of today."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._old: LowerHull | None = None
        self._young: LowerHull | None = None

    @property
    def hull(self) -> LowerHull | None:
        """The hull; None before the first point."""
        return self._old

    @property
    def n(self) -> int:
        """How many points it has."""
        return 0 if self._old is None else self._old.n

    def add(self, x: int, y: int) -> None:
        """Take a point; its `x` must lie beyond all before."""
        if self._old is None:
            self._old = LowerHull(x, y)
            return
        self._old.add(x, y)
        age = y - self._old.start[1]
        if self._young is not None:
            self._young.add(x, y)
            if age >= 2 * self._window:
                self._old, self._young = self._young, None
        elif age >= self._window:
            self._young = LowerHull(x, y)
