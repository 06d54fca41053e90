"""Promise: a rate that is not what was asked is tried to mend, seldom enough that it costs less than it gains."""

from __future__ import annotations

import numpy as np
import pytest

from collector.delivery import LONGEST_REST_NS, REST_NS, WINDOW_NS, Delivery, Remedy

S = 10**9
ASK, CONNECT = Remedy.ASK_AGAIN, Remedy.CONNECT_AGAIN


def _tried(
    rate_hz: float, seconds: float, *, helps: Remedy | None = None, n: int = 1, nominal_hz: float = 100.0
) -> list[tuple[float, Remedy]]:
    """Let packets of n samples come at a rate, nominal as soon as something helps; return what was tried, and when."""
    delivery, tried, now_ns = Delivery(), [], 0
    delivery.begin(nominal_hz, n)
    while now_ns < seconds * S:
        now_ns += round(n * S / rate_hz)
        delivery.add(n, now_ns)
        if delivery.remedy is not None:
            tried.append((now_ns / S, delivery.remedy))
            rate_hz = nominal_hz if delivery.remedy is helps else rate_hz
            delivery.remedy = None
            delivery.begin(nominal_hz, n)
    return tried


def test_the_rate_that_was_asked_for_is_left_alone() -> None:
    assert _tried(100.0, 300) == []
    assert _tried(95.0, 300) == []  # a sensor's own oscillator


@pytest.mark.parametrize("rate_hz", [1.0, 10.0, 57.0, 85.0, 150.0, 200.0])
def test_another_rate_is_asked_about_then_connected_anew_then_left_to_rest(rate_hz: float) -> None:
    (asked_s, first), (again_s, second) = _tried(rate_hz, REST_NS / S)
    assert (first, second) == (ASK, CONNECT)
    # Two windows, and the first packet of each; at 1 Hz that is a second more each.
    assert asked_s == pytest.approx(2 * WINDOW_NS / S, abs=2.1)
    assert again_s - asked_s == pytest.approx(2 * WINDOW_NS / S, abs=2.1)


def test_what_helps_is_not_followed_by_more() -> None:
    assert [remedy for _, remedy in _tried(10.0, 600, helps=ASK)] == [ASK]
    assert [remedy for _, remedy in _tried(10.0, 600, helps=CONNECT)] == [ASK, CONNECT]


def test_a_link_that_is_too_slow_all_day_is_connected_anew_less_than_thirty_times() -> None:
    # Rests of 5, 10, 20, 40 min, then an hour each: four in 75 min, then one in 61 min over the other 22.7 h.
    tried = [remedy for _, remedy in _tried(57.0, 24 * 3600, n=20)]
    assert 20 <= tried.count(CONNECT) <= 28
    assert LONGEST_REST_NS == 3600 * S


def test_silences_are_not_a_slow_rate() -> None:
    """A recording with holes, or an air that swallows a second now and then: asking would not bring it back."""
    delivery, now_ns = Delivery(), 0
    delivery.begin(100.0, 1)
    for k in range(60_000):
        now_ns += S // 100 + (S if k % 400 == 399 else 0)
        delivery.add(1, now_ns)
        assert delivery.remedy is None
    assert delivery.delivered_hz == pytest.approx(80.0, abs=4.0)
    assert any("link too slow" in one for one in delivery.notices)


def test_bursts_of_connection_events_are_not_another_rate() -> None:
    rng = np.random.default_rng(2)
    delivery = Delivery()
    delivery.begin(100.0, 1)
    for k in range(12_000):
        event = k * 10_000_000 // 48_750_000 + 1 + (rng.random() < 0.05)
        delivery.add(1, event * 48_750_000)
    assert delivery.remedy is None
    assert delivery.notices == []
