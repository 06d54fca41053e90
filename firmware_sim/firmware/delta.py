"""The delta compression of Polar's measurement frames.

Layout: Polar BLE SDK, online_measurement.pdf (v1.0) and PmdDataFrame.kt. A reference sample of whole bytes per
channel, then blocks: width in bits, number of samples, and the differences to the sample before, channel by channel,
two's complement, least significant bit first, the last byte of a block filled up with zero bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def compress(
    counts: NDArray[np.integer[Any]], resolution_bits: int, blocks: Sequence[int] | None = None, width: int = 1
) -> bytes:
    """Pack samples.

    Parameters
    ----------
    counts
        Samples, shape (n, channels), n >= 1.
    resolution_bits
        Width of the reference sample's channels; rounded up to whole bytes.
    blocks
        Samples in each block after the reference; one block for all by default.
    width
        Bits of a difference, at least; a block takes as many as its widest needs. (The vendor's examples are one or
        two bits wider than they have to be.)

    Returns
    -------
    The content of a compressed frame, after its header.

    Raises
    ------
    ValueError
        If the blocks do not hold exactly the samples after the first, or one has more than 255.
    """
    n = len(counts)
    sizes = [n - 1] if blocks is None else list(blocks)
    if n == 1:
        sizes = []
    if sum(sizes) != max(n - 1, 0) or any(not 0 < size < 256 for size in sizes):
        raise ValueError(f"blocks of {sizes} samples cannot hold {n - 1}")
    width_bytes = (resolution_bits + 7) // 8
    out = bytearray()
    for value in counts[0].tolist():
        out += value.to_bytes(width_bytes, "little", signed=True)
    wide = counts.astype(np.int64)
    differences = wide[1:] - wide[:-1]
    at = 0
    for size in sizes:
        out += _block(differences[at : at + size], width)
        at += size
    return bytes(out)


def _block(differences: NDArray[np.int64], width: int) -> bytes:
    flat = [int(value) for value in differences.ravel()]
    width = max(width, *((value if value >= 0 else ~value).bit_length() + 1 for value in flat))
    bits = 0
    for place, value in enumerate(flat):
        bits |= (value & ((1 << width) - 1)) << (place * width)
    return bytes([width, len(differences)]) + bits.to_bytes((len(flat) * width + 7) // 8, "little")
