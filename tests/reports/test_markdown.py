import html
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Unreadable
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Artifact, StepRecord, StepState
from reana_bridge.reports.markdown import note, section
from reana_bridge.reports.status import status
from reana_bridge.reports.terminal import to_text
from tests.model.strategies import values
from tests.reports.samples import AFTER, BASELINE, BEFORE, SAMPLES, finished
from tests.reports.test_escape import NASTY, REFERENCES

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(r"</?(?:details|summary|sub)>")
TAGS = {"p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "a", "pre", "ul", "li", "img"} | {
    *("em", "s", "h4", "ol", "blockquote"),  # of the analysis' own text
}

nasty = st.lists(st.sampled_from(NASTY) | st.text(max_size=3), max_size=3).map("".join)
addresses = st.sampled_from(["", "https://b.example/x", "javascript:alert(1)"]) | nasty
by_path = st.dictionaries(nasty, addresses, max_size=2)


def reports():
    urls = {name: by_path for name in ("file_urls", "baseline_file_urls")}
    return values(Report, text=nasty, floats=st.floats(), run_url=addresses, **urls)


def rendered(text):
    """The HTML of a note without the code blocks and tags that are ours."""
    return MARKDOWN.render(OURS.sub("", text))


@settings(
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # such large values take minutes to shrink
)
@given(st.data())
def test_nothing_from_outside_does_anything(data):
    report = data.draw(reports())
    text = section(report)
    assert len(OURS.findall(text)) % 2 == 0
    assert not any(line.startswith("/") for line in text.splitlines())
    page = rendered(text)
    assert set(re.findall(r"<([a-z]+)", page)) <= TAGS
    assert all(url.startswith(("https://b.example", "http://x", "https://x", "HTTP")) for url in _links(page))
    words = html.unescape(
        re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(code|pre)\b.*?</\1>|<code>.*?</code>", " ", page))
    )
    assert not REFERENCES.search(words)
    assert section(report) == text
    assert to_text(report)
    assert len(status(report).description) <= 140


def _links(page):
    return re.findall(r'(?:href|src)="([^"]*)"', page)


@pytest.mark.parametrize("name", SAMPLES)
def test_links_lead_to_our_pages_only(name):
    assert all(
        url.startswith("https://bridge.example.org/") for url in _links(rendered(section(SAMPLES[name])))
    )


@pytest.fixture(scope="module")
def large():
    before = tuple(Metric(name=f"m{i:04}", value=float(i)) for i in range(4000))
    after = tuple(Metric(name=f"m{i:04}", value=i * (1.5 if i % 2 else 1.0)) for i in range(4000))
    artifacts = tuple(Artifact(path=f"f{i}", digest=str(i), size=1) for i in range(300))
    return finished(
        replace(AFTER, metrics=after, artifacts=artifacts), before=replace(BEFORE, metrics=before)
    )


@pytest.mark.parametrize("limit", [0, 1, 40, 80, 300, 1000, 5000, 60_000, 10**6])
def test_the_limit_holds_and_what_is_left_out_is_named(large, limit):
    text = section(large, limit=limit)
    assert len(text) <= limit
    whole = section(large, limit=10**9)
    if limit >= 1000 and text != whole:
        assert re.search(r"Shortened to fit this note: .* left out, see \[the page of the run\]", text)
    if limit >= 80:
        assert "metrics changed" in text


@pytest.mark.parametrize(
    ("limit", "rows", "folded", "says"),
    [(10**9, 400, 100, "1600 rows left out"),
     (20_000, 150, 0, "1850 rows, 2000 unchanged metrics left out"), (5_000, 50, 0, "1950 rows")],
)  # fmt: skip
def test_folded_parts_go_first(large, limit, rows, folded, says):
    text = section(large, limit=limit)
    table, _, below = text.partition("<details>")
    assert len(re.findall(r"(?m)^\| m\d+ \| .* \|$", table)) == rows
    assert len(re.findall(r"(?m)^\| m\d+ \|", below)) == folded
    assert says in text


def test_ten_thousand_metrics_fit_a_note():
    before = tuple(
        Metric(name=f"metric.number_{i:05}", value=float(i), uncertainty=0.5) for i in range(10_000)
    )
    after = tuple(replace(metric, value=metric.value + 9.0) for metric in before)
    moved = finished(replace(AFTER, metrics=after), before=replace(BEFORE, metrics=before))
    text = note([moved], limit=60_000)
    assert len(text) <= 60_000
    assert "10000 metrics changed" in text.splitlines()[0]
    assert "left out, see [the page of the run]" in text


