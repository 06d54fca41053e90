"""A connection that notes what is written to a wearable, for holding it against the vendor's documents."""

from __future__ import annotations

from collections.abc import Mapping


class Notes:
    """Takes every write; reads give what was put there, of which alone it is known that the wearable has it."""

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self.values = dict(values or {})
        self.written: list[tuple[str, str, bool]] = []
        """Characteristic, bytes in hexadecimal, and whether a response was asked for."""

    def has(self, characteristic: str) -> bool:
        """Tell whether anything is there."""
        return characteristic in self.values

    async def read(self, characteristic: str) -> bytes:
        """Read a value."""
        return self.values[characteristic]

    async def write(self, characteristic: str, data: bytes, *, response: bool) -> None:
        """Note a value."""
        self.written.append((characteristic, data.hex(), response))

    async def sleep(self, seconds: float) -> None:
        """Let no time pass."""
        assert 0 <= seconds < 1, "somebody waits for it"
