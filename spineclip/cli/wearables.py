"""``spineclip wearables``: which kinds are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from collector.wearables import KINDS, Wearable
from collector.wearables.generic import Generic
from collector.wearables.profile import read_profile
from collector.wearables.trial import layout, packet_of, try_packets
from spineclip.contract.errors import SettingsError


def wearables(
    check: Annotated[Path | None, typer.Option(help="Try a YAML profile of a wearable of your own.")] = None,
    packet: Annotated[
        list[str] | None, typer.Option(help="With --check: a packet (hexadecimal) or line to decode; may be repeated.")
    ] = None,
) -> None:
    """List the kinds of wearables that are known, with what they can do.

    With --check, read a profile of your own instead, and say what is made of it.
    """
    if check is not None:
        _check(check, packet or [])
        return
    if packet:
        raise SettingsError("--packet needs the profile that reads it", advice="Give the file with --check")
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


def _check(path: Path, packets: list[str]) -> None:
    profile = read_profile(path)
    kind = Generic(profile)
    typer.echo(f"{path}: {profile.label} ({profile.kind}), {_numbers(kind.rates_hz)} Hz; {_tells(kind)}")
    for sentence in layout(profile):
        typer.echo(sentence)
    for sentence in try_packets(profile, [packet_of(profile, text) for text in packets]) if packets else ():
        typer.echo(sentence)
    if packets:
        return
    example = "'...a line...'" if profile.framing == "lines" else "'01 02 ...'"
    typer.echo(f"Try a packet of yours: spineclip wearables --check {path} --packet {example}")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _tells(kind: Wearable) -> str:
    told = []
    if kind.clock is not None:
        told.append(f"time ({kind.clock.tick_ns:g} ns, {kind.clock.bits} bits)")
    if kind.counter_bits is not None:
        told.append(f"number ({kind.counter_bits} bits)")
    return ", ".join(told) or "nothing: samples are counted"
