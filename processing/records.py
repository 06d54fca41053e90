"""What a record says beside its samples: gaps, and how the wearable is."""

from __future__ import annotations

from collections.abc import Mapping

from processing.metrics import MEASUREMENTS, Point, Value
from processing.samples import Block
from spineclip.contract.messages import Event
from spineclip.contract.wire import Gap, SampleBatch


def block(batch: SampleBatch) -> Block:
    """Return a batch's samples with their times."""
    return Block(batch.times_ns(), batch.xyz_g())


def gap_point(gap: Gap, patient: str) -> Point:
    """Write a gap as it was reported."""
    fields: dict[str, Value] = {"dur_s": (gap.end_ns - gap.start_ns) / 1e9, "reason": gap.reason}
    return Point("gap", gap.start_ns, {"patient": patient, "device": gap.device}, fields)


def event_point(event: Event, patient: str) -> Point | None:
    """Write what a collector reports of a wearable (``device``) or itself (``fault``); None if there is nothing."""
    known = MEASUREMENTS.get(event.kind)
    if event.kind not in ("device", "fault") or known is None:
        return None
    fields = {
        name: value
        for name, told in event.detail.items()
        if name in known.fields and (value := _fitting(told, known.fields[name].kind)) is not None
    }
    if not fields:
        return None
    return Point(event.kind, event.time_ns, {"patient": patient, "device": event.device}, fields)


def fault(patient: str, device: str, time_ns: int, detail: Mapping[str, Value]) -> Point:
    """Write a fault of the core's own."""
    return Point("fault", time_ns, {"patient": patient, "device": device}, {"stage": "core", **detail})


def _fitting(value: Value, kind: type) -> Value | None:
    if type(value) is kind:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return None
