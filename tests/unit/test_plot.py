"""``spineclip plot`` writes a picture with one strip a day, or says in a sentence why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from firmware_sim.motion import Motion
from firmware_sim.script import sits, walks
from spineclip.cli.main import app
from spineclip.contract.placement import Placement

MIDNIGHT_NS = 1_700_006_400 * 10**9  # 2023-11-15T00:00:00Z


def _recording(path: Path, start_ns: int) -> Path:
    motion = Motion((walks(60.0), sits(60.0)), start_ns=start_ns, placement=Placement.LOWER_BACK)
    t_ns = start_ns + np.arange(120 * 25, dtype=np.int64) * 40_000_000
    rows = zip((t_ns // 10**6).tolist(), motion.samples(t_ns).tolist(), strict=True)
    path.write_text("time,x,y,z\n" + "\n".join(f"{t},{x:.4f},{y:.4f},{z:.4f}" for t, (x, y, z) in rows))
    return path


def test_two_days_are_two_strips(tmp_path: Path) -> None:
    path = _recording(tmp_path / "someone.csv", MIDNIGHT_NS - 60 * 10**9)
    result = CliRunner().invoke(app, ["plot", str(path), "--out", str(tmp_path / "someone.svg")])
    assert result.exit_code == 0, result.output
    assert "2 days of someone.csv" in result.output
    drawn = (tmp_path / "someone.svg").read_text()
    assert "2023-11-14" in drawn
    assert "2023-11-15" in drawn


def test_days_are_those_of_the_wearer(tmp_path: Path) -> None:
    path = _recording(tmp_path / "someone.csv", MIDNIGHT_NS - 60 * 10**9)
    result = CliRunner().invoke(app, ["plot", str(path), "--tz", "Europe/Berlin"])
    assert "1 day of someone.csv" in result.output
    assert (tmp_path / "someone.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_a_sentence(tmp_path: Path) -> None:
    path = _recording(tmp_path / "someone.csv", MIDNIGHT_NS)
    result = CliRunner().invoke(app, ["plot", str(path), "--out", str(tmp_path / "someone.xyz")])
    assert result.exit_code == 1
    assert "Use a name that ends in .png" in result.output
