"""What is known of each wearable's true rate, kept from one connection and one start of the collector to the next.

The first minute of a stream says little about its rate; the day before says much: the same two quartz clocks differ by
some parts in a million, and by much the same tomorrow. The file lies beside the outbox. It is a courtesy: without it,
or with a damaged one, the rate is found anew.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured sampling period, its relative standard deviation, and the nominal period that was asked for."""

    nominal_ns: float
    period_ns: float
    error: float

    @property
    def fine(self) -> bool:
        """Whether it can be true."""
        numbers = self.nominal_ns, self.period_ns, self.error
        return all(math.isfinite(one) and one > 0 for one in numbers) and 0.8 < self.period_ns / self.nominal_ns < 1.25


class RateBook:
    """The rates of all wearables of a collector, by their ids."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rates = _read(path)
        self._saved = dict(self._rates)

    def rate(self, device: str) -> Rate | None:
        """Give what is known of a wearable's rate."""
        return self._rates.get(device)

    def note(self, device: str, rate: Rate | None) -> None:
        """Remember a wearable's rate as it is known now."""
        if rate is not None and rate.fine:
            self._rates[device] = rate

    def save(self) -> None:
        """Write the file anew, if there is anything new; a disk that takes no more is not worth a word here."""
        if self._rates == self._saved:
            return
        rows = {name: [rate.nominal_ns, rate.period_ns, rate.error] for name, rate in sorted(self._rates.items())}
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            _LOG.debug("rates not saved: %s", error)
            return
        self._saved = dict(self._rates)


def _read(path: Path) -> dict[str, Rate]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = {str(name): Rate(*(float(number) for number in row)) for name, row in rows.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _LOG.warning("what was known of the wearables' rates cannot be read (%s: %s) and is found anew", path, error)
        return {}
    return {name: rate for name, rate in found.items() if rate.fine}
