"""Analyses as people have them, from a push to a GitLab to what its merge request and the pages show.

Each has a first result with nothing to compare with, then a merge request that moves it.
"""

import json
import os
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from reana_bridge.demo.variants import change_selection, write_analysis
from tests.e2e.gitlab_world import CONTEXT
from tests.web.test_browser import CHROMIUM, browser  # noqa: F401

ANALYSES = Path(__file__).with_name("analyses")
PICTURES = os.environ.get("REANA_BRIDGE_SCREENSHOTS", "")
BY_MACHINE = ("json", "junit", "markdown", "report")
WORKFLOW = """\
workflow:
  type: serial
  specification:
    steps:
    - {{name: {step}, environment: none, commands: ["{python} {command}"]}}
outputs: {{{outputs}}}
"""


def workflow(step: str, command: str, outputs: str) -> str:
    return WORKFLOW.format(step=step, command=command, python=sys.executable, outputs=outputs)


class Told:
    """What the bridge tells an operator of a scene's runs."""

    def __init__(self, scene) -> None:
        server = next(server for server in scene.world.servers.values() if server.alive)
        token = (scene.world.root / "secrets" / "operator.token").read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}"}
        self.scene, self.url = scene, f"http://127.0.0.1:{server.port}"

    def run(self, sha: str) -> str:
        (run,) = [run.id for run in self.scene.runs() if run.sha == sha]
        return run

    def get(self, path: str, **query: str) -> httpx.Response:
        answer = httpx.get(self.url + path, params=query, headers=self.headers, trust_env=False, timeout=30)
        assert answer.status_code == 200, (path, answer.text)
        return answer

    def comparison(self, sha: str, form: str = "json") -> httpx.Response:
        return self.get(f"/api/v1/runs/{self.run(sha)}/comparison", format=form)

    def verdicts(self, sha: str) -> dict[str, str]:
        return {one["name"]: one["verdict"] for one in self.comparison(sha).json()["metrics"]}

    def files(self, sha: str) -> dict[str, str]:
        return {one["path"]: one["verdict"] for one in self.comparison(sha).json()["files"]}


def first(scene, *, context: str = CONTEXT, **push) -> Told:
    """The first result on main, which has nothing to compare with, and says so."""
    scene.main(context=context, **push)
    told = Told(scene)
    (run,) = scene.runs()
    assert re.search("nothing to compare .*with yet", told.comparison(run.sha, "markdown").text)
    assert "This is the first commit of main" in told.get(f"/runs/{run.id}").text
    return told


def note_of(scene, of, *words: str) -> str:
    """The merge request's note; every picture in it opens on the GitLab."""
    text = scene.note(of, of.sha[:7], *words)
    for link in re.findall(r"\((/uploads/[^)\s]+)", text):
        picture = httpx.get(f"{scene.gitlab.url}/{scene.project.path}{link}", trust_env=False)
        assert picture.content.startswith(b"\x89PNG"), link
    return text


def by_machine(told: Told, sha: str) -> None:
    """The forms for programs can be read as what they are."""
    forms = {form: told.comparison(sha, form).text for form in BY_MACHINE}
    assert json.loads(forms["json"])["metrics"] == told.comparison(sha).json()["metrics"]
    assert json.loads(forms["report"])["sha"] == sha
    assert ElementTree.fromstring(forms["junit"]).tag == "testsuites"
    assert sha[:7] in forms["markdown"]
    metrics = told.get(f"/api/v1/runs/{told.run(sha)}/metrics", format="openmetrics").text
    assert metrics.endswith("# EOF\n")


