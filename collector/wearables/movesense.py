"""Movesense with the GATT SensorData Protocol: path subscriptions, float32 blocks, milliseconds since boot.

Layout: movesense.com/docs/esw/gatt_sensordata_protocol and the vendor's Python client example. A packet's time is that
of its *first* sample. Not yet used with a real device.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from collector.wearables.base import (
    STANDARD_GRAVITY_MPS2,
    Advertisement,
    Decoded,
    Gatt,
    Rejecting,
    Stream,
    TickClock,
    Usual,
    at_least,
)
from collector.wearables.uuids import MOVESENSE_NOTIFY, MOVESENSE_SERVICE, MOVESENSE_WRITE
from spineclip.contract.errors import LinkError

_SUBSCRIBE, _UNSUBSCRIBE = 1, 2
_RESPONSE, _DATA, _CONTINUATION = 1, 2, 3
REFERENCE: Final = 99
"""Our own name for the subscription, any byte: the vendor's example takes this one."""
_NO_ANSWER_S: Final = 0.3
"""The end of a subscription is answered at once or, when there was none, not at all."""
_SAMPLE_BYTES: Final = 12
_LONGEST: Final = 4 + 128 * _SAMPLE_BYTES
"""1666 Hz in 13 packets a second."""


class MovesenseDecoder(Rejecting):
    """Collects payloads that may go on in further notifications, and cuts them into samples.

    Parameters
    ----------
    packet_samples
        Samples expected in a packet (a thirteenth of the rate); when packets turn out to be shorter it is believed.
    """

    def __init__(self, packet_samples: int) -> None:
        super().__init__()
        self._expected = 4 + packet_samples * _SAMPLE_BYTES
        self._payload = b""

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification: a response, a payload, or the continuation of one."""
        if characteristic != MOVESENSE_NOTIFY or len(data) < 2:
            return self._reject("truncated" if characteristic == MOVESENSE_NOTIFY else "foreign-characteristic")
        kind, reference, content = data[0], data[1], data[2:]
        if reference != REFERENCE:
            return self._reject("other-subscription")
        if kind == _RESPONSE:  # which `Movesense.start` has read
            return []
        if kind == _DATA:
            found = self._end_short() if self._payload else []
            self._payload = content
            return found + self._when_complete()
        if kind != _CONTINUATION or not self._payload:
            return self._reject("continuation" if kind == _CONTINUATION else "frame-type")
        self._payload += content
        return self._when_complete()

    def _when_complete(self) -> list[Decoded]:
        if len(self._payload) < self._expected:
            return []
        payload, self._payload = self._payload, b""
        return self._samples(payload)

    def _end_short(self) -> list[Decoded]:
        """End a payload that a new one has cut short: half lost, or packets are shorter than we thought."""
        payload, self._payload = self._payload, b""
        if len(payload) <= 4 or (len(payload) - 4) % _SAMPLE_BYTES:
            return self._reject("truncated")
        self._expected = len(payload)
        return self._samples(payload)

    def _samples(self, payload: bytes) -> list[Decoded]:
        size = len(payload) - 4
        if size <= 0 or size % _SAMPLE_BYTES or len(payload) > _LONGEST:
            return self._reject("truncated")
        values = np.frombuffer(payload, "<f4", offset=4).reshape(-1, 3)
        return self._from_floats(values, 1.0 / STANDARD_GRAVITY_MPS2, 8.0, int.from_bytes(payload[:4], "little"))


class Movesense(Usual):
    """Movesense sensors whose firmware has the GATT SensorData Protocol."""

    kind = "movesense"
    label = "Movesense (GSP)"
    hardware_seen = False
    notify = (MOVESENSE_NOTIFY,)
    clock: TickClock | None = TickClock(1e6, 32, "first")
    counter_bits: int | None = None
    rates_hz = (13.0, 26.0, 52.0, 104.0, 208.0, 416.0)
    ranges_g = (8.0,)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by name or service."""
        return seen.name.startswith("Movesense") or MOVESENSE_SERVICE in seen.services

    def decoder(self, stream: Stream) -> MovesenseDecoder:
        """Make the decoder for one connection."""
        return MovesenseDecoder(stream.packet_samples)

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose the rate; the range cannot be set over this protocol."""
        rate_hz = at_least(self.rates_hz, rate_hz)
        return Stream(rate_hz, 8.0, max(1, round(rate_hz / 13)))

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Subscribe to acceleration, after ending what an earlier life may have left.

        Raises
        ------
        LinkError
            If it refuses.
        """
        await _ask(gatt, bytes((_UNSUBSCRIBE, REFERENCE)), _NO_ANSWER_S)
        command = bytes((_SUBSCRIBE, REFERENCE)) + f"/Meas/Acc/{round(stream.rate_hz)}".encode()
        status = _status(await _ask(gatt, command))
        if status >= 400:  # perhaps that was the late answer to the first
            status = _status(await _ask(gatt, command))
        if status >= 400:
            raise LinkError(
                f"the Movesense refused acceleration at {stream.rate_hz:g} Hz (status {status})",
                advice="Its firmware must have the GATT SensorData Protocol",
            )

    async def stop(self, gatt: Gatt) -> None:
        """Unsubscribe."""
        await gatt.write(MOVESENSE_WRITE, bytes((_UNSUBSCRIBE, REFERENCE)), response=True)


async def _ask(gatt: Gatt, command: bytes, within_s: float = 3.0) -> bytes | None:
    return await gatt.ask(
        MOVESENSE_WRITE,
        command,
        answer_on=MOVESENSE_NOTIFY,
        answer_head=bytes((_RESPONSE, REFERENCE)),
        response=True,
        within_s=within_s,
    )


def _status(answer: bytes | None) -> int:
    return int.from_bytes(answer[2:4], "little") if answer is not None else 0
