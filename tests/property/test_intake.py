"""Promises of the intake against a model: each record once and in order, nothing skipped without a gap that says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from processing.intake import (
    ASK_AFTER_S,
    GIVE_UP_BOOT_S,
    GIVE_UP_S,
    HELD_MAX,
    REASON_LOST,
    Intake,
    IntakeState,
    Verdict,
)
from spineclip.contract.messages import Resend, Stored
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch

SECOND = 10**9
T0 = 1_700_000_000 * SECOND
XYZ = np.zeros((50, 3), dtype=np.int16)


def batch(seq: int, boot: int = 1, device: str = "clip", at: int | None = None) -> SampleBatch:
    """The second number `at` (the record's own number by default)."""
    t0_ns = T0 + (seq if at is None else at) * SECOND
    return SampleBatch(device, Placement.BELT, boot, seq, t0_ns, 20_000_000, 1 / 2048, XYZ)


def restart(boot: int, start: int, end: int) -> Gap:
    """The gap that a collector's new boot begins with."""
    return Gap("clip", Placement.BELT, boot, 0, T0 + start * SECOND, T0 + end * SECOND, "restart")


def keys(records: list[Record]) -> list[tuple[int, int]]:
    return [(record.boot, record.seq) for record in records]


@given(st.permutations(range(24)), st.lists(st.integers(0, 23), max_size=30))
def test_any_order_within_the_window_and_any_repetition_is_the_same(order: list[int], again: list[int]) -> None:
    intake = Intake()
    out: list[Record] = []
    for seq in order + again:
        out += intake.take(batch(seq), 0.0)[1]
    assert keys(out) == [(1, seq) for seq in range(24)]
    assert intake.held == 0
    assert intake.counts[Verdict.DUPLICATE] == len(again)
    assert intake.state.ack().stored == {"clip": Stored(1, 23)}


def test_what_became_of_a_record_is_told() -> None:
    intake = Intake()
    verdicts = [intake.take(batch(seq), 0.0)[0] for seq in (0, 2, 1, 2, 3)]
    assert verdicts == [Verdict.TAKEN, Verdict.HELD, Verdict.TAKEN, Verdict.DUPLICATE, Verdict.TAKEN]
    assert intake.counts == {Verdict.TAKEN: 3, Verdict.HELD: 1, Verdict.DUPLICATE: 1}


def test_a_hole_is_asked_for_and_filled() -> None:
    intake = Intake()
    for seq in (0, 1, 5, 6):
        intake.take(batch(seq), 10.0)
    assert intake.due(10.0 + ASK_AFTER_S[0] - 0.01) == ([], [])
    assert intake.due(10.0 + ASK_AFTER_S[0]) == ([Resend("clip", 1, 2, 4)], [])
    assert intake.due(10.0 + ASK_AFTER_S[0]) == ([], [])
    assert intake.due(10.0 + ASK_AFTER_S[1])[0] == [Resend("clip", 1, 2, 4)]
    assert keys(intake.take(batch(2), 13.0)[1]) == [(1, 2)]
    assert intake.due(13.0 + ASK_AFTER_S[0])[0] == [Resend("clip", 1, 3, 4)]
    intake.take(batch(4), 14.0)
    assert keys(intake.take(batch(3), 14.0)[1]) == [(1, 3), (1, 4), (1, 5), (1, 6)]
    assert intake.due(1000.0) == ([], [])


def test_a_hole_of_a_single_record_is_asked_for_as_often_as_any() -> None:
    intake = Intake()
    intake.take(batch(0), 10.0)
    intake.take(batch(2), 10.0)
    asked = [intake.due(10.0 + after_s)[0] for after_s in ASK_AFTER_S]
    assert asked == [[Resend("clip", 1, 1, 1)]] * len(ASK_AFTER_S)
    assert intake.due(10.0 + ASK_AFTER_S[-1] + 1.0) == ([], []), "then it is only waited for"


def test_a_hole_without_progress_is_given_up_as_a_gap_that_says_how_long() -> None:
    intake = Intake()
    for seq in (0, 1, 5, 6):
        intake.take(batch(seq), 10.0)
    assert intake.due(10.0 + GIVE_UP_S - 0.1)[1] == []
    _, freed = intake.due(10.0 + GIVE_UP_S)
    assert keys(freed) == [(1, 4), (1, 5), (1, 6)]
    gap = freed[0]
    assert isinstance(gap, Gap)
    assert (gap.start_ns, gap.end_ns, gap.reason, gap.from_seq) == (T0 + 2 * SECOND, T0 + 5 * SECOND, REASON_LOST, 2)
    assert intake.take(batch(3), 50.0) == (Verdict.LATE, [])
    assert intake.take(batch(1), 50.0) == (Verdict.DUPLICATE, [])


def test_a_gap_that_stands_for_dropped_records_fills_their_place() -> None:
    intake = Intake()
    intake.take(batch(0), 0.0)
    stands = Gap("clip", Placement.BELT, 1, 7, T0 + SECOND, T0 + 8 * SECOND, "outbox-full", from_seq=1)
    assert keys(intake.take(stands, 0.0)[1]) == [(1, 7)]
    assert keys(intake.take(batch(8), 0.0)[1]) == [(1, 8)]


def test_a_new_boot_that_begins_where_the_old_one_ended_is_taken_at_once() -> None:
    intake = Intake()
    for seq in range(3):
        intake.take(batch(seq), 0.0)
    assert keys(intake.take(restart(2, 3, 9), 0.0)[1]) == [(2, 0)]
    assert keys(intake.take(batch(1, boot=2, at=9), 0.0)[1]) == [(2, 1)]
    assert intake.take(batch(2), 0.0)[0] is Verdict.DUPLICATE
    assert intake.state.ack().stored == {"clip": Stored(2, 1)}


@pytest.mark.parametrize(("start", "end", "left"), [(6, 9, [(6, 9)]), (3, 9, [(6, 9)]), (1, 6, []), (1, 7, [(6, 7)])])
def test_of_a_gap_only_what_nobody_has_covered_is_handed_on(start: int, end: int, left: list[tuple[int, int]]) -> None:
    """Another collector had the wearable until second 6; the first one begins anew and names all since it stopped."""
    intake = Intake()
    for seq in range(6):
        intake.take(batch(seq), 0.0)
    verdict, ready = intake.take(restart(2, start, end), 0.0)
    gaps = [((one.start_ns - T0) // SECOND, (one.end_ns - T0) // SECOND) for one in ready if isinstance(one, Gap)]
    assert (verdict, gaps) == (Verdict.TAKEN, left)
    assert intake.state.ack().stored == {"clip": Stored(2, 0)}


def test_of_ever_so_many_holes_the_newest_may_still_be_filled() -> None:
    intake = Intake()
    for seq in range(0, 80, 2):
        intake.take(batch(seq), 100.0 * seq)
        intake.due(100.0 * seq + GIVE_UP_S)
    kept = intake.given_up("clip")
    assert [(lost.first, lost.last) for lost in kept] == [(seq, seq) for seq in range(79 - 2 * len(kept), 78, 2)]
    assert len(kept) == 16, "which a checkpoint has room for"
    assert intake.take(batch(77), 10_000.0)[0] is Verdict.LATE
    assert intake.take(batch(1), 10_000.0)[0] is Verdict.DUPLICATE, "nobody knows any more what of it is missing"


def test_a_new_boot_waits_for_the_end_of_the_old_one() -> None:
    intake = Intake()
    intake.take(batch(0), 0.0)
    assert intake.take(restart(2, 3, 9), 0.0) == (Verdict.HELD, [])
    assert intake.state.ack().stored == {"clip": Stored(1, 0)}
    assert intake.due(ASK_AFTER_S[0])[0] == [Resend("clip", 1, 1, (1 << 32) - 1)]
    intake.take(batch(1), 1.0)
    assert keys(intake.take(batch(2), 1.0)[1]) == [(1, 2), (2, 0)]


def test_a_new_boot_does_not_wait_for_ever() -> None:
    intake = Intake()
    intake.take(batch(0), 0.0)
    intake.take(batch(0, boot=9, at=100), 0.0)
    assert intake.due(GIVE_UP_BOOT_S - 0.1)[1] == []
    gap, first = intake.due(GIVE_UP_BOOT_S)[1]
    assert first == batch(0, boot=9, at=100)
    assert isinstance(gap, Gap)
    assert (gap.start_ns, gap.end_ns) == (T0 + SECOND, T0 + 100 * SECOND), "what is between them is missing"
    assert intake.take(batch(1), 20.0) == (Verdict.LATE, []), "and may still come"


def test_a_stranger_that_begins_in_the_middle_is_asked_for_its_beginning() -> None:
    intake = Intake()
    assert intake.take(batch(57), 0.0)[0] is Verdict.HELD
    assert intake.due(ASK_AFTER_S[0])[0] == [Resend("clip", 1, 0, 56)]
    assert keys(intake.due(GIVE_UP_S)[1]) == [(1, 57)]


def test_a_stranger_that_begins_with_a_restart_may_have_more_to_tell() -> None:
    intake = Intake()
    assert intake.take(restart(2, 1, 9), 0.0)[0] is Verdict.HELD
    assert intake.due(ASK_AFTER_S[0]) == ([], [])  # of a boot that nobody knows nothing can be asked
    assert keys(intake.take(batch(0), 1.0)[1]) == [(1, 0), (2, 0)]
    alone = Intake()
    alone.take(restart(2, 1, 9), 0.0)
    assert keys(alone.due(GIVE_UP_BOOT_S)[1]) == [(2, 0)]


def test_what_is_held_is_bounded_and_the_missing_one_still_gets_in() -> None:
    intake = Intake()
    intake.take(batch(0), 0.0)
    verdicts = [intake.take(batch(seq), 0.0)[0] for seq in range(2, HELD_MAX + 12)]
    assert verdicts.count(Verdict.DROPPED) == 10
    assert intake.held == HELD_MAX
    assert len(intake.take(batch(1), 0.0)[1]) == HELD_MAX + 1


class Delivery(RuleBasedStateMachine):
    """A collector that commits, a network that loses, repeats and reorders, a core that is killed and resumes."""

    @initialize()
    def start(self) -> None:
        self.committed: list[Record] = []
        self.boot, self.seq, self.at = 100, 0, 0
        self.intake = Intake()
        self.saved = IntakeState()
        self.kept: list[Record] = []
        self.fresh: list[Record] = []
        self.now_s = 0.0

    def _hand_on(self, records: list[Record]) -> None:
        self.fresh += records

    @rule(n=st.integers(1, 5))
    def commit(self, n: int) -> None:
        for _ in range(n):
            self.committed.append(batch(self.seq, self.boot, at=self.at))
            self.seq, self.at = self.seq + 1, self.at + 1

    @rule()
    def restart_collector(self) -> None:
        if self.seq:
            self.boot += 1
            self.committed.append(restart(self.boot, self.at, self.at + 3))
            self.seq, self.at = 1, self.at + 3

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        if self.committed:
            picked = data.draw(st.lists(st.integers(0, len(self.committed) - 1), max_size=8))
            for k in picked:
                self._hand_on(self.intake.take(self.committed[k], self.now_s)[1])

    @rule()
    def answer_what_is_asked(self) -> None:
        self.now_s += ASK_AFTER_S[0]
        asks, freed = self.intake.due(self.now_s)
        self._hand_on(freed)
        for ask in asks:
            for record in self.committed:
                if record.boot == ask.boot and ask.from_seq <= record.seq <= ask.through_seq:
                    self._hand_on(self.intake.take(record, self.now_s)[1])

    @rule()
    def store(self) -> None:
        self.saved, self.kept, self.fresh = self.intake.state, self.kept + self.fresh, []

    @rule()
    def kill_the_core(self) -> None:
        self.intake, self.fresh = Intake(self.saved), []

    @rule()
    def send_all_again(self) -> None:
        for record in self.committed:
            self._hand_on(self.intake.take(record, self.now_s)[1])
        assert self.kept + self.fresh == self.committed

    @invariant()
    def in_order_once_and_without_a_hole(self) -> None:
        if hasattr(self, "kept"):
            seen = self.kept + self.fresh
            assert seen == self.committed[: len(seen)]

    @invariant()
    def nothing_is_acknowledged_that_is_not_stored(self) -> None:
        if hasattr(self, "kept"):
            acked = self.saved.ack().stored
            last = (acked["clip"].boot, acked["clip"].through_seq) if acked else (0, 0)
            assert all((r.boot, r.seq) > last or any(r is k for k in self.kept) for r in self.committed)


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
