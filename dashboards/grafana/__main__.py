"""``python -m dashboards.grafana``: write the dashboards and the provisioning files anew."""

from pathlib import Path

from dashboards.grafana.provisioning import GENERATED, write

if __name__ == "__main__":
    house = Path(__file__).parents[2]
    for path in write(GENERATED, house / "deploy" / "grafana" / "provisioning"):
        print(path.relative_to(house))  # noqa: T201
