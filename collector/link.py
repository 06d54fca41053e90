"""One wearable: find it, connect, stay connected, and never believe that silence is health.

What the field has taught and this file keeps: one connect at a time; `disconnect()` after every loss, or BlueZ delivers
everything twice; a watchdog on the data, because neither a dead bluetoothd nor a stalled link is reported; start
commands and subscriptions anew at every connection, because wearables forget them; a fresh scan instead of an old
device object. Callbacks read the clocks first and only queue: a notification carries no time of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from collector.delivery import Remedy
from collector.gatt import CALL_S, ClientGatt, Question
from collector.scan import Sighting, Target, find, radio_errors
from collector.wearables import Stream
from spineclip.contract.clock import Clock
from spineclip.contract.errors import LinkError, RadioUnavailableError, SpineclipError, WearableNotFoundError

_LOG = logging.getLogger(__name__)

CONNECT_S: Final = 12.0
"""While one connects the other links wait for the radio, so an attempt that hangs is given up (our choice)."""
DISCONNECT_S: Final = 5.0
"""Twice what BlueZ takes to let go of a device."""
SAY_STOP_S: Final = 1.0
"""Short, so that time is left to disconnect before the collector has to be gone."""
BATTERY_EVERY_S: Final = 600.0
"""A battery falls by a few percent in an hour at most (our choice)."""
WRONG_RATE: Final = "wrong-rate"
"""Why a stream is begun anew that is not what was asked for."""
GOOD_DATA_NS: Final = 60 * 10**9
"""After so much good data the back-off starts small again."""
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 12.0)
"""With its play of a fifth never more than 15 s: who comes back shall not wait for us."""
_AWAY_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Pauses between scans for a wearable that is not there: short, so that it streams soon after it comes back ..."""
_MANY: Final = 60
"""... and long after so many scans: then it is in a drawer, and scanning disturbs the others."""
_REFUSES_S: Final = 25.0
"""The pause, play included at most 30 s, after so many failures to connect to one that is there: each holds up those
who wait for the radio, too."""
_INBOX: Final = 20_000
"""Notifications that may wait to be decoded: 100 s at 200 a second."""


class Sink(Protocol):
    """Where a link's packets go. All calls come from the event loop and must be quick."""

    def found(self, sighting: Sighting) -> None:
        """It is known now which wearable this is."""
        ...

    def connected(self, plan: Stream) -> None:
        """The notifications will be switched on next."""
        ...

    def restarted(self, plan: Stream, reason: str) -> None:
        """It will be told once more what to send; what it sent meanwhile was left out."""
        ...

    def packet(self, characteristic: str, data: bytes, arrival_ns: int, utc_ns: int) -> None:
        """A notification, with the monotonic and the wall clock at its arrival."""
        ...

    def battery(self, percent: int) -> None:
        """The battery was read."""
        ...

    def lost(self, reason: str) -> None:
        """The connection is gone."""
        ...

    def trouble(self, error: SpineclipError) -> None:
        """An attempt failed; it will be repeated."""
        ...


@dataclass(slots=True)
class Radio:
    """What the links of one process share: the adapter, one connect at a time, who uses which wearable.

    `ours` are the ids of wearables that were collected from before and may be taken over; see `collector.scan.find`.
    """

    adapter: str | None = None
    ours: frozenset[str] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken: set[str] = field(default_factory=set)


