"""Promise: every simulated wearable records as truth what its bytes say, and no bytes that are written break one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.firmware.base import AttError
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.eager import Infinitime, Microbit, Nicla
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from tests.unit.motions import Still
from tests.unit.twins import S

SILENT_UNTIL_TOLD = [Polar, Movesense, Metamotion, MovellaDot, Espruino]


@pytest.mark.parametrize("make", [*SILENT_UNTIL_TOLD, Microbit, Nicla, Infinitime, Diy])
def test_the_truth_is_what_the_bytes_say(make: Callable[..., StreamingFirmware]) -> None:
    device = make(Still(0.3333333, -0.7777777, 0.1234567), boot_ns=0)
    device.on_connect(0)
    for service in device.services:
        for one in service.characteristics:
            if one.notifies:
                device.on_subscribe(one.uuid, True, 0)
    if not device.streaming:
        device.start(50.0, 0)
    events = device.events(10 * S)
    assert device.truth.samples == len(device.truth.t_ns) == len(device.truth.xyz_g) > 0
    assert all(len(one.value) <= device.mtu - 3 for one in events)
    # Resolution: never worse than a milli-g, or half a step of 1/1024 g.
    np.testing.assert_allclose(
        device.truth.xyz_g, [[0.3333333, -0.7777777, 0.1234567]] * device.truth.samples, atol=6e-4
    )


@pytest.mark.parametrize("make", [*SILENT_UNTIL_TOLD, Microbit, Nicla, Infinitime, Diy])
@given(data=st.data())
def test_no_bytes_that_are_written_break_a_wearable(
    make: Callable[..., StreamingFirmware], data: st.DataObject
) -> None:
    device = make(Still(), boot_ns=0)
    device.on_connect(0)
    chars = [one for service in device.services for one in service.characteristics]
    for number in range(data.draw(st.integers(1, 8))):
        one = data.draw(st.sampled_from(chars))
        if one.notifies:
            device.on_subscribe(one.uuid, data.draw(st.booleans()), number)
        try:
            device.on_write(one.uuid, data.draw(st.binary(max_size=40)), number)
        except AttError as refused:
            assert 0 < refused.code < 256
    device.events(S)
    device.reboot(S)
    device.on_disconnect(S)
    assert device.events(2 * S) == []
