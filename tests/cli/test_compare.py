"""`reana-bridge compare`: two folders, two runs of the database, two runs of a server."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from typer.testing import CliRunner

from reana_bridge.cli.common import Failure
from reana_bridge.cli.main import app
from reana_bridge.model.codec import from_data
from reana_bridge.model.reports import Report
from reana_bridge.web.app import make_app
from tests.results.files.test_pictures import plot
from tests.web.serving import serving
from tests.web.world import World, fill, make_bridge

BLOCK = "rules:\n  - {metric: limit, relative: 5%, effect: block}\n"

SEVERAL = """\
analyses:
  a: {rules: []}
  b: {rules: [{metric: limit, relative: 5%, effect: block}]}
"""


def compare(*arguments, env=None):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env=env)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name, limit, lines in (("before", 4.0, 3), ("after", 5.0, 4)):
        results = tmp_path / name / "results"
        results.mkdir(parents=True)
        (results / "metrics.json").write_text(
            json.dumps({"limit": {"value": limit, "uncertainty": 0.1}, "n": 7})
        )
        (results / "table.csv").write_text("x\n" * lines)
        (results / "same.txt").write_text("same")
        (results / ".hidden").write_text(name)
        (results / "report.md").write_text("# Said by the analysis")
        (results / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "rules.yaml").write_text(BLOCK)
    return tmp_path / "before", tmp_path / "after"


def test_two_folders(folders):
    shown = compare(*folders)
    assert shown.exit_code == 0
    for words in (
        "after against before",
        "limit",
        "+25.0 %",
        "table.csv",
        "2 identical",
        "1 metric unchanged: n",
    ):
        assert words in shown.output
    assert "passwd" not in shown.output + compare(*folders, "--json").output
    assert ".hidden" not in compare(*folders, "--json").output


TRAIN = Path(__file__).parents[1] / "e2e" / "analyses" / "train.py"
CSV = "files: [{path: x.csv, relative: %s, effect: block}]\n"


def test_stores_of_mlflow_are_read_and_not_compared_as_files(tmp_path):
    for name, rate in (("before", "0.4"), ("after", "0.1")):
        (tmp_path / name).mkdir()
        subprocess.run([sys.executable, TRAIN, rate, "7"], cwd=tmp_path / name, check=True)
    report = from_data(Report, json.loads(compare(tmp_path / "before", tmp_path / "after", "--json").output))
    verdicts = {one.name: one.verdict for one in report.comparison.metrics}
    assert verdicts == {"accuracy": "changed", "val/loss": "changed"}
    assert len(report.result.metrics[0].series) == 12
    assert report.result.unreadable == report.comparison.files == ()


@pytest.mark.parametrize(
    ("rule", "status", "verdict"),
    [("", 0, "different"), (CSV % "10%", 0, "within tolerance"), (CSV % "1%", 1, "different")],
)
def test_files_are_compared_as_what_they_are(tmp_path, rule, status, verdict):
    for name, value in (("before", 1.0), ("after", 1.05)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(f"mass\n{value}\n")
        numpy.save(tmp_path / name / "x.npy", numpy.full(3, value))
    (tmp_path / "rules.yaml").write_text(rule or "file: reana.yaml\n")
    shown = compare(tmp_path / "before", tmp_path / "after", "--rules", tmp_path / "rules.yaml", "--json")
    report = from_data(Report, json.loads(shown.output))
    found = {one.path: one for one in report.comparison.files}
    assert (shown.exit_code, found["x.csv"].verdict) == (status, verdict)
    assert "3 of 3" in found["x.npy"].explanation


def test_each_form(folders):
    markdown = compare(*folders, "--format", "markdown").output
    assert "| limit | 4.00 \u00b1 0.10 | 5.00 \u00b1 0.10 |" in markdown.replace("\u00a0", " ")
    assert "#### Said by the analysis" in markdown
    html = compare(*folders, "--format", "html").output
    assert html.startswith("<!doctype html>")
    assert "<td>limit</td>" in html
    assert "<script" not in html
    data = json.loads(compare(*folders, "--json").output)
    assert data == json.loads(compare(*folders, "--format", "json").output) | {
        "comparison": data["comparison"]
    }
    assert from_data(Report, data).label == "after"


@pytest.fixture(scope="module")
def plotted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders with a plot that changed, a PDF that only the second has, and a text that shows it."""
    top = tmp_path_factory.mktemp("plotted")
    for name, height in (("before", 1.0), ("after", 2.0)):
        (top / name).mkdir()
        (top / name / "x.png").write_bytes(plot(height, "png"))
        (top / name / "report.md").write_text("![mine](x.png)")
    (top / "after" / "new.pdf").write_bytes(plot(1.0, "pdf"))
    return top / "before", top / "after"


def test_a_page_has_its_pictures_in_it(plotted):
    page = compare(*plotted, "--format", "html").output
    found = re.findall(r'<img src="([^"]{30})[^"]*" alt="([^"]*)"', page)
    assert {start[:22] for start, _ in found} == {"data:image/png;base64,"}
    titles = [title.split(":")[0] for _, title in found]
    assert titles == [
        "x.png, before",
        "x.png, after",
        "What differs between baseline and head in x.png",
        "new.pdf, page 1",
        "mine",
    ]


