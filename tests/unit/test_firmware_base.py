"""Promise: a simulated wearable samples its motion at its own times, no more and no less, and remembers the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_WRITE
from firmware_sim.firmware.oscillator import Oscillator
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.player import Player
from tests.unit.motions import Interval, Ramp, Still

S = 1_000_000_000
UNLOCK, SAVE = bytes.fromhex("ffaa6988b5"), bytes.fromhex("ffaa000000")


def rate(code: int) -> bytes:
    return bytes([0xFF, 0xAA, 0x03, code, 0x00])


def test_the_vendors_frame_layout() -> None:
    # 0x0064 counts of 16/32768 g are 0.0488 g, -200 counts are -0.0977 g, 0x0800 counts are 1 g.
    device = Witmotion(Still(0x64 / 2048, -200 / 2048, 1.0), boot_ns=0)
    device.on_connect(0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    (frame, *_) = (one.value for one in device.events(S))
    assert frame[:8] == bytes.fromhex("5561640038ff0008")
    assert len(frame) == 20
    assert frame[8:14] == bytes(6)  # it does not turn
    roll, pitch, yaw = np.frombuffer(frame[14:], "<i2") * (180 / 32768)
    assert roll == pytest.approx(np.degrees(np.arctan2(-200, 2048)), abs=0.01)
    assert pitch == pytest.approx(np.degrees(np.arctan2(-100, np.hypot(200, 2048))), abs=0.01)
    assert yaw == 0


@pytest.mark.parametrize(
    ("x_g", "count"), [(0.00024, 0), (0.00025, 1), (-16.0, -32768), (40.0, 32767), (-99.0, -32768)]
)
def test_quantisation_and_saturation(x_g: float, count: int) -> None:
    device = Witmotion(Still(x_g), boot_ns=0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    value = device.events(S)[0].value
    assert int.from_bytes(value[2:4], "little", signed=True) == count
    assert device.truth.xyz_g[0, 0] == count / 2048


def test_a_rate_needs_unlocking_and_outlives_a_reboot_only_when_saved() -> None:
    device = Witmotion(Still(), boot_ns=0)
    device.on_connect(0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    device.on_write(WITMOTION_WRITE, rate(0x09), 1)
    assert device.rate_hz == 10
    device.on_write(WITMOTION_WRITE, UNLOCK, 2)
    device.on_write(WITMOTION_WRITE, rate(0x09), 3)
    assert device.rate_hz == 100
    assert len(device.events(S)) == 100
    device.on_write(WITMOTION_WRITE, UNLOCK, S)
    device.on_write(WITMOTION_WRITE, rate(0x08), 12 * S)  # the lock has fallen shut after ten seconds
    assert device.rate_hz == 100
    device.reboot(12 * S)
    device.on_subscribe(WITMOTION_NOTIFY, True, 12 * S)
    assert device.rate_hz == 10
    for command in (UNLOCK, rate(0x0B), SAVE):
        device.on_write(WITMOTION_WRITE, command, 13 * S)
    device.reboot(14 * S)
    device.on_subscribe(WITMOTION_NOTIFY, True, 14 * S)
    assert device.rate_hz == 200


def test_an_unknown_rate_and_foreign_bytes_are_ignored() -> None:
    device = Witmotion(Still(), boot_ns=0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    for command in (UNLOCK, rate(0x0A), b"", b"\xff\xaa", b"\xff" * 300):
        device.on_write(WITMOTION_WRITE, command, 1)
    assert device.rate_hz == 10


@given(
    st.floats(-200, 200),
    st.sampled_from([12.5, 52.0, 100.0, 200.0]),
    st.lists(st.integers(1, 3 * S), min_size=1, max_size=6),
)
def test_samples_lie_on_the_wearables_grid_however_they_are_asked_for(
    drift_ppm: float, rate_hz: float, steps: list[int]
) -> None:
    clock = Oscillator(5, drift_ppm)
    device = Witmotion(Ramp(rate_hz), boot_ns=5, drift_ppm=drift_ppm)
    device.on_subscribe(WITMOTION_NOTIFY, True, 7)
    device.start(rate_hz, 7)
    now = 7
    for step in steps:
        now += step
        device.events(now)
    t = device.truth.t_ns
    expected = clock.sample_times_ns(clock.next_sample(7, rate_hz), len(t), rate_hz)
    np.testing.assert_array_equal(t, expected)
    assert len(t) == pytest.approx((now - 7) / 1e9 * rate_hz * (1 + drift_ppm * 1e-6), abs=1.01)


def test_drift_is_what_it_says() -> None:
    fast = Oscillator(0, 35.0)
    assert fast.elapsed_ns(10**6 * S) == 10**6 * S + 35 * S
    hour = fast.sample_times_ns(360_000, 1, 100.0)[0]
    assert hour == pytest.approx(3600 * S / (1 + 35e-6), abs=1)


def test_silences_are_silent_and_cost_nothing() -> None:
    day = 86_400 * S
    device = Witmotion(Interval((S, 2 * S), (day, day + S)), boot_ns=0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    assert device.next_ns() == S
    times = [one.t_ns for one in device.events(2 * day)]
    assert times == [S + k * S // 10 for k in range(10)] + [day + k * S // 10 for k in range(10)]
    assert device.next_ns() is None


def test_what_was_sampled_ahead_is_not_counted_as_sent() -> None:
    device = Witmotion(Still(), boot_ns=0)
    device.on_subscribe(WITMOTION_NOTIFY, True, 0)
    assert device.next_ns() is not None
    device.on_disconnect(S)
    assert (device.truth.samples, device.next_ns()) == (0, None)


# --- recordings --------------------------------------------------------------------------------------------------

T = np.array([0, 10, 20, 30, 1000, 1010], np.int64) * 1_000_000
XYZ = np.arange(18, dtype=float).reshape(6, 3)


def test_a_recording_at_its_own_times_is_itself() -> None:
    for method in ("linear", "nearest"):
        np.testing.assert_array_equal(Player(T, XYZ, method=method).samples(T), XYZ)  # type: ignore[arg-type]


def test_between_samples_it_is_interpolated_or_the_nearest() -> None:
    at = np.array([12_500_000, 17_500_000], np.int64)
    np.testing.assert_allclose(Player(T, XYZ).samples(at)[:, 0], [3.75, 5.25])
    np.testing.assert_allclose(Player(T, XYZ, method="nearest").samples(at)[:, 0], [3.0, 6.0])


def test_it_is_silent_in_a_gap_and_outside() -> None:
    at = np.array([-1, 0, 31_000_000, 999_000_000, 1_000_000_000, 1_010_000_001], np.int64)
    silent = np.isnan(Player(T, XYZ).samples(at)[:, 0])
    assert silent.tolist() == [True, False, True, True, False, True]


@pytest.mark.parametrize(
    ("t_ms", "resumes_ms"), [(-5, 0), (0, 0), (15, 15), (30, 30), (31, 1000), (1010, 1010), (1011, None)]
)
def test_it_knows_where_a_silence_ends(t_ms: int, resumes_ms: int | None) -> None:
    found = Player(T, XYZ).resumes_ns(t_ms * 1_000_000)
    assert found == (None if resumes_ms is None else resumes_ms * 1_000_000)


def test_a_recording_that_cannot_be_played_is_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        Player(T[::-1], XYZ)
    with pytest.raises(ValueError, match="shapes"):
        Player(T[:3], XYZ)
