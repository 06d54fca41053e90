"""Promise: the link finds a wearable through real bleak, streams it, and comes back after every loss."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from collector import link as link_module
from collector.link import Link, Radio
from collector.scan import Sighting, Target, find, look
from collector.wearables import Stream
from firmware_sim.firmware.base import Samples, Times
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.contract.errors import LinkError, RadioUnavailableError, SpineclipError, WearableNotFoundError
from spineclip.logs import hush_dead_bus


class _Still:
    def samples(self, t_ns: Times) -> Samples:
        return np.tile([0.0, 0.0, 1.0], (len(t_ns), 1))


@dataclass
class _Notes:
    """A sink that keeps everything."""

    packets: int = 0
    plans: list[Stream] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    troubles: list[SpineclipError] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    doubled: int = 0

    def found(self, sighting: Sighting) -> None:
        self.sightings.append(sighting)

    def connected(self, plan: Stream) -> None:
        self.plans.append(plan)

    def packet(self, characteristic: str, data: bytes, arrival_ns: int, utc_ns: int) -> None:
        self.packets += 1

    def restarted(self, plan: Stream, reason: str) -> None:
        self.restarts.append(reason)

    def battery(self, percent: int) -> None: ...

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)

    def trouble(self, error: SpineclipError) -> None:
        self.troubles.append(error)


async def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def radio() -> AsyncIterator[VirtualRadio]:
    async with VirtualRadio() as virtual:
        yield virtual


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten pauses, which are real time here."""
    monkeypatch.setattr(link_module, "_BACKOFF_S", (0.05,))
    monkeypatch.setattr(link_module, "_AWAY_S", (0.05,))


async def _streaming(target: str, notes: _Notes) -> tuple[Link, asyncio.Task[None]]:
    link = Link(Target(target), Radio(), SystemClock(), notes, rate_hz=100.0)
    task = asyncio.create_task(link.run())
    await _until(lambda: notes.packets > 20)
    return link, task


class _Lamp(Witmotion):
    """Something else that advertises."""

    service_uuids = ()


async def test_scan_names_kind_and_strength(radio: VirtualRadio) -> None:
    radio.add(_Lamp(_Still(), name="a lamp", address="C0:00:00:00:00:03"), rssi_dbm=-40)
    radio.add(Witmotion(_Still(), name="WT901BLE67", address="C0:00:00:00:00:01"), rssi_dbm=-50)
    radio.add(Witmotion(_Still(), name="WT901BLE68", address="C0:00:00:00:00:02"), rssi_dbm=-80)
    near, far = await look(0.5, "hci0")
    assert (near.wearable_id, near.seen.name, near.seen.rssi_dbm) == (
        "witmotion-c00000000001",
        "WT901BLE67",
        pytest.approx(-50, abs=5),
    )
    assert far.seen.rssi_dbm == pytest.approx(-80, abs=5)


@pytest.mark.parametrize("text", ["witmotion", "c0:00:00:00:00:01", "WT901BLE67", "witmotion-c00000000001"])
async def test_finds_by_kind_address_name_or_id(radio: VirtualRadio, text: str) -> None:
    radio.add(Witmotion(_Still(), name="WT901BLE68", address="C0:00:00:00:00:02"), rssi_dbm=-80)  # is heard first
    radio.add(Witmotion(_Still(), name="WT901BLE67", address="C0:00:00:00:00:01"), rssi_dbm=-50)
    found = await find(Target(text), seconds=3.0)
    assert found.seen.address == "C0:00:00:00:00:01"


async def test_says_what_is_near_when_the_target_is_not(radio: VirtualRadio) -> None:
    radio.add(Witmotion(_Still(), address="C0:00:00:00:00:01"))
    with pytest.raises(WearableNotFoundError, match="Near are witmotion-c00000000001"):
        await find(Target("polar"), seconds=0.5)


async def test_no_adapter_and_switched_off_are_one_sentence_each() -> None:
    async with VirtualRadio(adapter=False):
        with pytest.raises(RadioUnavailableError, match="no Bluetooth adapter"):
            await look(0.1)


