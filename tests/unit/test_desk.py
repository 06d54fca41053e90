"""Promise: what of a patient's messages brought nothing is written by reason, once a minute, if it changed."""

from __future__ import annotations

from processing.desk import REPORT_NS, Desk
from processing.metrics import check
from processing.patient import Patient

T0_NS = 1_760_000_000 * 10**9


def faults(desk: Desk) -> dict[str, int]:
    points = desk.patient.commit().points
    desk.patient.stored()
    for point in points:
        check(point)
        assert (point.measurement, point.fields["stage"], point.tags) == (
            "fault", "core", {"patient": "p-1", "device": ""},
        )  # fmt: skip
    assert len({point.time_ns for point in points}) == len(points)
    return {str(point.fields["reason"]): int(point.fields["count"]) for point in points}


def test_counts_are_written_by_reason_once_a_minute_and_only_when_they_changed() -> None:
    desk = Desk(Patient("p-1"))
    desk.report(T0_NS)
    assert faults(desk) == {}
    desk.counts.update({"late": 2, "cbor": 1})
    desk.report(T0_NS)
    assert faults(desk) == {}, "not at once: a minute's counts go together"
    desk.report(T0_NS + REPORT_NS)
    assert faults(desk) == {"late": 2, "cbor": 1}
    desk.counts["duplicate"] += 7
    desk.report(T0_NS + REPORT_NS + 1)
    assert faults(desk) == {}
    desk.report(T0_NS + 2 * REPORT_NS)
    assert faults(desk) == {"duplicate": 7}
    desk.report(T0_NS + 9 * REPORT_NS)
    assert faults(desk) == {}
