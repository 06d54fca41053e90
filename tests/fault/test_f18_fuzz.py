"""F18: whatever comes over the wire is used or counted, and nothing else happens."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable

import cbor2
import pytest

from processing.service import Core
from processing.stores.sqlite import SqliteStore
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import WireError
from spineclip.contract.live import Live
from spineclip.contract.messages import Ack, Event, command_from_json
from spineclip.contract.wire import decode, encode
from tests.system.collecting import T0_NS, day_of_somebody

_TIMES = int(os.environ.get("SPINECLIP_FUZZ", "20000"))
_READERS: dict[str, Callable[[bytes], object]] = {
    "samples": lambda payload: decode(payload, now_ns=T0_NS),
    "ack": Ack.from_json,
    "event": Event.from_json,
    "cmd": command_from_json,
    "config": PatientConfig.from_json,
    "live": Live.from_json,
}
_BOMBS = [
    b"\x00" * (100 << 20),
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\x81" * 100_000,
    b"\xd8\x4d" * 50_000,
    bytes([0x9B]) + b"\xff" * 8,
    bytes([0x5B, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF]),
    bytes([0xBB, 0, 0, 0, 1, 0, 0, 0, 0]),
    b'{"v":' + b"9" * 10_000 + b"}",
    cbor2.dumps({"v": 1, "kind": "samples", "n": 1 << 40}),
    json.dumps({"v": 1, "stored": {"a": {"boot": 1e999, "through_seq": -1}}}).encode(),
]


def _seeds() -> dict[str, list[bytes]]:
    batch = day_of_somebody(1)[0]
    return {
        "samples": [encode(batch)],
        "ack": [Ack({}).to_json(), b'{"stored":{"clip-1":{"boot":1,"through_seq":2}},"v":1}'],
        "event": [Event("gap", T0_NS, "clip-1", {"dur_s": 1.5}).to_json()],
        "cmd": [b'{"cmd":"resend","device":"a","boot":1,"from_seq":2,"through_seq":3,"v":1}'],
        "config": [PatientConfig(time_zone="Europe/Berlin").to_json()],
        "live": [Live(T0_NS, "sitting", "upright", 0.9, True, T0_NS, 1.0, 2.0, 3.0, 20.0, -1.5).to_json()],
    }


_ODD: list[object] = [
    None, True, -1, 0, 1 << 31, 1 << 64, -(1 << 63), 1e308, -0.5, "", "x" * 300, "\x00", "+", "p-1/#", [], {}, [[]],
    {"v": 1}, b"", b"\xff" * 9,
]  # fmt: skip


def _replaced(rng: random.Random, seed: bytes) -> bytes:
    """Put something odd in the place of one value, or one more beside it: whole as a message, wrong in what it says."""
    is_json = seed[:1] == b"{"
    whole = json.loads(seed) if is_json else cbor2.loads(seed)
    at: object = whole
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            break
        key = rng.choice(keys)
        inner = at[key]  # type: ignore[index]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.7:
            at = inner
            continue
        at[key] = rng.choice(_ODD)  # type: ignore[index]
        break
    if is_json:
        return json.dumps(whole, default=repr).encode()
    return cbor2.dumps(whole)


def _mutated(rng: random.Random, seed: bytes) -> bytes:
    if rng.random() < 0.5:
        return _replaced(rng, seed)
    data = bytearray(seed)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.choice((0, 0x7F, 0x80, 0xFF, 0x1F, 0xBF, 0x9F))
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
            case 3:
                del data[at : at + rng.randint(1, 9)]
            case _:
                data[at:at] = data[max(0, at - 20) : at]
    return bytes(data)


@pytest.mark.parametrize("reader", _READERS)
def test_f18(reader: str, figure: Callable[[str], None], full: bool) -> None:
    """F18: damaged, invented and hostile bytes for every kind of message (more by make fuzz).

    Promise: no crash, no hang; every refusal has its reason.
    """
    rng, reasons, slowest_s = random.Random(1), Counter[str](), 0.0
    seeds = _seeds()[reader]
    read = _READERS[reader]
    times = max(_TIMES, 100_000) if full else _TIMES
    for k in range(times + len(_BOMBS)):
        payload = _BOMBS[k] if k < len(_BOMBS) else _mutated(rng, rng.choice(seeds))
        began_s = time.perf_counter()
        try:
            read(payload)
            reasons["read"] += 1
        except WireError as error:
            reasons[error.reason] += 1
        slowest_s = max(slowest_s, time.perf_counter() - began_s)
    figure(f"{reader}: {times + len(_BOMBS)} inputs, 0 crashes, slowest {slowest_s * 1e3:.0f} ms; {dict(reasons)}")
    assert slowest_s < 5.0


async def test_f18_core(tmp_path: object, figure: Callable[[str], None]) -> None:
    """F18: the same bytes on every topic of a core, its own and strange ones.

    Promise: the core lives; what it takes and what it refuses, by reason, add up to what came.
    """
    store = SqliteStore(f"{tmp_path}/metrics.db")
    core, rng = Core(store, BrokerAccess()), random.Random(2)
    seeds = _seeds()
    names = [f"spineclip/v1/p-1/{channel}" for channel in seeds] + ["spineclip/v1/+/samples", "x", "spineclip/v2/p/ack"]
    taken = 0
    for k in range(3000):
        name = rng.choice(names)
        payload = _BOMBS[k] if k < len(_BOMBS) else _mutated(rng, rng.choice(seeds["samples"] + seeds["event"]))
        refused = sum(core.rejects.values())
        core._on_message(name, payload)
        taken += sum(core.rejects.values()) == refused
    store.close()
    figure(f"3000 messages: {taken} taken, refused {dict(core.rejects)}")
    assert taken + sum(core.rejects.values()) == core.received == 3000
