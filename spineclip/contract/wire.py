"""The records on a patient's ``samples`` topic: CBOR (RFC 8949) with a typed array (RFC 8746) for the samples.

One record is one CBOR map. Keys common to both kinds: ``v`` (schema version, 1), ``kind`` (``samples`` or ``gap``),
``device``, ``placement``, ``boot`` (u32, new at every start of a stream), ``seq`` (u32 within the boot, counting
batches and gaps alike).

================ ============================================================================================
kind             further keys
================ ============================================================================================
``samples``      ``t0_ns`` (i64, UTC of the first sample), ``dt_ns`` (i64, spacing), ``n``, ``scale`` (g a count),
                 ``xyz`` (tag 77: int16 little-endian, n x 3, row by row); when known ``clock_error_ns``, ``battery``
                 (percent), ``rssi`` (dBm)
``gap``          ``start_ns``, ``end_ns`` (``[start, end)``, UTC), ``reason``; when it stands in the place of records
                 that the outbox had to drop, ``from_seq``: the first of them (``seq`` is the last)
================ ============================================================================================

Everything that correctness needs is inside; a record sent twice is the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import cbor2
import numpy as np
from numpy.typing import NDArray

from spineclip.contract.errors import WireError
from spineclip.contract.ids import is_id
from spineclip.contract.placement import Placement

SCHEMA_VERSION: Final = 1
MAX_RECORD_BYTES: Final = 1 << 20
"""A batch of one second at 1,600 Hz is 10 kB; nothing honest comes near a mebibyte."""
MAX_SAMPLES: Final = 65_536
MAX_ABS_G: Final = 64.0
"""No supported sensor measures beyond 16 g; four times that is a broken scale."""
EARLIEST_NS: Final = 915_148_800 * 10**9
"""1999-01-01T00:00:00Z: loggers without a clock of their own begin in 2000; 1970 is a clock that was never set."""
MAX_DT_NS: Final = 10**9
ANY_TIME_NS: Final = 1 << 62
"""The time of a reader to whom a record is right whenever it was: it reads what was looked at before."""
_DAY_NS: Final = 86_400 * 10**9
_U32: Final = 1 << 32
_INT16_LE_TAG: Final = 77
"""RFC 8746, table 1: sint16, little endian."""


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Evenly spaced samples of specific force, in sensor axes.

    Attributes
    ----------
    t0_ns, dt_ns
        UTC nanoseconds of the first sample and the spacing; sample `i` is at ``t0_ns + i * dt_ns``.
    scale_g
        g for one count.
    xyz
        int16, shape (n, 3), counts.
    clock_error_ns
        How far `t0_ns` may be from the truth, when known.
    """

    device: str
    placement: Placement
    boot: int
    seq: int
    t0_ns: int
    dt_ns: int
    scale_g: float
    xyz: NDArray[np.int16]
    clock_error_ns: int | None = None
    battery_pct: int | None = None
    rssi_dbm: int | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.xyz)

    @property
    def end_ns(self) -> int:
        """End of the interval ``[t0, end)`` that the batch covers."""
        return self.t0_ns + self.n * self.dt_ns

    def times_ns(self) -> NDArray[np.int64]:
        """UTC nanoseconds of each sample, shape (n,)."""
        return self.t0_ns + self.dt_ns * np.arange(self.n, dtype=np.int64)

    def xyz_g(self) -> NDArray[np.float64]:
        """Specific force in g, shape (n, 3)."""
        return self.xyz.astype(np.float64) * self.scale_g


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch ``[start_ns, end_ns)`` in which samples are known to be missing, and why.

    A gap with `from_seq` stands for the records ``from_seq`` to ``seq``, which will never come.
    """

    device: str
    placement: Placement
    boot: int
    seq: int
    start_ns: int
    end_ns: int
    reason: str
    from_seq: int | None = None


_Map = dict[str, Any]
Record = SampleBatch | Gap


def encode(record: Record) -> bytes:
    """Write a record as the bytes that travel and that the outbox keeps."""
    common = {
        "v": SCHEMA_VERSION,
        "device": record.device,
        "placement": str(record.placement),
        "boot": record.boot,
        "seq": record.seq,
    }
    if isinstance(record, Gap):
        rest: dict[str, Any] = {
            "kind": "gap",
            "start_ns": record.start_ns,
            "end_ns": record.end_ns,
            "reason": record.reason,
        }
        if record.from_seq is not None:
            rest["from_seq"] = record.from_seq
        return cbor2.dumps(common | rest)
    rest = {
        "kind": "samples",
        "t0_ns": record.t0_ns,
        "dt_ns": record.dt_ns,
        "n": record.n,
        "scale": record.scale_g,
        "xyz": cbor2.CBORTag(_INT16_LE_TAG, record.xyz.astype("<i2").tobytes()),
    }
    extras = {"clock_error_ns": record.clock_error_ns, "battery": record.battery_pct, "rssi": record.rssi_dbm}
    rest |= {key: value for key, value in extras.items() if value is not None}
    return cbor2.dumps(common | rest)


def decode(payload: bytes, *, now_ns: int) -> Record:
    """Read a record and check all that can be checked without knowing what came before.

    Parameters
    ----------
    payload
        The bytes of one message.
    now_ns
        The reader's UTC time; a record from more than a day ahead of it is refused. `ANY_TIME_NS` refuses none.

    Raises
    ------
    WireError
        With reason ``size``, ``cbor``, ``schema``, ``field``, ``absurd-time`` or ``absurd-value``.
    """
    if len(payload) > MAX_RECORD_BYTES:
        raise WireError("size", f"a record of {len(payload)} bytes is over the limit of {MAX_RECORD_BYTES}")
    fields = _read_map(payload)
    version = fields.get("v")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise WireError("schema", f"a record of schema version {version!r} is not version {SCHEMA_VERSION}")
    device, placement = fields.get("device"), fields.get("placement")
    if not isinstance(device, str) or not is_id(device):
        raise WireError("field", f"'device' is {_short(device)}, not an id")
    if not isinstance(placement, str) or placement not in set(Placement):
        raise WireError("field", f"'placement' is {_short(placement)}, not one of {', '.join(Placement)}")
    head = (device, Placement(placement), _integer(fields, "boot", 0, _U32), _integer(fields, "seq", 0, _U32))
    match fields.get("kind"):
        case "samples":
            return _read_samples(fields, head, now_ns)
        case "gap":
            start_ns, end_ns = _time(fields, "start_ns", now_ns), _time(fields, "end_ns", now_ns)
            reason = fields.get("reason")
            if not isinstance(reason, str) or len(reason) > 64 or end_ns < start_ns:
                raise WireError("field", f"a gap of {end_ns - start_ns} ns for {_short(reason)} makes no sense")
            return Gap(*head, start_ns, end_ns, reason, _optional(fields, "from_seq", 0, head[3] + 1))
        case kind:
            raise WireError("field", f"'kind' is {_short(kind)}, neither 'samples' nor 'gap'")


def check_time(key: str, time_ns: int, now_ns: int) -> None:
    """Check that something can have happened at a time (UTC nanoseconds), as told at `now_ns`.

    Raises
    ------
    WireError
        With reason ``absurd-time``, if it was before 1999, or will be more than a day ahead.
    """
    if not EARLIEST_NS <= time_ns <= now_ns + _DAY_NS:
        raise WireError("absurd-time", f"{key!r} is before 1999 or more than a day ahead")


def _read_map(payload: bytes) -> _Map:
    try:
        stream = io.BytesIO(payload)
        fields = cbor2.load(stream)
        rest = stream.read(1)
    except Exception as error:  # a reader of foreign bytes: whatever the library raises means "not CBOR of ours"
        raise WireError("cbor", f"not readable as CBOR ({type(error).__name__})") from error
    if rest or not isinstance(fields, dict):
        raise WireError("cbor", "not one CBOR map")
    return fields


def _read_samples(fields: _Map, head: tuple[str, Placement, int, int], now_ns: int) -> SampleBatch:
    n = _integer(fields, "n", 1, MAX_SAMPLES + 1)
    dt_ns = _integer(fields, "dt_ns", 1, MAX_DT_NS + 1)
    t0_ns = _time(fields, "t0_ns", now_ns)
    scale_g, packed = fields.get("scale"), fields.get("xyz")
    if not isinstance(scale_g, float) or not 0.0 < scale_g < 1.0:
        raise WireError("field", f"'scale' is {_short(scale_g)}, not g for one count")
    if not isinstance(packed, cbor2.CBORTag) or packed.tag != _INT16_LE_TAG or not isinstance(packed.value, bytes):
        raise WireError("field", "'xyz' is not an int16 array (RFC 8746 tag 77)")
    if len(packed.value) != 6 * n:
        raise WireError("field", f"'xyz' has {len(packed.value)} bytes where {n} samples take {6 * n}")
    xyz = np.frombuffer(packed.value, dtype="<i2").reshape(n, 3)
    if float(np.abs(xyz.astype(np.int32)).max()) * scale_g > MAX_ABS_G:
        raise WireError("absurd-value", f"a sample beyond {MAX_ABS_G:g} g")
    return SampleBatch(
        *head,
        t0_ns,
        dt_ns,
        scale_g,
        xyz,
        clock_error_ns=_optional(fields, "clock_error_ns", 0, 1 << 62),
        battery_pct=_optional(fields, "battery", 0, 101),
        rssi_dbm=_optional(fields, "rssi", -128, 128),
    )


def _integer(fields: _Map, key: str, low: int, high: int) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < high:
        raise WireError("field", f"{key!r} is {_short(value)}, not a whole number in [{low}, {high})")
    return value


def _optional(fields: _Map, key: str, low: int, high: int) -> int | None:
    return None if fields.get(key) is None else _integer(fields, key, low, high)


def _time(fields: _Map, key: str, now_ns: int) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WireError("field", f"{key!r} is {_short(value)}, not UTC nanoseconds")
    check_time(key, value, now_ns)
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
