"""The dashboards in the repository are what the builders build, and what Grafana's own types allow."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.alerts import FOLDER
from dashboards.grafana.page import COLUMNS
from dashboards.grafana.panels import DATASOURCE
from dashboards.grafana.provisioning import GENERATED, dashboards, write
from processing.metrics import MEASUREMENTS
from tests.dashboards.types import complaints

HOUSE = Path(__file__).resolve().parents[2]
PROVISIONING = HOUSE / "deploy" / "grafana" / "provisioning"
ALL = dashboards()


def test_the_files_are_current(tmp_path: Path) -> None:
    """After a change of a builder: make dashboards."""
    fresh = write(tmp_path / "generated", tmp_path / "provisioning")
    assert len(fresh) == len(ALL) + 3
    for path in fresh:
        kept = (GENERATED if path.parent.name == "generated" else PROVISIONING) / path.relative_to(
            tmp_path / ("generated" if path.parent.name == "generated" else "provisioning")
        )
        assert kept.read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), f"{kept} is not current"
    assert {p.name for p in GENERATED.iterdir()} == {f"{name}.json" for name in ALL}


@pytest.mark.server("npm")
def test_grafanas_own_types_allow_every_dashboard(tmp_path: Path) -> None:
    read = {name: json.loads((GENERATED / f"{name}.json").read_text(encoding="utf-8")) for name in ALL}
    assert complaints(read, tmp_path) == []


def _grid_in_words(page: dict[str, Any]) -> None:
    page["panels"][0]["gridPos"]["w"] = "12"


def _no_such_colour_mode(page: dict[str, Any]) -> None:
    page["panels"][0]["options"]["colorMode"] = "rainbow"


def _no_such_option(page: dict[str, Any]) -> None:
    page["panels"][6]["options"]["sparkle"] = True


def _no_such_line(page: dict[str, Any]) -> None:
    page["panels"][8]["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "crayon"


def _no_such_key(page: dict[str, Any]) -> None:
    page["panels"][0]["colour"] = "red"


def _no_such_refresh(page: dict[str, Any]) -> None:
    page["templating"]["list"][0]["refresh"] = 7


@pytest.mark.server("npm")
@pytest.mark.slow
def test_the_types_catch_what_is_wrong(tmp_path: Path) -> None:
    faults: list[Callable[[dict[str, Any]], None]] = [
        _grid_in_words, _no_such_colour_mode, _no_such_option, _no_such_line, _no_such_key, _no_such_refresh,
    ]  # fmt: skip
    seeded = {}
    for fault in faults:
        page = copy.deepcopy(ALL["patient"])
        fault(page)
        seeded[fault.__name__.strip("_")] = page
    found = complaints(seeded, tmp_path)
    for name in seeded:
        assert [line for line in found if line.startswith(f"{name}.ts")], f"{name} was not caught"


def _panels() -> list[Any]:
    return [
        pytest.param(panel, id=f"{name}-{panel['title']}") for name, page in ALL.items() for panel in page["panels"]
    ]


@pytest.mark.parametrize("panel", _panels())
def test_every_panel_says_what_it_is_for_and_asks_our_data_source(panel: dict[str, Any]) -> None:
    if panel["type"] == "text":
        return
    assert panel["description"]
    assert panel["datasource"] == DATASOURCE


SHOWN_AS = {
    "min": {"suffix:min"},
    "s": {"dtdurations", "s"},
    "%": {"percent"},
    "/min": {"suffix:/min"},
    "/h": {"suffix:/h"},
    "Hz": {"hertz"},
    "ppm": {"ppm"},
    "ms": {"ms"},
    "": {None, "none", "short", "suffix:/10"},
}
"""Units of the table of metrics (shares of 0 to 1 apart), and Grafana's for the same
(https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit)."""


@pytest.mark.parametrize("panel", _panels())
def test_every_number_is_shown_in_the_unit_it_is_stored_in(panel: dict[str, Any]) -> None:
    for row in panel.get("targets", []):
        stored = MEASUREMENTS[re.findall(r'FROM "(\w+)"', row["query"])[0]].fields
        for function, field, name in re.findall(r'(?:(\w+)\()?"(\w+)"\)? AS "([^"]+)"', row["query"]):
            shown = _unit(panel, name)
            if function == "count":
                assert shown in {"suffix:days", "suffix:/7"}, name
            elif stored[field].kind is float and not stored[field].unit:
                assert shown == "percentunit", name
            else:
                assert shown in SHOWN_AS[stored[field].unit], name


def _unit(panel: dict[str, Any], name: str) -> str | None:
    """Return the unit of a series as Grafana finds it: that of the panel, unless an override names another."""
    unit = panel["fieldConfig"]["defaults"].get("unit")
    for row in panel["fieldConfig"]["overrides"]:
        how, what = row["matcher"]["id"], row["matcher"]["options"]
        if what == name if how == "byName" else re.search(what.strip("/"), name):
            unit = next((p["value"] for p in row["properties"] if p["id"] == "unit"), unit)
    return unit


def test_every_panel_that_sums_days_shows_how_long_they_were_worn() -> None:
    for name in ("patient", "fortnight"):
        for panel in ALL[name]["panels"]:
            queries = " ".join(row["query"] for row in panel.get("targets", []))
            if panel["type"] == "timeseries" and 'FROM "daily"' in queries:
                assert '"worn_min"' in queries, panel["title"]


@pytest.mark.parametrize("name", list(ALL))
def test_no_two_panels_lie_on_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in ALL[name]["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < COLUMNS
        taken |= cells


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    uids = [page["uid"] for page in ALL.values()]
    assert len(set(uids)) == len(uids)
    for page in ALL.values():
        ids = [panel["id"] for panel in page["panels"]]
        assert len(set(ids)) == len(ids)
    text = json.dumps(ALL["overview"])
    assert f"/d/{ALL['patient']['uid']}?var-patient=" in text


def test_nothing_of_a_name_or_a_word_says_more_than_it_informs() -> None:
    for page in ALL.values():
        text = json.dumps(page).lower().replace("does not diagnose", "")
        assert not re.findall(r"\b(?:diagnos|treat|prevent|risk|patholog)\w*", text)


def test_provisioning_is_read_only_and_holds_no_secret() -> None:
    source = yaml.safe_load((PROVISIONING / "datasources" / "spineclip.yaml").read_text())["datasources"][0]
    assert source["editable"] is False
    assert source["jsonData"]["version"] == "InfluxQL"
    assert source["secureJsonData"] == {"httpHeaderValue1": "$__file{/run/secrets/grafana_influx_header}"}
    provider = yaml.safe_load((PROVISIONING / "dashboards" / "spineclip.yaml").read_text())["providers"][0]
    assert provider["allowUiUpdates"] is False


def test_alert_rules_are_complete() -> None:
    """The parts that Grafana's file provisioning asks of a rule."""
    parsed = yaml.safe_load((PROVISIONING / "alerting" / "spineclip.yaml").read_text())
    (group,) = parsed["groups"]
    assert {"orgId", "name", "folder", "interval", "rules"} <= group.keys()
    uids = [rule["uid"] for rule in group["rules"]]
    assert len(set(uids)) == len(uids)
    for rule in group["rules"]:
        refs = {part["refId"] for part in rule["data"]}
        assert rule["condition"] in refs
        for part in rule["data"]:
            assert part["relativeTimeRange"]["from"] > part["relativeTimeRange"]["to"]
            if part["datasourceUid"] == "__expr__":
                assert part["model"]["expression"] in refs
            else:
                assert part["datasourceUid"] == DATASOURCE["uid"]
                assert "$patient" not in part["model"]["query"], "template variables do not work in alerts"
        assert rule["annotations"]["summary"]
        assert len(rule["uid"]) <= 40


