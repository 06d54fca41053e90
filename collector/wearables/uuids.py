"""What a wearable is called on the air: GATT UUIDs and company numbers, constants only.

All are lower-case 128-bit strings, as bleak gives them. Sources stand beside each family.
"""

from __future__ import annotations

from typing import Final


def sig(short: int) -> str:
    """Write a 16-bit number of the Bluetooth SIG as the full UUID (Core specification, Vol 3, Part B, 2.5.1)."""
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"


# Bluetooth SIG assigned numbers.
BATTERY_SERVICE: Final = sig(0x180F)
BATTERY_LEVEL: Final = sig(0x2A19)
DEVICE_INFORMATION_SERVICE: Final = sig(0x180A)

# WitMotion WT901BLECL / BWT901BLECL5.0 / WT9011DCL (vendor's BWT901BLE5.0 SDK). Note the base ...9a34fb: it is not
# the Bluetooth base UUID (...9b34fb), so helpers for short UUIDs miss it.
WITMOTION_SERVICE: Final = "0000ffe5-0000-1000-8000-00805f9a34fb"
WITMOTION_NOTIFY: Final = "0000ffe4-0000-1000-8000-00805f9a34fb"
WITMOTION_WRITE: Final = "0000ffe9-0000-1000-8000-00805f9a34fb"

# Polar Measurement Data (polar-ble-sdk, online_measurement.pdf v1.0).
POLAR_PMD_SERVICE: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
POLAR_PMD_CONTROL: Final = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
POLAR_PMD_DATA: Final = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
POLAR_COMPANY: Final = 0x006B

# Movesense GATT SensorData Protocol (movesense.com/docs/esw/gatt_sensordata_protocol).
MOVESENSE_SERVICE: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
MOVESENSE_WRITE: Final = "34800001-7185-4d5d-b431-630e7050e8f0"
MOVESENSE_NOTIFY: Final = "34800002-7185-4d5d-b431-630e7050e8f0"
SUUNTO_COMPANY: Final = 0x009F

# Nordic UART Service as the central sees it: it writes RX and hears TX (Espruino's Bangle.js 2 and Puck.js).
NUS_SERVICE: Final = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
NUS_WRITE: Final = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
NUS_NOTIFY: Final = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"

# MbientLab MetaMotion (MetaWear-SDK-Cpp, metawearboard.cpp).
METAWEAR_SERVICE: Final = "326a9000-85cb-9195-d9dd-464cfbbae75a"
METAWEAR_COMMAND: Final = "326a9001-85cb-9195-d9dd-464cfbbae75a"
METAWEAR_NOTIFY: Final = "326a9006-85cb-9195-d9dd-464cfbbae75a"

# Movella DOT, formerly Xsens DOT ("Movella DOT BLE Services Specification" rev C).
DOT_CONFIG_SERVICE: Final = "15171000-4947-11e9-8646-d663bd873d93"
DOT_DEVICE_CONTROL: Final = "15171002-4947-11e9-8646-d663bd873d93"
DOT_MEASUREMENT_SERVICE: Final = "15172000-4947-11e9-8646-d663bd873d93"
DOT_CONTROL: Final = "15172001-4947-11e9-8646-d663bd873d93"
DOT_LONG: Final = "15172002-4947-11e9-8646-d663bd873d93"
DOT_MEDIUM: Final = "15172003-4947-11e9-8646-d663bd873d93"
DOT_SHORT: Final = "15172004-4947-11e9-8646-d663bd873d93"
DOT_BATTERY_SERVICE: Final = "15173000-4947-11e9-8646-d663bd873d93"
DOT_BATTERY: Final = "15173001-4947-11e9-8646-d663bd873d93"

# BBC micro:bit (lancaster-university.github.io/microbit-docs/ble/accelerometer-service).
MICROBIT_SERVICE: Final = "e95d0753-251d-470a-a062-fa1922dfa9a8"
MICROBIT_DATA: Final = "e95dca4b-251d-470a-a062-fa1922dfa9a8"
MICROBIT_PERIOD: Final = "e95dfb24-251d-470a-a062-fa1922dfa9a8"

# Arduino Nicla Sense ME (Arduino's dashboard example).
NICLA_SERVICE: Final = "19b10000-0000-537e-4f6c-d104768a1214"
NICLA_ACCELERATION: Final = "19b10000-5001-537e-4f6c-d104768a1214"

# InfiniTime on the PineTime (InfiniTime doc/MotionService.md).
INFINITIME_SERVICE: Final = "00030000-78fc-48fe-8e23-433b3a1942d0"
INFINITIME_MOTION: Final = "00030002-78fc-48fe-8e23-433b3a1942d0"

# The layout that spineclip suggests for a home-made wearable (docs/wearables.md, "Adding your own").
DIY_SERVICE: Final = "5b1c0001-7370-696e-6563-6c6970000000"
DIY_SAMPLES: Final = "5b1c0002-7370-696e-6563-6c6970000000"
DIY_CONTROL: Final = "5b1c0003-7370-696e-6563-6c6970000000"
DIY_TEXT_SERVICE: Final = "5b1c0011-7370-696e-6563-6c6970000000"
DIY_TEXT: Final = "5b1c0012-7370-696e-6563-6c6970000000"
