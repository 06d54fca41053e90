"""Promise: the newest records tell the present while older ones wait, and leave no trace in what is stored."""

from __future__ import annotations

from processing.patient import Patient
from spineclip.contract.live import Live
from tests.system.collecting import T0_NS, day_of_somebody

NS = 10**9


def test_the_newest_records_tell_the_present_and_leave_no_trace() -> None:
    day = day_of_somebody(400)
    patient, untouched = Patient("p-1"), Patient("p-1")
    for record in day[:20]:
        patient.take(record, now_s=0.0)
        untouched.take(record, now_s=0.0)
    seen = [live for record in day[390:] if (live := patient.look(record)) is not None]
    assert seen, "ten seconds are enough to say something"
    assert seen[-1].time_ns >= T0_NS + 395 * NS
    past = patient.take(day[20], now_s=0.0).live
    untouched.take(day[20], now_s=0.0)
    assert past is not None
    assert not patient.is_present(past), "a minute of long ago is not shown as the present"
    assert patient.is_present(seen[-1])
    assert patient.commit() == untouched.commit()


def test_where_the_past_is_worked_off_nothing_is_looked_at_ahead() -> None:
    day = day_of_somebody(50)
    patient = Patient("p-1")
    shown: list[Live | None] = []
    live: Live | None = None
    for k, record in enumerate(day[:40]):
        live = patient.take(record, now_s=0.0).live or live
        shown.append(patient.look(day[k + 1]))
    assert not any(shown)
    assert live is not None
    assert patient.is_present(live)


def test_once_caught_up_the_records_in_order_tell_the_present_again() -> None:
    day = day_of_somebody(80)
    patient = Patient("p-1")
    for record in day[:20]:
        patient.take(record, now_s=0.0)
    ahead = [patient.look(record) for record in day[60:70]]
    assert ahead[-1] is not None
    present = []
    for record in day[20:70]:
        live = patient.take(record, now_s=0.0).live
        present += [] if live is None else [patient.is_present(live)]
    assert not any(present[:40]), "the past is not shown while something newer is"
    assert patient.look(day[70]) is None
    newest = patient.take(day[70], now_s=0.0).live
    assert newest is not None
    assert patient.is_present(newest)
