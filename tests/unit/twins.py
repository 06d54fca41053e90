"""What the tests of the simulated wearables share."""

from __future__ import annotations

from typing import Final

from firmware_sim.firmware.streaming import StreamingFirmware

S: Final = 1_000_000_000


def heard(device: StreamingFirmware, char: str, until_ns: int) -> list[bytes]:
    """Return what came on a characteristic."""
    return [one.value for one in device.events(until_ns) if one.char == char]
