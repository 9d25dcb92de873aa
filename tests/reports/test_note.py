import html
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reana_bridge.model.metrics import Metric
from reana_bridge.model.reports import NoteContent
from reana_bridge.model.runs import RunState
from reana_bridge.reports.check import output
from reana_bridge.reports.note import render
from tests.model.strategies import values
from tests.reports.samples import AFTER, BASE, COMMON, NOTES, SAMPLES, SHA, content, finished
from tests.reports.test_escape import REFERENCES
from tests.reports.test_markdown import TAGS, nasty, reports

OURS = re.compile(r"</?(?:details|summary|sub)>")
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
LIMIT = 60_000


def analyses(text):
    """The analyses that have a section, in their order."""
    return re.findall(r"\*\*reana/([\w-]+): ", text)


def check_harmless(text):
    """Nothing from outside does anything in `text`."""
    assert not any(line.startswith("/") for line in OURS.sub("", text).splitlines())
    page = MARKDOWN.render(text)
    assert set(re.findall(r"<([a-z]+)", page)) <= TAGS | {"details", "summary", "sub"}
    assert "<!--" not in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert all(url.startswith(("https://b.example", "http://x", "https://x", "HTTP")) for url in links)
    outside = re.sub(r"(?s)<pre\b.*?</pre>|<code>.*?</code>", " ", page)
    assert not REFERENCES.search(html.unescape(re.sub(r"<[^>]*>", " ", outside)))


def contents():
    shas = st.sampled_from([SHA, "", "`a`b"])
    return values(NoteContent, text=nasty, sha=shas, reports=_few(reports()), superseded=_few(reports()))


def _few(strategy):
    return st.lists(strategy, max_size=1).map(tuple)


@settings(
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # such large values take minutes to shrink
)
@given(st.data())
def test_nothing_from_outside_does_anything(data):
    drawn = data.draw(contents())
    limit = data.draw(st.sampled_from([0, 100, 700, 5000, LIMIT]))
    text = render(drawn, limit=limit)
    assert len(text) <= limit
    assert text == render(drawn, limit=limit)
    check_harmless(text)
    assert [len(re.findall(f"<{tag}>", text)) for tag in ("details", "summary", "sub")] == [
        len(re.findall(f"</{tag}>", text)) for tag in ("details", "summary", "sub")
    ]
    for report in drawn.reports:
        shown = output(report)
        check_harmless(shown.summary)
        check_harmless(shown.text)
        assert len(shown.summary.encode()) <= 65_535
        assert len(shown.text.encode()) <= 65_535
        assert len(shown.title) <= 140


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("several", ["b-toys", "c-limits", "d-scan", "a-fit"]),
        ("head-is-running", ["fit", "fit"]),
        ("nothing-runs", ["fit"]),
        ("paused", ["fit"]),
    ],
)
def test_what_asks_for_a_look_stands_first(name, order):
    assert analyses(render(NOTES[name], limit=LIMIT)) == order


def test_an_older_result_is_folded_and_named():
    text = render(NOTES["head-is-running"], limit=LIMIT)
    before, _, after = text.partition("<details><summary>reana/fit at b1c2d3e, an earlier commit</summary>")
    assert "metrics got worse" not in before
    assert "This is of `b1c2d3e`, not of `3f9c2a1`, which the merge request has now." in after
    assert "| that commit |" in after
    assert "| this commit |" not in text


def test_an_approval_is_ready_to_paste_and_no_command_itself():
    text = render(NOTES["several"], limit=LIMIT)
    assert f"`/reana approve {SHA}`" in text
    assert not re.search(r"(?m)^\s*/", text)


@pytest.mark.parametrize("sha", ["", "abc", SHA.upper(), f"{SHA} x", "g" * 40])
def test_only_a_whole_commit_can_be_approved(sha):
    text = render(content(replace(SAMPLES["needs-approval"], sha=sha)), limit=LIMIT)
    assert "/reana approve" not in text
    assert "waits for approval" in text


