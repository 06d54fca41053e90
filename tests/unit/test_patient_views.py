"""Promise: the page says what is known, says plainly what is not, and never calls a thinly measured day a failure."""

from __future__ import annotations

import datetime as dt
import re
import string
import zoneinfo
from typing import Any

import pytest

from dashboards.patient import markup
from dashboards.patient.clip import clip_view
from dashboards.patient.feed import STALE_S, LatestFeed, Received
from dashboards.patient.figure import Figure
from dashboards.patient.fortnight import DAYS, Verdict, fortnight_view
from dashboards.patient.now import NowView, now_view, sitting_view, walking_view
from dashboards.patient.today import MISSING, Reel
from dashboards.words import LANGUAGES, Words, messages
from processing.epochs import Posture, State
from processing.metrics import Point
from spineclip.contract.clock import DrivenClock
from spineclip.contract.days import SECOND_NS, day_start_ns
from spineclip.contract.live import Live
from spineclip.contract.placement import Placement

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
T0 = 1_760_000_000 * 10**9
WORDS = Words("en")


def _live(**changes: Any) -> Live:
    fields: dict[str, Any] = {
        "time_ns": T0,
        "state": "sitting",
        "posture": "upright",
        "confidence": 0.9,
        "oriented": True,
        "state_since_ns": T0 - 90 * 10**9,
        "sedentary_s": 1200.0,
        "slouched_s": 0.0,
        "walking_min": 4.0,
        "goal_walking_min": 20.0,
        "flexion_deg": 12.4,
        "lateral_deg": 0.0,
    }
    return Live(**{**fields, **changes})


def _seen(age_s: float = 0.2, **changes: Any) -> Received:
    return Received(_live(**changes), age_s)


class TestNow:
    def test_says_state_posture_duration_and_tilt(self) -> None:
        view = now_view(_seen(), WORDS)
        assert view.headline == "Sitting tall"
        assert view.facts == ("for 1 min", "12° forward")
        assert view.figure == Figure("sitting", 12.4, 0.0)

    @pytest.mark.parametrize("state", list(State))
    @pytest.mark.parametrize("posture", list(Posture))
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_state_and_posture_has_words_and_a_drawing(self, state: str, posture: str, language: str) -> None:
        view = now_view(_seen(state=str(state), posture=str(posture)), Words(language))
        assert view.headline
        assert view.figure.svg.startswith("<svg")

    def test_unknown_is_not_guessed(self) -> None:
        view = now_view(_seen(state="unknown", oriented=False), WORDS)
        assert view.headline == "Not sure yet"
        assert not view.figure.sure
        assert view.facts == ()

    def test_a_state_from_a_newer_core_is_not_guessed_either(self) -> None:
        assert now_view(_seen(state="swimming"), WORDS).headline == "Not sure yet"

    def test_no_angle_is_shown_before_the_clip_is_oriented(self) -> None:
        view = now_view(_seen(oriented=False, posture="unknown"), WORDS)
        assert view.figure.flexion_deg is None
        assert not any("°" in fact for fact in view.facts)

    @pytest.mark.parametrize(("flexion_deg", "shown"), [(15.0, True), (16.0, False), (-70.0, False)])
    def test_nobody_reads_of_standing_tall_and_far_back(self, flexion_deg: float, *, shown: bool) -> None:
        view = now_view(_seen(state="standing", posture="upright", flexion_deg=flexion_deg), WORDS)
        assert any("°" in fact for fact in view.facts) is shown
        assert view.figure.flexion_deg == (flexion_deg if shown else None)
        slouched = now_view(_seen(posture="slouched", flexion_deg=40.0), WORDS)
        assert slouched.figure.flexion_deg == 40.0

    def test_a_body_last_heard_of_long_ago_is_not_shown_as_the_present_one(self) -> None:
        view = now_view(_seen(age_s=STALE_S + 1), WORDS)
        assert view.headline == "No signal from your clip"
        assert not view.figure.sure

    def test_before_the_first_message_it_waits(self) -> None:
        assert now_view(None, WORDS).headline == "Waiting for your clip"


class TestWalkingAndSitting:
    @pytest.mark.parametrize(
        ("minutes", "share", "sentence"),
        [
            (0.0, 0.0, "walking.none_yet"),
            (10.0, 0.5, "walking.under_way"),
            (18.5, 0.925, "walking.nearly"),
            (20.0, 1.0, "walking.met"),
            (90.0, 1.0, "walking.met"),
        ],
    )
    def test_walking_against_the_goal(self, minutes: float, share: float, sentence: str) -> None:
        view = walking_view(minutes, 20.0, WORDS)
        assert view.share == pytest.approx(share)
        assert view.sentence == WORDS(sentence, left=2 if "nearly" in sentence else 10)

    def test_not_known_is_not_zero(self) -> None:
        assert walking_view(None, 20.0, WORDS).minutes is None
        assert sitting_view(None, 45.0, WORDS).minutes is None
        assert sitting_view(_seen(state="not_worn"), 45.0, WORDS).minutes is None

    def test_nineteen_and_a_half_minutes_are_not_twenty(self) -> None:
        view = walking_view(19.6, 20.0, WORDS)
        assert view.minutes == 19
        assert view.share < 1.0

    def test_sitting_against_the_limit(self) -> None:
        assert sitting_view(_seen(), 45.0, WORDS).sentence == WORDS("sitting.ok", left=25)
        assert sitting_view(_seen(sedentary_s=2700.0), 45.0, WORDS).sentence == WORDS("sitting.due")

    def test_who_has_just_sat_down_is_not_told_to_be_up(self) -> None:
        assert sitting_view(_seen(sedentary_s=0.0), 45.0, WORDS).sentence == WORDS("sitting.ok", left=45)
        up = sitting_view(_seen(state="standing", sedentary_s=0.0), 45.0, WORDS)
        assert up.sentence == WORDS("sitting.not_sitting")