def test_a_note_has_a_section_for_each_analysis_within_its_limit(large):
    reports = [replace(large, analysis="a"), replace(SAMPLES["failed"], analysis="b"), SAMPLES["moved"]]
    text = note(reports, limit=20_000)
    assert len(text) <= 20_000
    assert [text.index(f"**reana/{name}: ") for name in ("a", "b", "fit")] == sorted(
        text.index(f"**reana/{name}: ") for name in ("a", "b", "fit")
    )
    assert note([]) == ""


def test_a_log_cannot_break_out():
    text = section(SAMPLES["limit"])
    assert [token.type for token in MARKDOWN.parse(text) if token.type == "fence"] == ["fence"]


UPLOAD = "/uploads/0123456789abcdef0123456789abcdef/mass.png"
AFTER_PICTURE = f"![results/mass.png, this commit]({UPLOAD})"


@pytest.mark.parametrize(
    ("name", "before", "after", "cells"),
    [
        ("moved", "", "", ""),
        ("moved", UPLOAD, UPLOAD, f"| ![results/mass.png, main]({UPLOAD}) | {AFTER_PICTURE} |"),
        ("moved", "", UPLOAD, f"runs/r-1c07/files/results/mass.png) | {AFTER_PICTURE} |"),
        ("moved", "javascript:x", "/uploads/../x", ""),
        ("first-run", "", UPLOAD, f"| `results/mass.png` | ![results/mass.png]({UPLOAD}) |"),
        ("same", UPLOAD, UPLOAD, ""),
    ],
)  # fmt: skip
def test_pictures_that_the_forge_keeps_stand_beside_each_other(name, before, after, cells):
    links = [{"results/mass.png": link} if link else {} for link in (before, after)]
    text = section(replace(SAMPLES[name], baseline_picture_links=links[0], picture_links=links[1]))
    assert cells in text
    assert ("![" in text) == bool(cells)
    assert "**Plots** 1" in text


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([("python:3.12", "system")], "without its container image."),
        ([("python:3.12", "fit"), ("python:3.12", "fit")], "without its container image."),
        ([("python:3.12", "fit"), ("root:6", "system")], "without container images."),
        ([("python:3.12", "container")], ""),
        ([("", "system")], ""),
        ([("python:3.12", "")], ""),
    ],
)
def test_what_stood_in_for_an_image_is_said(steps, words):
    records = tuple(
        StepRecord(name="fit", state=StepState.FINISHED, image=image, environment=environment)
        for image, environment in steps
    )
    text = section(finished(steps=records))
    assert words in text
    assert ("container image" in text) == bool(words)


def test_a_baseline_that_is_on_no_branch_is_named_by_its_commit():
    given = replace(BASELINE, branch="")
    assert f"against `{given.sha[:7]}` · " in note([finished(baseline=given)])


def test_what_could_not_be_read_is_said_before_what_is_missing_for_it():
    lost = Unreadable(source="results/fit.json", reason="line 1, column 2: is no JSON")
    odd = Unreadable(source="results/more.json", reason="`x` was already read")
    more = Metric(name="x", value=1.0, source="results/more.json")
    kept = tuple(metric for metric in AFTER.metrics if metric.name != "mu")
    report = finished(replace(AFTER, metrics=(*kept, more), unreadable=(lost, odd)))
    first, second = section(report).split("\n\n")[:2]
    assert "`results/fit.json` could not be read; " in first
    assert second == "**Not readable** results/fit.json: line 1, column 2: is no JSON"
    assert "**Note** results/more.json: `x` was already read" in section(report)


def test_what_could_not_be_read_is_not_offered_as_meant_to_be_missing():
    kept = replace(AFTER, metrics=tuple(metric for metric in AFTER.metrics if metric.name != "mu"))
    lost = replace(kept, unreadable=(Unreadable(source="results/fit.json", reason="is no JSON"),))
    for result, offered in [(kept, True), (lost, False)]:
        text = section(finished(result, rules=[Rule(metric="mu", relative=0.1, effect=RuleEffect.BLOCK)]))
        assert "mu` may change" in text
        assert ("/reana accept mu reason" in text) is offered


def test_a_rule_that_judges_nothing_is_named():
    text = section(finished(rules=[Rule(metric="efficency", relative=0.1)]))
    assert "the rule on `efficency` fits no metric here, so it judges nothing" in text


@pytest.mark.parametrize(
    ("glob", "advice"),
    [
        ("results/mas.png", "did you mean `results/mass.png`?"),
        ("**/*.root", "artifacts are the workflow's outputs and what `artifacts` names"),
    ],
)
def test_a_rule_on_files_that_judges_nothing_is_named(glob, advice):
    report = finished()
    compared = replace(report.comparison, idle_files=(glob,))
    text = section(replace(report, comparison=compared))
    assert f"`{glob}` under `files` fits no artifact here, so it judges nothing; {advice}" in text
