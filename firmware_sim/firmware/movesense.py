"""Movesense with the GATT SensorData Protocol: path subscriptions, float32 blocks, milliseconds since boot.

Layout: movesense.com/docs/esw/gatt_sensordata_protocol and the vendor's Python client example; what is answered to
which command: the vendor's sample firmware, gatt_sensordata_app. The protocol's description has a status answer to a
subscription, which that sample does not send (`answers`); neither answers an end of subscription.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import MOVESENSE_NOTIFY, MOVESENSE_SERVICE, MOVESENSE_WRITE, SUUNTO_COMPANY
from firmware_sim.firmware.base import NOTIFY, WRITE, AttError, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.floats import as_mps2, mps2_in_g
from firmware_sim.firmware.peripheral import battery, device_information
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

RATES_HZ: Final = (13, 26, 52, 104, 208, 416, 833, 1666)

_HELLO, _SUBSCRIBE, _UNSUBSCRIBE = 0, 1, 2
_RESPONSE, _DATA, _CONTINUATION = 1, 2, 3
_OK, _BAD_REQUEST, _NOT_FOUND = 200, 400, 404
_NO_SLOT: Final = b"\x01\xfb"
"""507, which the sample firmware writes with its bytes in the other order than all else."""
_PATH = re.compile(r"/Meas/(Acc|IMU6|IMU9)/(\d+)$")
_BLOCKS: Final = {"Acc": 1, "IMU6": 2, "IMU9": 3}
_REPLY_NS: Final = 5_000_000
_MAGNETIC_UT: Final = (20.0, 0.0, -45.0)
"""A magnetic field as in the middle of Europe, the same for every sample."""


class Movesense(StreamingFirmware):
    """A Movesense sensor; one measurement at a time.

    Parameters
    ----------
    serial
        Twelve digits; the advertised name ends with it.
    range_g
        Full scale of its 16-bit sensor.
    uptime_ns
        What its clock shows at boot; shortly before 2**32 ms to see it wrap.
    answers
        Whether a subscription is answered with a status.
    """

    usual_address = "C0:4D:4F:56:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        serial: str = "174630000192",
        range_g: float = 8.0,
        battery_pct: int = 91,
        answers: bool = True,
        **body: Unpack[Body],
    ) -> None:
        body.setdefault("name", f"Movesense {serial}")
        super().__init__(motion, **body)
        self.battery_pct = battery_pct
        self._range_g = range_g
        self._answers = answers
        self._reference: int | None = None
        self._blocks = 1

    @property
    def manufacturer_data(self) -> Mapping[int, bytes]:  # type: ignore[override]
        """Under Suunto's company number; the content is not documented."""
        return {SUUNTO_COMPANY: bytes(4)}

    @property
    def services(self) -> tuple[Service, ...]:
        """The sensor data service, battery, device information."""
        sensor = Service(
            MOVESENSE_SERVICE,
            (Characteristic(MOVESENSE_WRITE, (WRITE,)), Characteristic(MOVESENSE_NOTIFY, (NOTIFY,))),
        )
        return (sensor, battery(self.battery_pct), device_information("Movesense", "Movesense sensor HR+"))

    @property
    def data_char(self) -> str:
        """Answers and data share it."""
        return MOVESENSE_NOTIFY

    @property
    def packet_samples(self) -> int:
        """A thirteenth of the rate: 13 packets a second, whatever the rate."""
        return max(1, round(self.rate_hz) // 13)

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Take ``[command][reference][path]`` and answer on the notify characteristic."""
        super().on_write(char, value, t_ns)
        if char != MOVESENSE_WRITE:
            return
        if not self.is_subscribed(MOVESENSE_NOTIFY):
            raise AttError(0x0E)
        if len(value) < 2:
            return
        command, reference, rest = value[0], value[1], value[2:]
        if command == _HELLO:
            self._answer(reference, b"Hello", t_ns)
        elif command == _SUBSCRIBE and self._reference is not None:
            self._answer(reference, _NO_SLOT, t_ns)
        elif command == _SUBSCRIBE:
            status = self._subscribe(reference, rest, t_ns)
            if self._answers:
                self._answer(reference, struct.pack("<H", status), t_ns)
        elif command == _UNSUBSCRIBE and reference == self._reference:
            self._reference = None
            self.stop(t_ns)

    def on_disconnect(self, t_ns: int) -> None:
        """Forget the subscription."""
        super().on_disconnect(t_ns)
        self._reference = None

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return m/s2 as float32, from 16-bit counts of the range."""
        return as_mps2(xyz_g, self._range_g)

    def in_g(self, digital: Digital) -> Samples:
        """Return what the floats say."""
        return mps2_in_g(digital)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn samples into one payload: the time of the first, then block after block; cut to the MTU."""
        reference = self._reference or 0
        ticks = self.elapsed_ns(int(t_ns[0])) // 1_000_000 % 2**32
        payload = struct.pack("<I", ticks) + digital.tobytes()
        if self._blocks > 1:
            payload += np.zeros_like(digital).tobytes()  # angular rate: it does not turn
        if self._blocks > 2:
            payload += np.tile(np.array(_MAGNETIC_UT, "<f4"), len(digital)).tobytes()
        room = self.mtu - 3 - 2
        parts = [payload[at : at + room] for at in range(0, len(payload), room)]
        return tuple(
            bytes([_DATA if number == 0 else _CONTINUATION, reference]) + part for number, part in enumerate(parts)
        )

    def _subscribe(self, reference: int, path: bytes, t_ns: int) -> int:
        found = _PATH.match(path.rstrip(b"\0").decode("ascii", "replace"))
        if found is None:
            return _NOT_FOUND
        if int(found[2]) not in RATES_HZ:
            return _BAD_REQUEST
        self._reference = reference
        self._blocks = _BLOCKS[found[1]]
        self.start(float(found[2]), t_ns)
        return _OK

    def _answer(self, reference: int, told: bytes, t_ns: int) -> None:
        self.reply(MOVESENSE_NOTIFY, bytes([_RESPONSE, reference]) + told, t_ns + _REPLY_NS)
