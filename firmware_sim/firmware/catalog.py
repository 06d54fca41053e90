"""All simulated wearables by name, for whoever wants one without knowing which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.diy_text import DiyText
from firmware_sim.firmware.eager import Infinitime, Microbit, Nicla
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import H10, OH1, VERITY_SENSE, Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.firmware.witmotion import Witmotion

CATALOG: Final[Mapping[str, Callable[..., StreamingFirmware]]] = {
    "witmotion": Witmotion,
    "polar-h10": partial(Polar, model=H10),
    "polar-verity-sense": partial(Polar, model=VERITY_SENSE, address="C0:50:4F:4C:00:02", serial="9E3D5A21"),
    "polar-oh1": partial(Polar, model=OH1, address="C0:50:4F:4C:00:03", serial="2B8D4C10"),
    "movesense": Movesense,
    "bangle": Espruino,
    "puck": partial(Espruino, name="Puck.js 3c4d", address="C0:50:55:43:3C:4D"),
    "metamotion": Metamotion,
    "metamotion-s": partial(Metamotion, sensor="bmi270", address="C0:4D:42:4C:00:02"),
    "movella-dot": MovellaDot,
    "microbit": Microbit,
    "nicla": Nicla,
    "infinitime": Infinitime,
    "diy": Diy,
    "diy-text": DiyText,
}
"""Every one takes a motion first, and by keyword at least `address`, `drift_ppm`, `boot_ns` and `keep_truth`."""
