"""``python -m spineclip.metrics_page``: the page of all metrics, written from the one table of them."""

from __future__ import annotations

from processing.metrics import MEASUREMENTS, Measurement

_HEAD = """\
# What is stored, in which units?

Written by `make docs` from `processing/metrics.py`, which is the one place of these names. InfluxDB and SQLite follow
it, and so do the dashboards. Times are UTC; days and hours are the patient's local ones. A field that is not known is
left out, never made up. A point with the same time and tags as an earlier one takes its place.

Raw samples are not stored.
"""


def metrics_page() -> str:
    """Write the page."""
    return "\n".join([_HEAD, *(_section(known) for known in MEASUREMENTS.values())])


def _section(known: Measurement) -> str:
    tags = ", ".join(f"`{tag}`" for tag in known.tags)
    rows = [
        f"| `{name}` | {field.kind.__name__} | {field.unit} | {field.meaning} |" for name, field in known.fields.items()
    ]
    head = [f"## {known.name}", "", f"One point per {known.one_per}. Tags: {tags}.", ""]
    return "\n".join([*head, "| field | type | unit | meaning |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    print(metrics_page(), end="")  # noqa: T201
