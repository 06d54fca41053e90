"""``spineclip wearables``: which kinds are known."""

from __future__ import annotations

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from collector.wearables import KINDS, Wearable


def wearables() -> None:
    """List the kinds of wearables that are known, with what they can do."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("kind", "wearable", "rates Hz", "ranges g", "its packets tell", "tried on a real one"):
        table.add_column(heading)
    for kind in KINDS:
        table.add_row(
            kind.kind,
            kind.label,
            _numbers(kind.rates_hz),
            _numbers(kind.ranges_g),
            _tells(kind),
            "yes" if kind.hardware_seen else "no",
        )
    Console(soft_wrap=True).print(table)
    if not all(kind.hardware_seen for kind in KINDS):
        typer.echo(
            "Where it says 'no', decoder and simulated twin follow the vendor's documents and published examples, "
            "and nobody has tried a real device yet: tell us if you do."
        )


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _tells(kind: Wearable) -> str:
    told = []
    if kind.clock is not None:
        told.append(f"time ({kind.clock.tick_ns:g} ns, {kind.clock.bits} bits)")
    if kind.counter_bits is not None:
        told.append(f"number ({kind.counter_bits} bits)")
    return ", ".join(told) or "nothing: samples are counted"