@pytest.mark.usefixtures("radio")
async def test_an_adapter_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(RadioUnavailableError, match="no Bluetooth adapter hci7"):
        await look(0.1, "hci7")
    with pytest.raises(RadioUnavailableError, match="no Bluetooth adapter hci7"):
        await find(Target("witmotion"), 0.1, "hci7")


async def test_switched_off_is_one_sentence() -> None:
    async with VirtualRadio(powered=False):
        with pytest.raises(RadioUnavailableError, match="switched off"):
            await look(0.1)


async def test_no_bus_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    with pytest.raises(RadioUnavailableError, match="no D-Bus"):
        await look(0.1)


async def test_streams_at_the_rate_asked_for_and_stops_cleanly(radio: VirtualRadio) -> None:
    device = radio.add(Witmotion(_Still()))
    notes = _Notes()
    link, task = await _streaming("witmotion", notes)
    assert notes.plans == [Stream(100.0, 16.0)]
    link.stop()
    await asyncio.wait_for(task, 10)
    assert notes.reasons == ["stopped"]
    assert not device.connected


@pytest.mark.usefixtures("quick")
async def test_f14_comes_back_after_a_loss_without_doubled_packets(radio: VirtualRadio) -> None:
    device = radio.add(Witmotion(_Still()))
    notes = _Notes()
    link, task = await _streaming("witmotion", notes)
    for losses in range(1, 4):
        device.drop_link()
        await _until(lambda losses=losses: len(notes.plans) > losses)
        before = notes.packets
        await _until(lambda before=before: notes.packets > before + 50)
    link.stop()
    await asyncio.wait_for(task, 10)
    assert notes.reasons == ["link-lost"] * 3 + ["stopped"]
    # One D-Bus signal for each value: nobody but us is registered.
    assert device.counters.signals == device.counters.delivered


@pytest.mark.usefixtures("quick")
async def test_a_silent_stall_is_noticed_and_healed(radio: VirtualRadio) -> None:
    device = radio.add(Witmotion(_Still()))
    notes = _Notes()
    link, task = await _streaming("witmotion", notes)
    device.faults.stalled = True
    await _until(lambda: notes.reasons == ["stalled"])
    device.faults.stalled = False
    before = notes.packets
    await _until(lambda: notes.packets > before + 20)
    link.stop()
    await asyncio.wait_for(task, 10)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", ["bluez", "bus"])
async def test_a_dead_bluetooth_service_or_bus_is_survived(radio: VirtualRadio, what: str) -> None:
    radio.add(Witmotion(_Still()))
    notes = _Notes()
    link, task = await _streaming("witmotion", notes)
    if what == "bluez":
        radio.kill_bluez()
    else:
        await radio.kill_bus()
    await _until(lambda: bool(notes.reasons) and bool(notes.troubles))
    assert any(isinstance(error, RadioUnavailableError) for error in notes.troubles)
    if what == "bluez":
        radio.revive_bluez()
    else:
        await radio.revive_bus()
    before = notes.packets
    await _until(lambda: notes.packets > before + 20, 40)
    link.stop()
    await asyncio.wait_for(task, 10)


@pytest.mark.parametrize(
    ("text", "ours"),
    [("witmotion-c00000000001", frozenset[str]()), ("witmotion", frozenset({"witmotion-c00000000001"}))],
)
async def test_f01_takes_over_what_a_killed_collector_left_connected(
    radio: VirtualRadio, text: str, ours: frozenset[str]
) -> None:
    """BlueZ keeps the link of a process that was killed (bluez#89), and who is connected does not advertise."""
    # no name tells what it is: what BlueZ remembers of its services does
    device = radio.add(Witmotion(_Still(), name="Clip", address="C0:00:00:00:00:01"))
    radio.connect_from_elsewhere(device)
    notes = _Notes()
    link = Link(Target(text), Radio(ours=ours), SystemClock(), notes, rate_hz=100.0)
    task = asyncio.create_task(link.run())
    await _until(lambda: notes.packets > 20)
    assert notes.troubles == []
    assert device.counters.connects == 1
    link.stop()
    await asyncio.wait_for(task, 10)
    assert not device.connected


