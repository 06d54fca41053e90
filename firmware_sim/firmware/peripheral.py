"""The services that most wearables have besides their own: battery and device information."""

from __future__ import annotations

from collector.wearables.uuids import BATTERY_LEVEL, BATTERY_SERVICE, DEVICE_INFORMATION_SERVICE, sig
from firmware_sim.firmware.base import NOTIFY, READ, Characteristic, Service

MANUFACTURER_NAME = sig(0x2A29)
MODEL_NUMBER = sig(0x2A24)


def battery(percent: int) -> Service:
    """Return the battery service of the Bluetooth SIG (assigned numbers 0x180F, 0x2A19)."""
    return Service(BATTERY_SERVICE, (Characteristic(BATTERY_LEVEL, (READ, NOTIFY), bytes([percent])),))


def device_information(manufacturer: str, model: str) -> Service:
    """Return the device information service of the Bluetooth SIG (0x180A)."""
    return Service(
        DEVICE_INFORMATION_SERVICE,
        (
            Characteristic(MANUFACTURER_NAME, (READ,), manufacturer.encode()),
            Characteristic(MODEL_NUMBER, (READ,), model.encode()),
        ),
    )
