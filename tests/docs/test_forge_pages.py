"""What the pages show of our commands is what they print, on a fake GitLab and a fake GitHub."""

import re

import pytest

from tests.cli import test_connect_github, test_connect_gitlab
from tests.docs.examples import ROOT, commands, examples

quiet = test_connect_gitlab.quiet
gitlab = test_connect_gitlab.world
github = test_connect_github.world

# What differs from one set-up to the next: what a page shows -> a pattern.
VARYING = {
    r"(?:gitlab|github):physics/measurement": r"(?:lab|hub):atlas/ttbar",
    r"https://bridge\.example\.org/webhooks/\w+(?:/\w+)?": r"http://127\.0\.0\.1:\d+/webhooks/\w+(?:/\w+)?",
    r"\(private|\(public": r"\((?:private|public)",
    r"id \d+": r"id \d+",
    r"project_\d+_bot_\w+": r"project_\d+_bot_\w+",
    r"forge git(?:lab|hub)": "forge (?:lab|hub)",
    r"\d{4}-[\d:.T-]+Z": r"[\d:.TZ-]+",
    r"\(root,": r"\([^,]*,",
    r"\.\.\.": r"[\s\S]*",
}


def pattern(text: str) -> str:
    """A pattern for what a page shows, with what varies left open."""
    parts = re.split("(" + "|".join(VARYING) + ")", text.strip())
    return "".join(
        next((new for old, new in VARYING.items() if re.fullmatch(old, part)), re.escape(part))
        for part in parts
    )


def shown(page: str, command: str) -> list[str]:
    """What a page shows below a command of ours, once for each time."""
    found = [c for e in examples("console", page=ROOT / "docs" / page) for c in commands(e)]
    return [c.output for c in found if c.text == f"reana-bridge {command}" and c.output]


def words(command: str) -> list[str]:
    """The command of a page, on the project that the fakes have."""
    names = {"gitlab:physics/measurement": "lab:atlas/ttbar", "github:physics/measurement": "hub:atlas/ttbar"}
    return [names.get(word, word) for word in command.split()]


def check(said: str, wanted: str) -> None:
    assert re.search(f"^{pattern(wanted)}$", said.strip(), re.MULTILINE), f"{said}\nis not\n{wanted}"


@pytest.mark.parametrize("command", ["connect gitlab:physics/measurement", "doctor"])
def test_the_gitlab_page(gitlab: test_connect_gitlab.World, command: str) -> None:
    (wanted,) = shown("gitlab.md", command)
    check(gitlab.command(*words(command))[1], wanted)


@pytest.mark.parametrize(
    ("github", "position", "command"),
    [
        ("app", 0, "connect github:physics/measurement"),
        ("app", 0, "doctor"),
        ("token", 1, "connect github:physics/measurement"),
    ],
    indirect=["github"],
)
def test_the_github_page(github: test_connect_github.World, position: int, command: str) -> None:
    wanted = shown("github.md", command)[position]
    check(github.command(*words(command))[1], wanted)


def test_the_administration_page_on_pauses(gitlab: test_connect_gitlab.World) -> None:
    (wanted,) = shown("administration.md", "pause")
    reason = wanted.partition(": ")[2].partition(" (")[0]
    gitlab.command("pause", "backend", "local", "--reason", reason)
    check(gitlab.command("pause")[1], wanted)
