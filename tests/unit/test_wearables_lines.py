"""Promise: a wearable that prints text is described by a profile; text may be cut anywhere, and a lost piece costs only
the lines that it touches.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wearables.generic import PRESETS, GenericDecoder
from collector.wearables.lines import LONGEST_LINE
from collector.wearables.profile import Profile, parse_profile
from spineclip.contract.errors import SettingsError

JSON_TEXT = (PRESETS / "diy-text.yaml").read_text()
CSV_TEXT = """
kind: my-text
label: My clip
service: 5b1c0011-7370-696e-6563-6c6970000000
data: 5b1c0012-7370-696e-6563-6c6970000000
framing: lines
line: clip
fields: [{name: counter, type: u16}, {name: time, type: u64}]
time: {tick_ns: 1000}
samples: {type: f32, unit: mg}
rates: [{hz: 50}]
"""
JSON, CSV = parse_profile(JSON_TEXT, "diy-text.yaml"), parse_profile(CSV_TEXT, "mine.yaml")
# Twenty lines of two samples: x counts up in steps of 1/8 g, y and z stay.
ROWS = [[[(2 * k + i) / 8 - 2, 1.0, -0.5] for i in (0, 1)] for k in range(20)]
JSON_LINES = [f'{{"n":{k},"t":{20 * k},"a":{ROWS[k]}}}\r\n'.encode() for k in range(20)]
CSV_LINES = [
    f"clip,{k},{2**53 + 1 + k},{','.join(str(v * 1000) for row in ROWS[k] for v in row)}\n".encode() for k in range(20)
]


def _feed(
    profile: Profile, pieces: list[bytes]
) -> tuple[list[int | None], list[int | None], np.ndarray, dict[str, int]]:
    decoder = GenericDecoder(profile)
    found = [frame for piece in pieces for frame in decoder.feed(profile.data, piece)]
    xyz = [frame.counts * frame.scale_g for frame in found]
    return (
        [frame.counter for frame in found],
        [frame.tick for frame in found],
        np.concatenate(xyz) if xyz else np.empty((0, 3)),
        dict(decoder.rejects),
    )


def _cut(text: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("profile", [JSON, CSV], ids=["json", "csv"])
@given(cuts=st.lists(st.integers(0, 10_000), max_size=40))
def test_text_may_be_cut_anywhere(profile: Profile, cuts: list[int]) -> None:
    lines, first_tick, step = (JSON_LINES, 0, 20) if profile is JSON else (CSV_LINES, 2**53 + 1, 1)
    counters, ticks, xyz, rejects = _feed(profile, _cut(b"".join(lines), cuts))
    assert counters == list(range(20))
    assert ticks == [first_tick + step * k for k in range(20)]  # exact, where a float would not be
    np.testing.assert_allclose(xyz, np.concatenate(ROWS), atol=8 / 32_768)
    assert rejects == {}


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_a_lost_piece_costs_the_lines_that_it_touches(start: int, size: int) -> None:
    text = b"".join(JSON_LINES)
    start %= len(text)
    end = min(len(text), start + size)
    ends = np.cumsum([len(line) for line in JSON_LINES])
    touched = {k for k in range(20) if ends[k] - len(JSON_LINES[k]) < end and ends[k] > start}
    counters, _, _, rejects = _feed(JSON, [text[:start], text[end:]])
    # Text has no checksum: what is left of a cut line may pass for one, with other numbers. All others come as sent.
    whole = set(range(20)) - touched - {max(touched) + 1}
    assert [k for k in counters if k in whole and k > max(touched)] == [k for k in range(20) if k > max(touched) + 1]
    assert counters[: min(touched)] == list(range(min(touched)))
    assert sum(rejects.values()) <= 1


@pytest.mark.parametrize(
    ("line", "xyz_g"),
    [
        ('{"n":1,"t":2,"a":[0.5,1,-1]}', [[0.5, 1, -1]]),
        ('{"n":1,"t":2,"a":[0.5,1,-1,0.25,1,-1]}', [[0.5, 1, -1], [0.25, 1, -1]]),
        ('{"n":1,"t":2.0,"a":[[0.5,1,-1]],"more":null}', [[0.5, 1, -1]]),
    ],
)
def test_shapes_of_one_key(line: str, xyz_g: list[list[float]]) -> None:
    assert np.array_equal(_feed(JSON, [line.encode(), b"\n"])[2], xyz_g)


@pytest.mark.parametrize("values", ['"x":0.5,"y":1,"z":-1', '"x":[0.5],"y":[1],"z":[-1]'])
def test_three_keys(values: str) -> None:
    profile = parse_profile(JSON_TEXT.replace("keys: [a]", "keys: [x, y, z]"), "mine.yaml")
    assert np.array_equal(_feed(profile, [f'{{"n":1,"t":2,{values}}}\n'.encode()])[2], [[0.5, 1, -1]])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"n":1,"t":2,"a":[0.5,1', "not-json"),
        (b"[" * 3000, "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"17", "not-json"),
        (b'{"n":1,"a":[0,0,1]}', "missing-key"),
        (b'{"n":1.5,"t":2,"a":[0,0,1]}', "not-a-number"),
        (b'{"n":true,"t":2,"a":[0,0,1]}', "not-a-number"),
        (b'{"n":1,"t":2,"a":[0,0]}', "wrong-length"),
        (b'{"n":1,"t":2,"a":[]}', "wrong-length"),
        (b'{"n":1,"t":2,"a":[[0,0],[1,0,0,1]]}', "wrong-length"),
        (b'{"n":1,"t":2,"a":[[0,0,1],0,0,1]}', "wrong-length"),
        (b'{"n":1,"t":2,"a":[0,0,"1"]}', "not-a-number"),
        (b'{"n":1,"t":2,"a":[0,0,1' + b"0" * 400 + b"]}", "not-a-number"),
        (b'{"n":1,"t":2,"a":[0,0,NaN]}', "not-finite"),
        (b'{"n":1,"t":2,"a":[0,0,9999]}', "absurd-value"),
        (b'{"hello":1}', "other-line"),
        (b"x" * (LONGEST_LINE + 1), "line-too-long"),
    ],
)
def test_what_is_refused_is_counted_by_reason(line: bytes, reason: str) -> None:
    assert _feed(JSON, [line, b"\n"])[3] == {reason: 1}
    assert _feed(JSON, [line + b"\n"])[3] == {reason: 1}


def test_a_whole_number_may_be_written_with_a_point_or_an_exponent() -> None:
    counters, ticks, _, rejects = _feed(
        CSV, [b"clip,3.0,7e3,0,0,1000\n", b"clip,3.5,8e3,0,0,1000\n", b"clip,4,inf,0,0,1000\n"]
    )
    assert (counters, ticks, rejects) == ([3], [7000], {"not-a-number": 2})


def test_an_endless_line_is_dropped_up_to_its_end() -> None:
    decoder = GenericDecoder(JSON)
    for _ in range(3 * LONGEST_LINE // 100):
        assert decoder.feed(JSON.data, b"x" * 100) == []
    assert decoder.feed(JSON.data, JSON_LINES[0]) == []  # which ends it
    assert [frame.counter for frame in decoder.feed(JSON.data, JSON_LINES[1])] == [1]
    assert decoder.rejects == {"line-too-long": 1}


def test_a_line_may_tell_only_the_battery() -> None:
    (frame,) = GenericDecoder(JSON).feed(JSON.data, b'{"battery":81}\n')
    assert (frame.battery_pct, len(frame.counts)) == (81, 0)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("text: json", "text: xml", "'text' cannot be 'xml'. Input should be 'csv' or 'json'"),
        ("text: json", "", "needs 'line'"),
        ("text: json", "text: json\nline: clip", "has no 'line'"),
        ("framing: lines", "", "need 'framing: lines'"),
        ("keys: [a]", "keys: [a, b]", "one name for all axes, or three"),
        ("key: n", "key: t", "no key twice"),
        (", key: n", "", "needs a 'key' for each of 'fields'"),
        ("keys: [a]", "kees: [a]", "there is no key 'samples.kees' in a profile. Known: type, unit"),
    ],
)
def test_a_typo_is_named_with_its_remedy(was: str, now: str, says: str) -> None:
    assert was in JSON_TEXT
    with pytest.raises(SettingsError) as caught:
        parse_profile(JSON_TEXT.replace(was, now, 1), "mine.yaml")
    assert says in str(caught.value)
    assert "mine.yaml" in str(caught.value)