FORMS = [
    ("markdown", "report.md", 4),
    ("json", "report.json", 4),
    ("html", "report.html", 0),
    ("terminal", "", 4),
]


@pytest.mark.parametrize(("form", "name", "count"), FORMS)
def test_pictures_lie_beside_what_is_written(plotted, tmp_path, form, name, count):
    shown = compare(*plotted, "--format", form, "--output", tmp_path / "out")
    assert shown.exit_code == 0, shown.exception
    pictures = list((tmp_path / "out").glob("pictures/*"))
    assert len(pictures) == count
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert [path.name for path in (tmp_path / "out").glob("*.*")] == ([name] if name else [])
    assert (f"{count} pictures in {tmp_path / 'out' / 'pictures'}" in shown.stderr) == bool(count)
    if form == "markdown":
        text = (tmp_path / "out" / name).read_text()
        assert set(re.findall(r"\]\((pictures/[^)]*)\)", text)) == {
            f"pictures/{path.name}" for path in pictures
        }


@pytest.mark.parametrize(("most", "left_out"), [("25MiB", 0), ("12KiB", 3), ("0", 0)])
def test_there_is_a_limit_to_all_pictures_together(plotted, most, left_out):
    page = compare(*plotted, "--format", "html", "--pictures", most).output
    assert page.count("data:image/png;base64,") == {"25MiB": 5, "12KiB": 2, "0": 0}[most]
    assert (f"{left_out} pictures left out here: all together may take 12 KiB" in page) == bool(left_out)


@pytest.mark.parametrize(
    ("rules", "arguments", "status", "words"),
    [
        (BLOCK, [], 1, "breaks a rule"),
        (BLOCK.replace("block", "warn"), [], 0, "outside a rule"),
        ("metrics: [{path: results/none.json}]\n", [], 0, "none.json: the run left no such file"),
        (SEVERAL, ["--analysis", "b"], 1, "reana/b"),
    ],
)  # fmt: skip
def test_rules_count(folders, rules, arguments, status, words):
    file = folders[0].parent / "rules.yaml"
    file.write_text(rules)
    shown = compare(*folders, "--rules", file, *arguments)
    assert (shown.exit_code, words in shown.output) == (status, True), shown.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{before}", "{before}/none"], "is no folder"),
        (["{before}", "{after}", "--output", "{after}/out"], "which is compared; write it elsewhere"),
        (["{before}", "{after}", "--pictures", "many"], "--pictures many"),
        (["{before}", "{after}", "--output", "{before}/../rules.yaml"], "File exists"),
        (["a", "b", "--rules", "{before}/../rules.yaml"], "--rules is for folders"),
        (["{before}", "{after}", "--rules", "{before}/none.yaml"], "No such file"),
        (["{before}", "{after}", "--rules", "{before}/../rules.yaml", "--analysis", "x"], "no analysis x"),
        (["a", "b", "--server", "http://bridge.example.org"], "only over https"),
        (["a", "b", "--server", "https://127.0.0.1:1"], "127.0.0.1:1"),
    ],
)
def test_wrong_use_says_what_is_wrong(folders, arguments, words):
    given = [text.format(before=folders[0], after=folders[1]) for text in arguments]
    shown = compare(*given)
    assert isinstance(shown.exception, Failure)
    assert shown.exception.status == 2
    assert words in str(shown.exception)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bridge = make_bridge(tmp_path_factory.mktemp("compare"))
    yield fill(bridge, history=1)
    bridge.close()


def test_two_runs_of_the_database(world: World, tmp_path: Path):
    place = world.bridge.settings.storage.artifacts.parent
    config = tmp_path / "bridge.toml"
    config.write_text(
        f'[database]\nurl = "sqlite:///{place}/bridge.db"\n'
        f'[storage]\nartifacts = "{place}/artifacts"\nsecrets = "{tmp_path}/secrets"\n'
        f'[forges.local]\nkind = "git"\nroot = "{place}"\nwebhook_secrets = ["a long enough secret"]\n'
    )
    shown = compare(world.main, world.finished, "--config", config)
    assert shown.exit_code == 0, shown.output + str(shown.exception)
    assert "upper limit (95 % CL)" in shown.output
    page = compare(world.main, world.finished, "--config", config, "--format", "html")
    assert page.output.count("data:image/png;base64,") > 1, page.exception
    absent = compare(world.main, "nothing", "--config", config)
    assert "neither a folder nor the id of a run" in str(absent.exception)


def test_two_runs_of_a_server(world: World, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text(world.tokens["physics-reader"] + "\n")
    with serving(make_app(world.bridge)) as url:
        for more, env in ((["--token-file", token], {}), ([], {"REANA_BRIDGE_TOKEN": token.read_text()})):
            shown = compare(
                world.main, world.finished, "--server", url, *more, "--format", "markdown", env=env
            )
            assert shown.exit_code == 0, str(shown.exception)
            assert "| **upper limit (95 % CL)**" in shown.output
            assert "key=" not in shown.output
        found = {}
        for order in ((world.main, world.finished), (world.finished, world.main)):
            page = compare(*order, "--server", url, "--token-file", token, "--format", "html").output
            found[order] = set(re.findall(r'<img src="([^"]{30})', page))
            assert found[order], page
        refused = compare(world.main, world.finished, "--server", url)
        assert "no two such runs" in str(refused.exception)
