"""Promise: the radio's link and faults lose, delay and alter exactly what they count."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wearables.uuids import WITMOTION_NOTIFY
from firmware_sim.device import VirtualDevice
from firmware_sim.faults import Counters, Faults
from firmware_sim.firmware.base import Notification
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.link import EventLink, LinkModel
from tests.unit.motions import Ramp

MS = 1_000_000
S = 1_000_000_000


class Now:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def streaming(faults: Faults | None = None, link: LinkModel | None = None) -> tuple[VirtualDevice, Now, list[bytes]]:
    now = Now()
    got: list[bytes] = []
    device = VirtualDevice(Witmotion(Ramp(200), rate_code=0x0B, boot_ns=0), now, faults=faults, link=link, seed=1)
    device.on_value = lambda _, value: got.append(value)
    device.open()
    device.subscribe(WITMOTION_NOTIFY, True)
    return device, now, got


def run(device: VirtualDevice, now: Now, until_ns: int) -> None:
    while (due := device.next_ns()) is not None and due <= until_ns:
        now.ns = due
        device.step(due)
    now.ns = until_ns


@given(
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.sampled_from([None, LinkModel(queue=4, retransmission=0.4)]),
)
def test_every_notification_is_accounted_for(
    drop: float, duplicate: float, reorder: float, wrong: float, link: LinkModel | None
) -> None:
    faults = Faults(drop=drop, duplicate=duplicate, reorder=reorder, wrong_length=wrong)
    device, now, got = streaming(faults, link)
    run(device, now, S)
    device.faults.stalled = True
    run(device, now, 2 * S)
    device.drop_link()
    c = device.counters
    assert c.handed == device.firmware.truth.notifications  # type: ignore[attr-defined]
    assert c.delivered == len(got)
    assert c.handed + c.duplicated == c.delivered + c.dropped + c.stalled + c.overflowed + c.unheard
    assert c.losses == 1


def test_without_faults_nothing_is_altered() -> None:
    device, now, got = streaming()
    run(device, now, S)
    assert len(got) == 200
    expected = Counters(handed=200, delivered=200, connects=1)
    assert asdict(device.counters) == asdict(expected)


def test_duplicates_are_true_copies_and_reordering_loses_nothing() -> None:
    device, now, got = streaming(Faults(duplicate=0.2, reorder=0.2))
    run(device, now, 5 * S)
    clean, now2, all_of_them = streaming()
    run(clean, now2, 5 * S)
    assert set(got) <= set(all_of_them)
    assert len(set(all_of_them) - set(got)) <= 1  # one may still be held back
    assert max(Counter(got).values()) == 2
    assert device.counters.reordered > 100
    assert device.counters.duplicated > 100


def test_wrong_lengths_are_wrong() -> None:
    device, now, got = streaming(Faults(wrong_length=1.0))
    run(device, now, S)
    lengths = {len(value) for value in got}
    assert lengths <= {*range(20), 21}
    assert {0, 19, 21} <= lengths, "cut short anywhere, or a byte too long"
    assert len(got) == device.counters.damaged == 200


def test_going_away_is_silence_then_a_loss_after_the_supervision_timeout() -> None:
    device, now, got = streaming()
    run(device, now, S)
    lost_at: list[int] = []
    device.on_lost = lambda: lost_at.append(now.ns)
    device.go_away(supervision_s=0.42)
    run(device, now, 3 * S)
    assert len(got) == 200
    assert lost_at == [S + 420 * MS]
    assert device.counters.unheard in {83, 84}  # a packet is due at the very time of the loss


def test_coming_back_in_time_keeps_the_link() -> None:
    device, now, got = streaming()
    run(device, now, S)
    device.go_away(supervision_s=0.42)
    run(device, now, S + 200 * MS)
    device.come_back()
    run(device, now, 2 * S)
    assert device.connected
    assert len(got) == 200 + 160


def test_a_reboot_that_keeps_the_link_streams_on() -> None:
    device, now, got = streaming()
    run(device, now, S)
    device.reboot(keep_link=True)
    run(device, now, 2 * S)
    assert device.connected
    assert len(got) == 400


def test_connection_events_bring_bursts_on_a_grid_in_order() -> None:
    model = LinkModel(interval_min_ms=40, interval_max_ms=40, retransmission=0.0, packets_per_event=20, packet_ms=1.0)
    link = EventLink(model, seed=3)
    link.open(0)
    arrived: list[tuple[int, Notification]] = []
    for k in range(200):
        t = k * 5 * MS
        assert link.push(Notification(t, "x", bytes([k % 256])))
        while (due := link.next_ns()) is not None and due <= t:
            arrived.extend((due, one) for one in link.due(due))
    order = [one.value[0] for _, one in arrived]
    assert order == [k % 256 for k in range(len(order))]
    assert len(order) > 180
    assert all(0 < due - one.t_ns <= 40 * MS + 20 * MS for due, one in arrived)
    grid = Counter((due - round(arrived[0][0])) % (40 * MS) for due, _ in arrived)
    assert set(grid) <= {k * MS for k in range(20)}


def test_retransmission_delays_and_never_loses() -> None:
    device, now, got = streaming(link=LinkModel(retransmission=0.1, packets_per_event=50, queue=10_000))
    run(device, now, 10 * S)
    counts = [int.from_bytes(value[2:4], "little", signed=True) for value in got]
    assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert device.counters.overflowed == 0
    assert device.counters.handed - device.counters.delivered < 40


def test_a_full_transmit_queue_drops_and_says_so() -> None:
    model = LinkModel(interval_min_ms=50, interval_max_ms=50, packets_per_event=2, queue=8, retransmission=0.0)
    device, now, got = streaming(link=model)
    run(device, now, 10 * S)
    # Two packets every 50 ms is 40 a second, of 200 a second that are sent.
    assert len(got) == pytest.approx(400, abs=10)
    assert device.counters.overflowed == pytest.approx(1600, abs=20)


def test_the_same_seed_does_the_same() -> None:
    runs = []
    for _ in range(2):
        device, now, got = streaming(Faults(drop=0.1, duplicate=0.1, reorder=0.1), LinkModel(stall=0.01))
        run(device, now, 3 * S)
        runs.append((got, asdict(device.counters)))
    assert runs[0] == runs[1]
