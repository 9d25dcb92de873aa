"""The job of GitLab CI in docs/reports.md fetches what GitLab's widgets read."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reana_bridge.web.app import make_app
from tests.docs.examples import ROOT, examples
from tests.web.serving import serving
from tests.web.world import HEAD, fill, make_bridge


def test_the_job_fetches_both_reports(tmp_path: Path) -> None:
    (example,) = examples("yaml", page=ROOT / "docs" / "reports.md")
    (job,) = yaml.safe_load(example.text).values()
    place = tmp_path / "bridge"
    place.mkdir()
    bridge = make_bridge(place)
    world = fill(bridge, history=1)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    with serving(make_app(bridge)) as url:
        script = job["script"][0].replace("https://bridge.example.org", url).replace("gitlab-cern:", "local:")
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "BRIDGE_TOKEN": world.tokens["physics-reader"],
            "CI_PROJECT_PATH": "physics/ttbar",
            "CI_COMMIT_SHA": HEAD,
        }
        subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=environment, check=True, timeout=60)
    bridge.close()
    reports = job["artifacts"]["reports"]
    families = text_string_to_metric_families((tmp_path / reports["metrics"]).read_text())
    assert "upper_limit_95_CL" in {family.name for family in families}
    suites = ElementTree.parse(tmp_path / reports["junit"]).getroot()
    assert [case.get("name") for case in suites.iter("testcase")] == [
        "upper limit (95 % CL) may change by at most 5 %"
    ]