class Link:
    """Keeps one wearable streaming until it is stopped.

    Parameters
    ----------
    target
        What to look for; once found, the link keeps to that one wearable.
    radio
        Shared by all links of the process.
    clock
        Reads the arrival times and measures pauses.
    sink
        Where packets go.
    rate_hz, range_g
        What is wanted; the wearable's nearest offer is taken.
    """

    def __init__(
        self, target: Target, radio: Radio, clock: Clock, sink: Sink, *, rate_hz: float = 50.0, range_g: float = 8.0
    ) -> None:
        self.connects = 0
        self._target = target
        self._radio = radio
        self._clock = clock
        self._sink = sink
        self._wanted = (rate_hz, range_g)
        self._sighting: Sighting | None = None
        self._fresh = False
        self._client: BleakClient | None = None
        self._inbox: deque[tuple[str, bytes, int, int]] = deque()
        self._questions: list[Question] = []
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._end: str | None = None
        self._ask_again = self._deaf = False
        self._last_ns = 0
        self._good_since_ns = 0
        self._dice = random.Random()  # noqa: S311 - spreads retries, keeps no secret

    @property
    def streaming(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._client is not None

    @property
    def idle(self) -> bool:
        """Whether everything that arrived has been handed on."""
        return not self._inbox

    def stop(self) -> None:
        """End `run` soon, cleanly."""
        self._stop.set()
        self._finish("stopped")

    def mend(self, remedy: Remedy) -> None:
        """Tell the wearable once more what to send, or connect anew, soon."""
        if remedy is Remedy.ASK_AGAIN:
            self._ask_again = True
        else:
            self._finish(WRONG_RATE)

    async def buzz(self) -> bool:
        """Make the wearable felt or seen; False when it cannot or is not connected."""
        client, sighting = self._client, self._sighting
        if client is None or sighting is None:
            return False
        async with asyncio.timeout(CALL_S):
            return await sighting.wearable.buzz(ClientGatt(client, self._clock, self._questions))

    async def run(self) -> None:
        """Connect and serve, again and again, until `stop`."""
        failures, was_away = 0, False
        while not self._stop.is_set():
            error: SpineclipError | None = None
            try:
                await self._connect_and_serve()
            except asyncio.CancelledError:
                raise
            except SpineclipError as caught:
                error = caught
            except Exception as caught:  # noqa: BLE001
                # bleak, dbus-fast and the bus itself raise a dozen kinds (TimeoutError, BleakError, EOFError, even
                # AssertionError when the bus dies under a call); to a link they all mean: try again.
                error = LinkError(
                    f"the connection to {self._name} failed ({type(caught).__name__}: {caught})",
                    advice="It will be tried again",
                )
                _LOG.debug("link failed", exc_info=caught)
            if self._stop.is_set():
                return
            if self._good_since_ns and self._clock.monotonic_ns() - self._good_since_ns > GOOD_DATA_NS:
                failures = 0
            self._good_since_ns = 0
            if error is not None:
                self._sink.trouble(error)
            if isinstance(error, WearableNotFoundError) != was_away:  # who is heard anew is tried anew at once
                failures, was_away = 0, not was_away
            await self._pause(self._backoff_s(failures, error))
            failures += 1

    def _backoff_s(self, failures: int, error: SpineclipError | None) -> float:
        away = isinstance(error, WearableNotFoundError)
        if failures >= _MANY and error is not None and not away and not isinstance(error, RadioUnavailableError):
            seconds = _REFUSES_S
        else:
            steps = _AWAY_S if away and failures < _MANY else _BACKOFF_S
            seconds = steps[min(failures, len(steps) - 1)]
        return seconds * self._dice.uniform(0.8, 1.2)

    async def _pause(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    # ---- one connection

    async def _connect_and_serve(self) -> None:
        self._reset()
        async with self._radio.lock:
            sighting = await self._locate()
            client = self._make_client(sighting)
            try:
                with radio_errors():
                    await client.connect()
                plan = await self._begin(client, sighting)
            except BaseException:
                self._fresh = False  # next time look again: BlueZ forgets what it has only scanned
                await self._leave(client)
                raise
        watch = asyncio.create_task(self._watch(client, sighting, plan))
        try:
            await self._serve()
        finally:
            self._client = None
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            if self._end == "stopped":
                await self._say_stop(client, sighting)
            await self._leave(client)
            self._drain()
            self._sink.lost(self._end or "stopped")

    def _reset(self) -> None:
        self._end = None
        self._ask_again = self._deaf = False
        self._inbox.clear()
        self._wake.clear()

    async def _locate(self) -> Sighting:
        """Take the device object of a connection that was just lost, or scan for a fresh one."""
        if self._sighting is not None and self._fresh:
            self._fresh = False
            return self._sighting
        target = self._target if self._sighting is None else Target(self._sighting.seen.address)
        others = self._radio.taken - ({self._sighting.seen.address} if self._sighting else set())
        sighting = await find(target, adapter=self._radio.adapter, taken=others, ours=self._radio.ours)
        self._radio.taken.add(sighting.seen.address)
        if self._sighting is None:
            self._sink.found(sighting)
        self._sighting = sighting
        return sighting

    async def _begin(self, client: BleakClient, sighting: Sighting) -> Stream:
        """Prepare, subscribe, start. The sink is ready before the first packet can come."""
        wearable, gatt = sighting.wearable, ClientGatt(client, self._clock, self._questions)
        plan = wearable.plan(*self._wanted)
        present = [uuid for uuid in wearable.notify if gatt.has(uuid)]
        if not present:
            raise LinkError(
                f"{self._name} does not have the characteristics of a {wearable.label}",
                advice="Update its firmware, or describe it in a profile of its own (spineclip wearables)",
            )
        await wearable.prepare(gatt, plan)
        self._sink.connected(plan)
        self._last_ns = self._good_since_ns = self._clock.monotonic_ns()
        self._client = client
        for uuid in present:
            async with asyncio.timeout(CALL_S):
                await client.start_notify(uuid, self._on_notification)
        await wearable.start(gatt, plan)
        self.connects += 1
        return plan

    def _on_notification(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        arrival_ns, utc_ns = self._clock.monotonic_ns(), self._clock.utc_ns()
        if len(self._inbox) >= _INBOX:
            self._finish("overflow")
            return
        self._last_ns = arrival_ns
        uuid, value = characteristic.uuid.lower(), bytes(data)
        if not self._deaf:
            self._inbox.append((uuid, value, arrival_ns, utc_ns))
        for answer_on, head, answer in self._questions:
            if uuid == answer_on and value.startswith(head) and not answer.done():
                answer.set_result(value)
        self._wake.set()

    def _on_disconnected(self, client: BleakClient) -> None:
        if self._client is None or client is self._client:
            self._finish("link-lost")

    def _finish(self, reason: str) -> None:
        if self._end is None:
            self._end = reason
        self._wake.set()

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._drain()
            if self._end is not None or self._stop.is_set():
                self._fresh = self._end == "link-lost"
                return

    def _drain(self) -> None:
        while self._inbox:
            self._sink.packet(*self._inbox.popleft())

    async def _watch(self, client: BleakClient, sighting: Sighting, plan: Stream) -> None:
        """Watch the data, and ask for the battery now and then."""
        limit_s = max(2.0, 10.0 * plan.packet_samples / plan.rate_hz)
        gatt = ClientGatt(client, self._clock, self._questions)
        battery_ns = 0
        while self._end is None:
            now_ns = self._clock.monotonic_ns()
            if now_ns >= battery_ns:
                battery_ns = now_ns + round(BATTERY_EVERY_S * 1e9)
                await self._ask_battery(gatt, sighting)
            if self._ask_again:
                await self._start_again(gatt, sighting, plan)
            silent_s = (self._clock.monotonic_ns() - self._last_ns) / 1e9
            if silent_s >= limit_s:
                self._finish("stalled")
                return
            await self._clock.sleep(limit_s - silent_s)

    async def _start_again(self, gatt: ClientGatt, sighting: Sighting, plan: Stream) -> None:
        """Say once more what it shall send. What comes meanwhile is of the old stream or the new: nobody knows."""
        self._ask_again = False
        self._deaf = True
        try:
            await sighting.wearable.prepare(gatt, plan)
            self._drain()
            self._sink.restarted(plan, WRONG_RATE)
            self._deaf = False
            await sighting.wearable.start(gatt, plan)
        except Exception as error:  # noqa: BLE001
            # Whatever bleak raises here: a wearable that cannot be told is connected anew.
            _LOG.debug("not told again (%s)", error)
            self._finish(WRONG_RATE)

    async def _ask_battery(self, gatt: ClientGatt, sighting: Sighting) -> None:
        try:
            percent = await sighting.wearable.ask_battery(gatt)
        except Exception as error:  # noqa: BLE001
            # The battery is a courtesy; whatever fails here fails for the data too, and the watchdog sees to that.
            _LOG.debug("battery not read (%s)", error)
            return
        if percent is not None:
            self._sink.battery(percent)

    async def _say_stop(self, client: BleakClient, sighting: Sighting) -> None:
        try:
            async with asyncio.timeout(SAY_STOP_S):
                await sighting.wearable.stop(ClientGatt(client, self._clock, self._questions))
        except Exception as error:  # noqa: BLE001
            # We are leaving anyway; a wearable that cannot be told stops when the link ends.
            _LOG.debug("stop not said (%s)", error)

    async def _leave(self, client: BleakClient) -> None:
        """Disconnect whatever the state: only this makes BlueZ forget our subscriptions."""
        self._client = None
        try:
            async with asyncio.timeout(DISCONNECT_S):
                await client.disconnect()
        except Exception as error:  # noqa: BLE001
            # After a loss, or with bluetoothd or the bus dead, this raises any of a dozen kinds; the link is over.
            _LOG.debug("disconnect: %s", error)

    def _make_client(self, sighting: Sighting) -> BleakClient:
        adapter = self._radio.adapter
        if adapter is None:
            return BleakClient(sighting.device, self._on_disconnected, timeout=CONNECT_S)
        return BleakClient(sighting.device, self._on_disconnected, timeout=CONNECT_S, bluez={"adapter": adapter})

    @property
    def _name(self) -> str:
        return self._target.text if self._sighting is None else self._sighting.wearable_id
