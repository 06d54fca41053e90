"""D-Bus messages as bytes: cut a stream into messages, pack, unpack, and send the same signal many times cheaply.

Layout: D-Bus specification, "Message Protocol". The packing itself is dbus-fast's, which bleak brings along; it is
not part of its public interface, which is why the version is pinned and why nothing else here touches it.
"""

from __future__ import annotations

import io
import struct
from typing import Final

from dbus_fast import Message, MessageType, Variant
from dbus_fast._private.unmarshaller import Unmarshaller

_FIXED: Final = 16
_SERIAL: Final = slice(8, 12)
MAX_MESSAGE: Final = 128 * 1024 * 1024
"""The specification's own limit, bytes."""


class FrameError(ValueError):
    """Bytes that are not a D-Bus message."""


def message_size(buffer: bytes | bytearray) -> int | None:
    """Return the size of the message that begins `buffer`, or None while its header is incomplete.

    Raises
    ------
    FrameError
        If no D-Bus message begins like this.
    """
    if len(buffer) < _FIXED:
        return None
    order = {ord("l"): "<", ord("B"): ">"}.get(buffer[0])
    if order is None:
        raise FrameError(f"a D-Bus message cannot begin with 0x{buffer[0]:02x}")
    (body,) = struct.unpack_from(f"{order}I", buffer, 4)
    (fields,) = struct.unpack_from(f"{order}I", buffer, 12)
    size: int = _FIXED + (fields + 7) // 8 * 8 + body
    if size > MAX_MESSAGE:
        raise FrameError(f"a D-Bus message of {size} bytes")
    return size


def unpack(frame: bytes | bytearray) -> Message:
    """Read one whole message.

    Raises
    ------
    FrameError
        If it is damaged.
    """
    try:
        message = Unmarshaller(stream=io.BytesIO(frame), negotiate_unix_fd=False).unmarshall()  # type: ignore[arg-type]
    except Exception as error:  # the parser raises whatever the bad bytes lead it to
        raise FrameError(f"a damaged D-Bus message ({error})") from error
    if message is None:
        raise FrameError("an incomplete D-Bus message")
    return message


def pack(message: Message, *, with_fds: bool = False) -> bytearray:
    """Write one message; its serial is stamped later."""
    if not message.serial:
        message.serial = 1
    return bytearray(message._marshall(with_fds))  # noqa: SLF001 - see the module's docstring


def stamp(frame: bytearray, serial: int) -> None:
    """Set the serial number of a packed message."""
    frame[_SERIAL] = struct.pack("<I", serial)


class ValueSignal:
    """`PropertiesChanged` with a new byte-array `Value`, packed once per length and then only filled in."""

    def __init__(self, path: str, interface: str) -> None:
        self._path = path
        self._interface = interface
        self._packed: dict[int, tuple[bytearray, int]] = {}

    def fill(self, value: bytes) -> bytearray:
        """Return a new packed signal that carries `value`."""
        known = self._packed.get(len(value))
        if known is None:
            known = self._packed[len(value)] = self._prepare(len(value))
        template, at = known
        frame = bytearray(template)
        frame[at : at + len(value)] = value
        return frame

    def _prepare(self, length: int) -> tuple[bytearray, int]:
        zeros, ones = (
            pack(
                Message(
                    message_type=MessageType.SIGNAL,
                    path=self._path,
                    interface="org.freedesktop.DBus.Properties",
                    member="PropertiesChanged",
                    signature="sa{sv}as",
                    body=[self._interface, {"Value": Variant("ay", bytes([filler]) * length)}, []],
                )
            )
            for filler in (0x00, 0xFF)
        )
        differing = [index for index, (a, b) in enumerate(zip(zeros, ones, strict=True)) if a != b]
        return zeros, differing[0] if differing else 0
