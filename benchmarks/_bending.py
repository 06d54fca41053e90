"""What the sensors above and below say of a bent back, second by second: the truth that nudges are held against.

Postures are acted, with a label for each trial. A label does not say whether a back was bent forward: most of those who
were to lean sideways were, and some of those who were to lean forward hardly were. T12 and C7 were worn besides T4,
which nudges go by, and say it: a back is bent while they are turned forward by ten degrees on average. A sensor whose
upright trials read more than that is no reference any more; it has slipped (one of 60, at C7).

A bend is counted as the product defines it: `RELIEF_S` with a straight back end it, less does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._sitting import NEARLY, Cause
from processing.posture import angles
from processing.streaks import RELIEF_S

RATE_HZ: Final = 50
REFERENCES: Final = ("T12", "C7")
TURNED_DEG: Final = 10.0
_SETTLING: Final = RATE_HZ
_FORWARD: Final = np.array([0.0, 0.0, -1.0])

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Person:
    """One person's trials: posture and trial of each sample, and its specific force by site, shape (n, 3)."""

    posture: NDArray[np.str_]
    trial: NDArray[np.int64]
    sites: Mapping[str, Array]

    def neutral(self, site: str) -> Array:
        """Mean specific force of the first upright trial."""
        upright = self.trial == self.trial[self.posture == "upright"][0]
        return np.asarray(np.nanmean(self.sites[site][upright][_SETTLING:], axis=0))

    def played(self, site: str, name: str, upright_s: int, shown_s: int) -> Array:
        """Repeat the upright trials, and then those of a posture, until so many seconds are full each."""
        samples = self.sites[site]
        return np.concatenate(
            [
                _repeated(samples[self.posture == "upright"], upright_s),
                _repeated(samples[self.posture == name], shown_s),
            ]
        )

    def turned_deg(self, name: str, upright_s: int, shown_s: int) -> Array:
        """How far the references are turned forward in each second of what `played` gives; NaN where nobody knows."""
        known = []
        for site in REFERENCES:
            if abs(self._upright_deg(site)) <= TURNED_DEG:
                by_second = self.played(site, name, upright_s, shown_s).reshape(upright_s + shown_s, RATE_HZ, 3)
                heard = ~np.isnan(by_second[:, :, :1])
                mean = np.where(heard, by_second, 0.0).sum(axis=1) / heard.sum(axis=1).clip(1)
                known.append(angles(mean, self.neutral(site), _FORWARD)[0])
        return np.asarray(np.mean(known, axis=0))

    def _upright_deg(self, site: str) -> float:
        turned = angles(self.sites[site], self.neutral(site), _FORWARD)[0]
        trials = np.unique(self.trial[self.posture == "upright"])
        return float(np.median([np.nanmedian(turned[self.trial == trial]) for trial in trials]))


def read(table: Mapping[str, list[float]], sites: tuple[str, ...]) -> Person:
    """Take the columns of a recording of the IMU Sitting Postures Dataset."""
    columns = {site: np.column_stack([np.array(table[f"{site}_{axis}"], dtype=np.float64) for axis in "xyz"])
               for site in sites}  # fmt: skip
    return Person(np.array(table["posture"]), np.array(table["trial"]), columns)


def bends(turned_deg: Array, start_s: int, limit_min: float) -> list[Cause]:
    """Return the bends that are longer than the limit, of seconds from `start_s` (since 1970) on."""
    spells: list[list[int]] = []
    for second in np.flatnonzero(turned_deg >= TURNED_DEG).tolist():
        if spells and second - spells[-1][1] < RELIEF_S:
            spells[-1][1] = second + 1
        else:
            spells.append([second, second + 1])
    limit_s = round(60 * limit_min)
    return [
        Cause(start_s + since + round(NEARLY * limit_s), list(range(start_s + since + limit_s, start_s + until + 1)))
        for since, until in spells
        if until - since >= limit_s
    ]


def _repeated(samples: Array, seconds: int) -> Array:
    n = RATE_HZ * seconds
    return np.asarray(np.tile(samples, (-(-n // len(samples)), 1))[:n])
