"""Points as lines of InfluxDB's line protocol (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/).

influxdb-client can write them as well, two and a half times slower (benchmarks/stores.py).
A test holds the two against each other on whatever the metric table allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from processing.metrics import Value

_KEY: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
_TEXT: Final = str.maketrans({'"': r"\"", "\\": r"\\"})


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value], time_ns: int) -> str:
    """Write one point; measurement and field names are plain words, fields are not empty."""
    values = ",".join([f"{name}={_value(value)}" for name, value in sorted(fields.items())])
    return f"{_series(measurement, tuple(sorted(tags.items())))} {values} {time_ns:d}"


@lru_cache(maxsize=65_536)
def _series(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    return measurement + "".join(f",{name}={text.translate(_KEY)}" for name, text in tags)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:d}i"
    if isinstance(value, float):
        return repr(value)
    return f'"{value.translate(_TEXT)}"'
