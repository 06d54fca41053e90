"""What a profile makes of a wearable's packets, told in words: for whoever describes a wearable of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from collector.wearables.generic import GenericDecoder
from collector.wearables.profile import BYTES, Profile
from spineclip.contract.errors import SettingsError

_AT_REST_G: Final = (0.85, 1.15)
_ATT_BYTES: Final = 3
_MOST_ROWS: Final = 12


def layout(profile: Profile) -> Iterator[str]:
    """Say how a frame is read, a line for each part."""
    samples = profile.samples
    if profile.framing == "lines":
        yield f"lines of {'JSON' if profile.text == 'json' else f'text that begin with {profile.line!r}'}"
        return
    at = len(profile.head)
    if at:
        yield f"  byte 0: {profile.head.hex(' ')}"
    for field in profile.fields:
        must = "" if field.must_be is None else f", must be {field.must_be}"
        yield f"  byte {at}: {field.name} ({field.type}{must})"
        at += BYTES[field.type]
    one = 3 * BYTES[samples.type]
    then = f", then {samples.skip} bytes of something else" if samples.skip else ""
    yield f"  byte {at}: samples, each x y z ({one} bytes, {samples.type}, {profile.byte_order}-endian){then}"
    whole = at + profile.packet_samples * (one + samples.skip)
    yield f"  {_samples(profile.packet_samples)}: {whole} bytes, which an MTU of {whole + _ATT_BYTES} or more carries"


def try_packets(profile: Profile, packets: list[bytes]) -> Iterator[str]:
    """Decode packets, and say what they hold and what is odd about it."""
    decoder = GenericDecoder(profile)
    found = [frame for packet in packets for frame in decoder.feed(profile.data, packet)]
    for frame in found:
        told = [
            f"{name} {value}"
            for name, value in (("counter", frame.counter), ("time", frame.tick), ("battery", frame.battery_pct))
            if value is not None
        ]
        yield _samples(len(frame.counts)) + (f", {', '.join(told)}" if told else "")
        for row in (frame.counts * frame.scale_g)[:_MOST_ROWS].tolist():
            yield "  x {:+.3f}  y {:+.3f}  z {:+.3f} g, length {:.3f} g".format(*row, float(np.linalg.norm(row)))
    for reason, times in decoder.rejects.items():
        yield f"refused: {reason} ({times})"
    lengths = [np.linalg.norm(frame.counts * frame.scale_g, axis=1) for frame in found if len(frame.counts)]
    if not lengths:
        yield "no sample was read: check framing, head, fields and 'must_be' against what your wearable sends"
        return
    length_g = float(np.median(np.concatenate(lengths)))
    if not _AT_REST_G[0] <= length_g <= _AT_REST_G[1]:
        yield f"at rest the length is 1 g, and this is {length_g:.3g} g: if it lay still, check scale, unit, byte_order"


def _samples(n: int) -> str:
    return "1 sample" if n == 1 else f"{n} samples"


def packet_of(profile: Profile, text: str) -> bytes:
    """Read a packet as somebody types it: hexadecimal digits, or the line itself where frames are lines.

    Raises
    ------
    SettingsError
        If it is not hexadecimal.
    """
    if profile.framing == "lines":
        return text.encode() + b"\n"
    try:
        return bytes.fromhex(text.replace("0x", "").replace(",", " ").replace(":", " "))
    except ValueError as error:
        raise SettingsError(
            f"--packet cannot be {text!r}", advice="Give its bytes as hexadecimal digits, such as '01 02 00 1f'"
        ) from error