def test_no_stat_shows_the_time_as_one_of_its_numbers() -> None:
    """Grafana looks at every column that the pattern allows; each answer has one named Time."""
    for page in ALL.values():
        for panel in page["panels"]:
            if panel["type"] == "stat":
                pattern = panel["options"]["reduceOptions"]["fields"].strip("/")
                shown = [
                    name for name in ("Time", "walked", "activity.last", "these two weeks") if re.match(pattern, name)
                ]
                assert shown == ["walked", "activity.last", "these two weeks"], panel["title"]


def test_a_unit_brings_no_blank_of_its_own() -> None:
    """Grafana puts one between the number and a suffix."""
    assert "suffix: " not in json.dumps(ALL)


def test_nothing_is_drawn_in_the_colour_of_a_page() -> None:
    """Lines are seen on a light page and on a dark one."""
    assert not re.findall(r'"(?:#0{6}|#[fF]{6}|black|white)"', json.dumps(ALL))


@pytest.mark.parametrize("name", ["patient", "fortnight"])
def test_marks_are_asked_for(name: str) -> None:
    """Grafana asks what stands under `target`; without it, marks never come and nothing tells why (seen on 12.4.0)."""
    (mark,) = ALL[name]["annotations"]["list"]
    assert mark["target"]["query"] == mark["query"]
    assert mark["target"]["fromAnnotations"] is True


def test_one_click_leads_to_a_patient() -> None:
    """A renamed column answers to both of its names: two overrides would give two links, and a menu to choose from."""
    links = [
        (row["matcher"]["options"], part["value"])
        for row in ALL["overview"]["panels"][0]["fieldConfig"]["overrides"]
        for part in row["properties"]
        if part["id"] == "links"
    ]
    assert [name for name, _ in links] == ["Patient"]
    assert len(links[0][1]) == 1


def test_days_begin_at_midnight_of_the_clinic_wherever_the_browser_is() -> None:
    assert {page["timezone"] for page in dashboards("Europe/Berlin").values()} == {"Europe/Berlin"}
    assert {page["timezone"] for page in ALL.values()} == {"browser"}, "nobody has named a zone"


def test_files_and_deploying_use_the_same_folder() -> None:
    (row,) = yaml.safe_load((PROVISIONING / "dashboards" / "spineclip.yaml").read_text())["providers"]
    assert row["folderUid"] == FOLDER