def pictures(request: pytest.FixtureRequest, told: Told, sha: str, name: str) -> list[str]:
    """Text alternatives of the pictures on the run's page in a real browser, where each must open."""
    if not CHROMIUM:
        pytest.skip("install a browser: apt-get install chromium")
    context = request.getfixturevalue("browser").new_context(
        extra_http_headers=told.headers, viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    page.goto(f"{told.url}/runs/{told.run(sha)}")
    shown = page.locator("img")
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    page.evaluate("Promise.allSettled([...document.images].map(i => i.decode()))")
    found = shown.evaluate_all("images => images.map(i => [i.alt, i.naturalWidth])")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/e2e-{name}.png", full_page=True)
    context.close()
    assert [alt for alt, width in found if width < 100] == []
    return [alt for alt, _ in found]


@pytest.mark.soak
def test_the_demo_analysis(shared, request, tmp_path):
    write_analysis(tmp_path)
    specification = tmp_path / "reana.yaml"
    text = re.sub(r"environment: .*", "environment: none", specification.read_text())
    text = text.replace("- python ", f"- {sys.executable} ").replace("events: 40000", "events: 3000")
    specification.write_text(text)

    def files() -> dict[str, str]:
        return {path.name: path.read_text() for path in tmp_path.iterdir()}

    scene = shared.scene(visibility="public")
    told = first(scene, files=files(), context="reana/fit")
    change_selection(tmp_path)
    of = scene.request(files=files())
    text = note_of(scene, of, "merge-base", r"fit\.mu", r"/uploads/")
    assert re.search(r"spectrum\.png.*yields\.csv|yields\.csv.*spectrum\.png", text, re.DOTALL)
    assert told.files(of.sha)["results/yields.csv"] == "different"
    assert set(told.verdicts(of.sha).values()) & {"better", "worse", "changed"}
    by_machine(told, of.sha)
    shown = pictures(request, told, of.sha, "demo")
    assert sum("spectrum.png" in alt for alt in shown) >= 3  # base, head, difference
    scene.check()


def training(rate: float, seed: str) -> dict[str, str]:
    return {
        "reana.yaml": workflow("train", f"train.py {rate} {seed}", "directories: [mlruns]"),
        ".reana-bridge.yaml": "hints:\n  val/loss: {direction: lower}\n  accuracy: {direction: higher}\n",
        "train.py": (ANALYSES / "train.py").read_text(),
    }


def test_a_training_with_a_seed_is_unchanged_until_it_is_changed(shared, request):
    scene = shared.scene(visibility="public")
    told = first(scene, files=training(0.4, "7"))
    same = scene.request("same", files=training(0.4, "7") | {"README": "better words"})
    note_of(scene, same, "2 metrics unchanged")
    assert set(told.verdicts(same.sha).values()) == {"same"}
    assert told.files(same.sha) == {}  # a store's names are new in every run
    slower = scene.request("slower", files=training(0.1, "7"))
    note_of(scene, slower, "val/loss", "spread unknown", "/uploads/")
    pair = f"/compare/{told.run(same.sha)}/{told.run(slower.sha)}"
    assert "all 2 metrics got worse" in told.get(f"/api/v1{pair}", format="markdown").text
    assert "as asked for" in told.get(pair).text
    assert set(told.verdicts(slower.sha).values()) == {"worse"}
    by_machine(told, slower.sha)
    assert any("val/loss" in alt for alt in pictures(request, told, slower.sha, "training"))
    scene.check()


@pytest.mark.soak
def test_a_training_without_a_seed_is_judged_by_its_spread(shared, request):
    """Each commit draws anew; what it draws is the same each time that this test runs."""
    scene = shared.scene(visibility="public")
    told = first(scene, files=training(0.4, "run-0"))
    for number in range(1, 8):
        scene.main(files=training(0.4, f"run-{number}"))
    quiet = scene.request("quiet", files=training(0.4, "run-quiet"))
    note_of(scene, quiet, "within noise")
    assert set(told.verdicts(quiet.sha).values()) == {"changed"}
    slower = scene.request("slower", files=training(0.1, "run-slower"))
    note_of(scene, slower, "val/loss", r"sigma from the last 8 runs")
    assert set(told.verdicts(slower.sha).values()) == {"worse"}
    tests = {one["name"]: one["test"] for one in told.comparison(slower.sha).json()["metrics"]}
    assert {len(test["sample"]) for test in tests.values()} == {8}
    scene.check()


def test_histograms(shared, request):
    def files(shift: float) -> dict[str, str]:
        command = f"histogram.py {shift}"
        return {
            "reana.yaml": workflow("fill", command, "files: [results/histograms.root]"),
            "histogram.py": (ANALYSES / "histogram.py").read_text(),
        }

    scene = shared.scene(visibility="public")
    told = first(scene, files=files(0.0))
    of = scene.request(files=files(3.0))
    text = note_of(scene, of, "selected/mass", "chi2", "/uploads/")
    assert "control/tracks" not in text
    assert told.files(of.sha) == {"results/histograms.root": "different"}
    by_machine(told, of.sha)
    assert any("Overlay" in alt and "selected/mass" in alt for alt in pictures(request, told, of.sha, "root"))
    scene.check()