class TestToday:
    START = day_start_ns(dt.date(2026, 3, 28), BERLIN)
    END = START + 86_400 * SECOND_NS

    def _points(self, start_s: int, end_s: int, state: str) -> list[Point]:
        times = range(self.START + start_s * 10**9, self.START + end_s * 10**9, 5 * 10**9)
        return [Point("activity", t, {"patient": "p"}, {"state": state}) for t in times]

    def test_stretches_have_no_holes_and_name_what_is_missing(self) -> None:
        reel = Reel(self.START, self.END)
        reel.add(self._points(8 * 3600, 8 * 3600 + 600, "sitting"))
        reel.add(self._points(8 * 3600 + 1200, 8 * 3600 + 1800, "walking"))
        view = reel.view()
        assert [s.state for s in view.stretches] == ["sitting", MISSING, "walking"]
        assert all(a.end_ns == b.start_ns for a, b in zip(view.stretches, view.stretches[1:], strict=False))
        assert view.totals_s == {"sitting": 600.0, "walking": 600.0}

    def test_an_amended_point_replaces_the_old_one(self) -> None:
        reel = Reel(self.START, self.END)
        reel.add(self._points(3600, 4200, "unknown"))
        reel.add(self._points(3600, 4200, "walking"))
        assert reel.view().totals_s == {"walking": 600.0}

    def test_a_night_without_the_clip_does_not_squeeze_the_day(self) -> None:
        reel = Reel(self.START, self.END)
        reel.add(self._points(0, 7 * 3600, "not_worn"))
        reel.add(self._points(7 * 3600, 8 * 3600, "sitting"))
        view = reel.view()
        assert view.start_ns == self.START + 6 * 3600 * SECOND_NS
        assert view.end_ns == self.START + 22 * 3600 * SECOND_NS

    def test_points_of_another_day_are_not_shown(self) -> None:
        reel = Reel(self.START, self.END)
        reel.add(self._points(-600, 0, "walking"))
        assert reel.view().stretches == ()


class TestFortnight:
    TODAY = dt.date(2026, 11, 21)

    def _daily(self, back: int, **fields: Any) -> Point:
        date = self.TODAY - dt.timedelta(days=back)
        return Point("daily", day_start_ns(date, BERLIN), {"patient": "p"}, {"date": date.isoformat(), **fields})

    def test_fourteen_days_end_with_today(self) -> None:
        view = fortnight_view([], self.TODAY)
        assert len(view.days) == DAYS
        assert view.days[-1].date == self.TODAY
        assert view.days[0].date == dt.date(2026, 11, 8)

    def test_a_thin_day_is_neither_met_nor_failed(self) -> None:
        view = fortnight_view(
            [
                self._daily(0, walking_min=25.0, goal_walking_min=20.0, enough_data=True, met_walking=True),
                self._daily(1, walking_min=5.0, goal_walking_min=20.0, enough_data=True, met_walking=False),
                self._daily(2, walking_min=1.0, goal_walking_min=20.0, enough_data=False),
            ],
            self.TODAY,
        )
        assert [day.verdict for day in view.days[-4:]] == [Verdict.NONE, Verdict.THIN, Verdict.SOME, Verdict.MET]
        assert (view.met, view.judged) == (1, 2)

    def test_a_day_that_has_only_begun_is_not_judged(self) -> None:
        view = fortnight_view([self._daily(0, walking_min=1.0, goal_walking_min=20.0, enough_data=False)], self.TODAY)
        assert view.days[-1].verdict is Verdict.SO_FAR
        assert view.judged == 0

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_who_has_no_walking_goal_has_missed_none(self, language: str) -> None:
        """A goal of 0 is no goal: nobody is told of reaching it on 0 days."""
        days = [self._daily(back, walking_min=12.0 + back, enough_data=True) for back in range(5)]
        view = fortnight_view(days, self.TODAY)
        assert (view.met, view.judged) == (0, 0)
        html = markup.fortnight_html(view, Words(language))
        assert "<em>12</em>" in html, "what was walked is shown all the same"
        assert not re.search(
            r"goal|ziel|&amp;|\b0 ", re.sub(r"<div class=.*?</div>|class=\S+", "", html), re.IGNORECASE
        )


