"""The pages on GitLab, GitHub and commands say what the code does."""

import re

import pytest

from reana_bridge.forges.github.people import EVENTS, PERMISSIONS
from reana_bridge.forges.gitlab.hooks import EVENTS as GITLAB_EVENTS
from reana_bridge.model.commands import HELP, CommandName, Mistake, parse
from reana_bridge.reports.markdown import section
from reana_bridge.reports.note import render
from reana_bridge.steps.deciding.hearing import HARMLESS
from tests.docs.examples import ROOT
from tests.reports.samples import NOTES, SAMPLES

SHOWN = re.compile(r"<!-- shown: ([a-z-]+) -->\n((?:>.*\n)+)")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("name", ["commands-in-comments", "concepts"])
def test_notes_in_the_pages_are_what_is_written(name: str) -> None:
    found = SHOWN.findall(page(name))
    assert found
    for sample, quoted in found:
        text = "".join(line.removeprefix(">").removeprefix(" ") for line in quoted.splitlines(keepends=True))
        written = render(NOTES[sample], limit=60_000) if sample in NOTES else section(SAMPLES[sample])
        assert text.rstrip() == written.rstrip(), f"{name}: the note {sample} looks like this now:\n{written}"


def test_every_command_is_explained() -> None:
    text = page("commands-in-comments")
    table = {re.sub(r"\]\(#\w+\)$|^\[", "", cells[0]): cells for cells in rows(text)}
    usages = [cells[0] for cells in rows(HELP)[1:] if cells[0].startswith("`/reana")]
    assert len(usages) == len(CommandName)
    for usage, name in zip(
        usages, sorted(CommandName, key=lambda n: HELP.index(f"`/reana {n}")), strict=True
    ):
        who = "who can comment" if name in HARMLESS else "who may push"
        if name is CommandName.ACCEPT:
            who = "who may merge, but not the author alone"
        assert table[usage][2] == who
        assert f"\n## {name}\n" in text


def test_commands_in_the_page_are_commands() -> None:
    text = page("commands-in-comments")
    blocks = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    kinds = [[type(each).__name__ for each in parse(block)] for block in blocks]
    assert kinds == [["Command"], ["Command"], ["Mistake"]]
    (mistake,) = parse(blocks[2])
    assert isinstance(mistake, Mistake)
    assert mistake.problem in text


def test_github_permissions_and_events_are_those_that_are_needed() -> None:
    text = page("github")
    app = text[: text.index("## With a token")]
    granted = {cells[0]: cells[1] for cells in rows(app) if len(cells) == 3 and cells[1].startswith("read")}
    named = {name.lower().replace(" ", "_"): level for name, level in granted.items()}
    words = {"read": "read", "write": "read and write"}
    assert named == {name: words[level] for name, level in PERMISSIONS.items()}
    assert all(f"*{event.replace('_', ' ').capitalize()}*" in app for event in EVENTS)


def test_gitlab_triggers_are_those_of_a_hook_of_ours() -> None:
    line = next(line for line in page("gitlab").splitlines() if line.startswith("| Trigger"))
    words = {"push_events": "push", "tag_push_events": "tag push", "note_events": "comments"}
    words |= {"merge_requests_events": "merge request"}
    assert words.keys() == set(GITLAB_EVENTS)
    assert all(word in line for word in words.values())