@pytest.mark.parametrize(
    ("given_reports", "offered"),
    [
        ([], ["run", "help"]),
        ([SAMPLES["better"]], ["run", "help"]),
        ([SAMPLES["failed"]], ["run", "retest", "help"]),
        ([SAMPLES["cancelled"]], ["run", "retest", "help"]),
        ([SAMPLES["configuration"]], ["run", "help"]),
        ([SAMPLES["running"]], ["cancel", "help"]),
        ([SAMPLES["waiting"]], ["cancel", "help"]),
        ([SAMPLES["needs-approval"]], ["approve", "help"]),
        ([SAMPLES["first-run"]], ["run", "compare main", "help"]),
        ([SAMPLES["failed"], SAMPLES["running"]], ["run", "retest", "cancel", "help"]),
    ],
)
def test_the_commands_that_make_sense_now(given_reports, offered):
    text = render(content(*given_reports), limit=LIMIT)
    assert [name.removesuffix(f" {SHA}") for name in re.findall(r"`/reana ([^`]*)`", text)] == offered
    assert "`/reana" not in render(content(*given_reports, commands=False), limit=LIMIT)


@pytest.mark.parametrize("branch", ["", "a b", "`", "-x", "x" * 200, "@all"])
def test_no_odd_branch_is_ready_to_paste(branch):
    text = render(replace(content(SAMPLES["first-run"]), default_branch=branch), limit=LIMIT)
    assert "/reana compare" not in text


@pytest.mark.parametrize("limit", [0, 6, 20, 100, 400, 1500, 3000, 6000])
@pytest.mark.parametrize("name", NOTES)
def test_the_limit_holds_with_the_verdicts(name, limit):
    text = render(NOTES[name], limit=limit)
    assert len(text) <= limit
    assert text or limit < 6
    if limit >= 1500 and name != "hostile":
        assert {report.analysis for report in NOTES[name].reports} <= set(analyses(text))
        assert text.count("[run](https://") >= sum(bool(r.run_url) for r in NOTES[name].reports)


def test_what_is_folded_goes_first_and_is_named():
    whole = render(NOTES["head-is-running"], limit=LIMIT)
    text = render(NOTES["head-is-running"], limit=len(whole) - 1)
    assert "1 result of earlier commits left out." in text
    assert "<details>" not in text
    assert "step 2 of 4, `select`, is running" in text


def test_many_analyses_each_keep_their_verdict_and_link():
    many = content(*(replace(SAMPLES["moved"], analysis=f"a{i:02}") for i in range(80)))
    text = render(many, limit=1_000_000)
    assert len(text) <= LIMIT
    assert analyses(text) == [f"a{i:02}" for i in range(80)]
    assert text.count("[run](https://") == 80


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (RunState.WAITING, ["approve"]),
        (RunState.QUEUED, ["cancel"]),
        (RunState.SUBMITTING, ["cancel"]),
        (RunState.RUNNING, ["cancel"]),
        (RunState.COMPARING, ["cancel"]),
        (RunState.FINISHED, []),
        (RunState.FAILED, []),
        (RunState.CANCELLED, []),
    ],
)
def test_buttons_of_a_check(state, buttons):
    shown = output(replace(COMMON, state=state, sha=BASE))
    assert [button.identifier for button in shown.buttons] == buttons
    for button in shown.buttons:
        assert len(button.label) <= 20
        assert len(button.identifier) <= 20
        assert len(button.description) <= 40


def test_a_check_shows_the_section_the_steps_and_the_place():
    shown = output(SAMPLES["failed"])
    assert shown.title == "step 3 of 4, `fit`, failed after 2 min: exit status 1"
    assert "KeyError: 'n_tracks'" in shown.summary
    assert "| 3 | fit | failed | 2 min · exit status 1 |" in shown.text
    assert [(place.path, place.line, place.message) for place in shown.annotations] == [
        ("fit.py", 88, "KeyError: 'n_tracks'")
    ]


def test_a_workflow_of_many_steps_fits():
    steps = tuple(replace(SAMPLES["failed"].steps[0], name="|" * 500) for _ in range(5000))
    shown = output(replace(SAMPLES["failed"], steps=steps))
    assert len(shown.text.encode()) <= 65_535
    assert shown.text.endswith("And 4900 more steps.")


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u7269", "\U0001f9ea"])
def test_a_long_summary_fits_in_bytes(letter):
    metrics = tuple(Metric(name=f"{i} {letter * 200}", value=float(i)) for i in range(400))
    shown = output(finished(replace(AFTER, metrics=metrics)))
    assert 10_000 < len(shown.summary.encode()) <= 65_535
    assert "Shortened to fit this note" in shown.summary