class TestClip:
    def _device(self, **fields: Any) -> Point:
        return Point("device", T0, {"patient": "p", "device": "d"}, fields)

    def test_a_low_battery_is_told_before_it_is_empty(self) -> None:
        assert clip_view(self._device(battery_pct=15.0), _seen(), WORDS).sentence == WORDS("clip.charge")
        assert clip_view(self._device(battery_pct=16.0), _seen(), WORDS).sentence == ""

    def test_the_newest_battery_holds(self) -> None:
        assert ("Battery", "80 %") in clip_view(self._device(battery_pct=20.0), _seen(battery_pct=80), WORDS).facts

    @pytest.mark.parametrize(("dbm", "said"), [(-75.0, "good"), (-76.0, "fair"), (-90.0, "fair"), (-91.0, "weak")])
    def test_signal_in_words(self, dbm: float, said: str) -> None:
        assert ("Signal", said) in clip_view(self._device(rssi_dbm=dbm), _seen(), WORDS).facts

    def test_the_signal_of_a_silent_clip_is_not_told(self) -> None:
        facts = dict(clip_view(self._device(rssi_dbm=-50.0), _seen(age_s=STALE_S + 1), WORDS).facts)
        assert facts == {"Connection": "not heard right now"}

    @pytest.mark.parametrize("placement", list(Placement))
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_place_has_a_name(self, placement: Placement, language: str) -> None:
        assert len(clip_view(self._device(placement=str(placement)), None, Words(language)).facts) == 2
        assert clip_view(self._device(placement=str(placement)), None, Words(language)).how_to_wear

    def test_nothing_heard_yet(self) -> None:
        assert clip_view(None, None, WORDS).sentence == "No clip has been heard yet."


class TestWords:
    def test_every_language_says_the_same_things_with_the_same_names(self) -> None:
        def names(text: str) -> set[str]:
            return {name for _, name, _, _ in string.Formatter().parse(text) if name}

        english = messages("en")
        for language in LANGUAGES:
            table = messages(language)
            assert table.keys() == english.keys()
            for key, text in table.items():
                assert names(text) == names(english[key]), f"{language}: {key}"

    def test_no_message_promises_what_a_medical_device_would(self) -> None:
        forbidden = ("treat", "diagnos", "prevent", "risk", "heil", "behandl", "vorbeug", "risiko")
        for language in LANGUAGES:
            for key, text in messages(language).items():
                assert not any(re.search(rf"\b{word}", text.lower()) for word in forbidden), f"{language}: {key}"

    def test_an_unknown_language_reads_english(self) -> None:
        assert Words("xx")("page.now") == "Now"

    @pytest.mark.parametrize(("seconds", "said"), [(59, "59 s"), (60, "1 min"), (3599, "59 min"), (3660, "1 h 1 min")])
    def test_durations(self, seconds: float, said: str) -> None:
        assert WORDS.duration(seconds) == said


class TestFeed:
    def test_late_messages_do_not_turn_back_time(self) -> None:
        clock = DrivenClock()
        feed = LatestFeed(clock)
        feed.put("p", _live(time_ns=T0))
        feed.put("p", _live(time_ns=T0 - 10**9, state="walking"))
        received = feed.latest("p")
        assert received is not None
        assert received.live.state == "sitting"

    def test_a_clock_set_back_does_not_freeze_the_page(self) -> None:
        clock = DrivenClock()
        feed = LatestFeed(clock)
        feed.put("p", _live(time_ns=T0))
        clock.advance(STALE_S + 1)
        feed.put("p", _live(time_ns=T0 - 3600 * 10**9, state="walking"))
        received = feed.latest("p")
        assert received is not None
        assert (received.live.state, received.age_s) == ("walking", 0.0)


def test_the_figure_bends_as_measured_and_never_breaks() -> None:
    assert "--low: 20deg; --up: 0deg" in Figure("sitting", flexion_deg=20.0).css
    assert "--low: 100deg" in Figure("standing", flexion_deg=170.0).css
    rounded = Figure("sitting", flexion_deg=20.0, round_back=True).css
    assert "--low: -7deg; --up: 27deg" in rounded  # the chest still stands at 20 degrees


def test_markup_escapes_what_it_is_given() -> None:
    evil = "<script>alert(1)</script>"
    view = NowView(evil, evil, (evil,), Figure("sitting"), "sitting")
    written = markup.headline_html(view) + markup.now_html(view)
    assert "<script>" not in written
    assert written.count("&lt;script&gt;") == 3


@pytest.mark.parametrize(("posture", "says"), [("leaning_left", False), ("leaning_right", False), ("upright", True)])
def test_who_leans_sideways_is_not_called_straight(posture: str, says: bool) -> None:
    view = now_view(Received(_live(posture=posture, flexion_deg=1.0), 1.0), WORDS)
    assert (WORDS("now.straight") in view.facts) is says