@pytest.mark.parametrize(
    ("text", "ours"),
    [("witmotion", frozenset({"witmotion-c00000000002"})), ("witmotion-c00000000001", None)],
)
async def test_leaves_alone_what_may_be_somebody_elses(
    radio: VirtualRadio, text: str, ours: frozenset[str] | None
) -> None:
    radio.connect_from_elsewhere(radio.add(Witmotion(_Still(), address="C0:00:00:00:00:01")))
    await asyncio.sleep(0.2)
    with pytest.raises(WearableNotFoundError, match="connected to witmotion-c00000000001 already"):
        await find(Target(text), seconds=0.3, ours=ours)


class _Scripted(Link):
    """A link whose attempts end as they are told, or bring data for so many seconds; pauses take no time."""

    def __init__(self, ends: list[SpineclipError | float]) -> None:
        self._driven = DrivenClock()
        super().__init__(Target("witmotion"), Radio(), self._driven, _Notes())
        self._ends = ends
        self.pauses_s: list[float] = []

    async def _connect_and_serve(self) -> None:
        end = self._ends[len(self.pauses_s)]
        if isinstance(end, SpineclipError):
            raise end
        self._driven.advance(1.0)  # to connect
        self._good_since_ns = self._driven.monotonic_ns()
        self._driven.advance(end)

    async def _pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        if len(self.pauses_s) == len(self._ends):
            self.stop()


async def test_pauses_grow_from_half_a_second_to_thirty_and_not_for_who_comes_back() -> None:
    away, refuses = WearableNotFoundError("not seen"), LinkError("refused")
    link = _Scripted([refuses] * 100 + [away] * 100 + [refuses] + [0.0] * 100)
    await link.run()
    pauses = link.pauses_s
    assert 0.4 <= pauses[0] <= 0.6
    assert 9 <= min(pauses[10:60]) <= max(pauses[:60]) <= 15
    assert 20 <= min(pauses[60:100]) <= max(pauses[60:100]) <= 30
    assert max(pauses[100:160]) <= 5  # looked for
    assert 9 <= min(pauses[165:200]) <= max(pauses[160:200]) <= 15  # in a drawer
    assert pauses[200] <= 0.6  # it is back: what was before it went does not count
    assert max(pauses[201:]) <= 15  # connected, and lost again each time
    assert len({round(one, 6) for one in pauses}) > 250  # with jitter


@pytest.mark.parametrize(("good_s", "begins_anew"), [(59.0, False), (61.0, True)])
async def test_a_minute_of_good_data_lets_the_pauses_begin_anew_once(good_s: float, begins_anew: bool) -> None:
    refuses = LinkError("refused")
    link = _Scripted([refuses] * 10 + [good_s] + [refuses] * 10)
    await link.run()
    assert link.pauses_s[9] >= 9
    assert (link.pauses_s[10] <= 0.6) is begins_anew
    assert link.pauses_s[-1] >= 9, "data of long ago say nothing of a wearable that refuses now"


async def test_a_bus_that_dies_at_any_moment_leaves_no_traceback_in_the_log(
    quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    """dbus-fast forgets futures of what it could not send; the person at the log would take them for a defect."""
    del quick
    hush_dead_bus()
    notes = _Notes()
    async with VirtualRadio(timing=BluezTiming(connect_s=0.05, discover_s=0.1)) as radio:
        radio.add(Witmotion(_Still()))
        link = Link(Target("witmotion"), Radio(), SystemClock(), notes)
        task = asyncio.create_task(link.run())
        for after_s in (0.42, 0.46, 0.5, 0.54, 0.6):
            await asyncio.sleep(after_s)
            await radio.kill_bus()
            await asyncio.sleep(0.01)
            await radio.revive_bus()
        link.stop()
        await asyncio.wait_for(task, 15)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
