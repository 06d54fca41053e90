"""Have TypeScript check dashboards against Grafana's own types (npm's ``@grafana/schema``)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.servers.process import REQUIRED, need

HERE = Path(__file__).parent
PANELS = {
    "stat": "stat",
    "timeseries": "timeseries",
    "state-timeline": "statetimeline",
    "status-history": "statushistory",
    "table": "table",
    "text": "text",
}
"""Grafana's panel types and the folders of their types."""
WITHOUT_FIELD_CONFIG = {"stat", "text"}
_HEAD = """\
import type { AnnotationQuery, Dashboard, Panel } from '@grafana/schema/dist/types/raw/dashboard/x/types.gen';
// In JSON an enumeration is one of its words, and everything that has a default may be left out of a nested object.
type E<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? E<U>[] : T extends object ? { [K in keyof T]: E<T[K]> } : T;
// What the InfluxDB source adds to an annotation. Grafana's own type of a target is that of Grafana's own annotations.
type Asks = { query: string; textColumn: string; tagsColumn: string };
type Mark = E<Omit<AnnotationQuery, 'target'>> & Asks
  & { target: Asks & { refId: string; queryType: 'tags'; fromAnnotations: true } };
type Page = Omit<E<Dashboard>, 'panels' | 'annotations'>;
"""


def typescript() -> Path:
    """Return the compiler; without it the test is left out, or fails where everything is required."""
    need("npm")
    compiler = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        sentence = "Grafana's types are not installed (make test does it, where npm reaches a registry)"
        if REQUIRED:
            pytest.fail(sentence)
        pytest.skip(sentence)
    return compiler


def program(dashboard: dict[str, Any]) -> str:
    """Write a TypeScript program that is right if and only if the dashboard is."""
    lines = [_HEAD]
    used = sorted({panel["type"] for panel in dashboard["panels"]} & PANELS.keys())
    for kind in used:
        folder = PANELS[kind]
        at = f"@grafana/schema/dist/types/raw/composable/{folder}/panelcfg/x/types.gen"
        lines.append(f"import type * as {folder} from '{at}';")
    page = {key: value for key, value in dashboard.items() if key not in ("panels", "annotations")}
    lines.append(f"const page: Page = {json.dumps(page)};")
    lines += [f"const mark{k}: Mark = {json.dumps(mark)};" for k, mark in enumerate(dashboard["annotations"]["list"])]
    for panel in dashboard["panels"]:
        name, kind = f"panel{panel['id']}", panel["type"]
        lines.append(f"const {name}: E<Panel> = {json.dumps(panel)};")
        lines.append(f"const {name}o: Partial<E<{PANELS[kind]}.Options>> = {json.dumps(panel['options'])};")
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
        if kind in WITHOUT_FIELD_CONFIG:
            assert not custom
            continue
        field = f"Partial<E<{PANELS[kind]}.FieldConfig>>"
        lines.append(f"const {name}c: {field} = {json.dumps(custom)};")
        for at, row in enumerate(panel["fieldConfig"]["overrides"]):
            own = {p["id"][7:]: p["value"] for p in row["properties"] if p["id"].startswith("custom.")}
            lines.append(f"const {name}c{at}: {field} = {json.dumps(own)};")
    return "\n".join(lines) + "\n"


def complaints(dashboards: dict[str, dict[str, Any]], folder: Path) -> list[str]:
    """Return what the compiler says of the dashboards; nothing if all is well."""
    compiler = typescript()
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(HERE / "node_modules")
    paths = []
    for name, dashboard in dashboards.items():
        paths.append(folder / f"{name}.ts")
        paths[-1].write_text(program(dashboard))
    options = ["--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node10", "--module", "esnext"]
    done = subprocess.run(
        ["node", str(compiler), *options, "--target", "es2022", *map(str, paths)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    return [line for line in done.stdout.splitlines() if "error" in line]
