"""Promise: while a recording is replayed through virtual Bluetooth, the page shows what the body does as it changes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dashboards.words import Words
from firmware_sim.motion import Motion
from firmware_sim.script import lies, sits, stands, walks
from spineclip.contract.placement import Placement
from tests.browser.conftest import Watched
from tests.running import spineclip

pytestmark = [pytest.mark.server("chromium"), pytest.mark.slow]

START_NS = 1_790_000_000 * 10**9
SCRIPT = (sits(60.0), walks(60.0), stands(60.0), lies(60.0), stands(30.0))


def _record(path: Path) -> None:
    """Write down a generated person who sits, walks, stands and lies, with a clip on the breastbone."""
    motion = Motion(SCRIPT, start_ns=START_NS, seed=3, placement=Placement.STERNUM)
    t_ns = START_NS + np.arange(round(motion.duration_s * 50), dtype=np.int64) * 20_000_000
    x, y, z = motion.samples(t_ns).T
    pq.write_table(pa.table({"time": pa.array(t_ns, pa.timestamp("ns", "UTC")), "x": x, "y": y, "z": z}), path)


def test_the_page_follows_a_replayed_body(tmp_path: Path, watched: Watched, pictures: Path) -> None:
    recording = tmp_path / "lively.parquet"
    _record(recording)
    page = watched.page
    arguments = ["--placement", "sternum", "--axes", "x=up,y=left,z=backward", "--speed", "12"]
    with spineclip("replay", str(recording), *arguments, "--page", "--port", "0", data=tmp_path) as command:
        page.goto(command.wait_for(r"http://127\.0\.0\.1:\d+/").group())
        headline = page.locator(".headline")
        expect(page.locator("section.now [aria-live] > *")).to_have_count(1)  # the seconds are not read out
        seen: list[str] = []
        deadline = time.monotonic() + 100
        while "Lying down" not in seen and time.monotonic() < deadline:
            said = headline.inner_text()
            if not seen or seen[-1] != said:
                seen.append(said)
                if said.startswith(("Sitting", "Walking")):
                    page.screenshot(path=pictures / f"live-{said.split()[0].lower()}.png", full_page=True)
            page.wait_for_timeout(100)
        assert [said for said in seen if said in ("Walking", "Lying down")] == ["Walking", "Lying down"], seen
        assert any(said.startswith(("Sitting", "Standing")) for said in seen), seen
        expect(page.locator("section.today .strip i.walking")).to_have_count(1)
        page.screenshot(path=pictures / "live-lying.png", full_page=True)
        assert command.wait() == 0, command.text
        assert "13,500 of 13,500 samples received" in command.text
    assert watched.complaints == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_clip_is_taught_from_the_page(language: str, tmp_path: Path, watched: Watched, pictures: Path) -> None:
    """Choose, look at the picture, sit still: the same settings as by ``spineclip calibrate --pose``."""
    page, words = watched.page, Words(language)
    arguments = ["--no-browser", "--port", "0", "--language", language, "--for", "120", "--data", str(tmp_path)]
    with spineclip("demo", *arguments, data=tmp_path) as command:
        page.goto(command.wait_for(r"The page: (http://127\.0\.0\.1:\d+/)").group(1))
        card = page.locator("section.clip-card")
        card.locator("summary").click()
        expect(card.locator(".hint").last).to_have_text(words("calibrate.known"))
        for pose in ("slouched", "leaning_left", "reclined"):
            card.get_by_role("button", name=words(f"calibrate.name_{pose}")).click()
            expect(card).to_contain_text(words(f"calibrate.how_{pose}"))
            expect(card.locator("[aria-pressed=true]")).to_have_text([words(f"calibrate.name_{pose}")])
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                card.screenshot(path=pictures / f"calibrate-{pose}-{language}-{width}.png")
        results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert results.violations_count == 0, results.generate_report()
        card.get_by_role("button", name=words("calibrate.name_upright")).click()
        card.get_by_role("button", name=words("calibrate.start")).click()
        outcomes = "|".join(re.escape(words(f"calibrate.{how}")) for how in ("done", "forgotten", "moved"))
        expect(card.locator("[role=status]")).to_have_text(re.compile(f"^({outcomes})$"), timeout=30_000)
        command.end()
    assert watched.complaints == []
