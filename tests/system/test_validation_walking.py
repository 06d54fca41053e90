"""Promise: the cadence of real people is one that people walk at, steady on a treadmill, and no octave off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from processing.walking import GRID_HZ, Gait, gait

pytestmark = pytest.mark.data
PEOPLE = range(1, 6)


def _gait(folder: Path, person: int, activity: str) -> Gait:
    """Five minutes at 25 Hz, at the chest."""
    table = pq.read_table(folder / "daily_activities" / "torso" / f"p{person}_{activity}.parquet")
    x = np.stack([table[axis].to_numpy() for axis in "xyz"], axis=1).astype(np.float64)
    n = len(x) // GRID_HZ
    return gait(x[: n * GRID_HZ], np.ones(n, dtype=np.bool_))


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(
    ("activity", "low", "high"),
    [
        ("treadmill_4_km_h_flat", 80.0, 125.0),
        ("walking_in_a_parking_lot", 80.0, 130.0),
        ("running_treadmill_8_km_h", 140.0, 190.0),
    ],
)
def test_walking_and_running_have_a_plausible_and_steady_cadence(
    shared_data: Path, person: int, activity: str, low: float, high: float
) -> None:
    cadence = _gait(shared_data, person, activity).cadence_spm
    assert np.isfinite(cadence).mean() > 0.95
    middle = float(np.nanmedian(cadence))
    assert low < middle < high
    assert np.nanmean(np.abs(np.log2(cadence / middle)) > 0.5) < 0.05, "an octave off"
    if activity != "walking_in_a_parking_lot":
        half = len(cadence) // 2
        assert np.nanmedian(cadence[:half]) == pytest.approx(np.nanmedian(cadence[half:]), abs=4.0)


@pytest.mark.parametrize("activity", ["sitting", "standing", "lying_on_back", "standing_in_an_elevator_still"])
def test_rest_has_no_rhythm_of_steps(shared_data: Path, activity: str) -> None:
    regular = np.concatenate([_gait(shared_data, person, activity).regularity for person in PEOPLE])
    walks = np.concatenate([_gait(shared_data, person, "treadmill_4_km_h_flat").regularity for person in PEOPLE])
    assert np.nanpercentile(regular, 95) < np.nanpercentile(walks, 5)
