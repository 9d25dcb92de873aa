"""What the pages show of our commands is what they print, on a fake GitLab."""

import re

import pytest

from tests.cli.test_connect_gitlab import PROJECT, World
from tests.cli.test_connect_gitlab import quiet as quiet
from tests.cli.test_connect_gitlab import world as world
from tests.docs.examples import ROOT, commands, examples

# What differs from one set-up to the next, in what a page shows.
VARYING = {
    r"gitlab:physics/measurement": re.escape(str(PROJECT)),
    r"https://bridge\.example\.org/webhooks/gitlab/\w+": r"http://127\.0\.0\.1:\d+/webhooks/lab/\w+",
    r"id \d+": r"id \d+",
    r"project_\d+_bot_\w+": r"project_\d+_bot_\w+",
    r"forge gitlab": "forge lab",
    r"\d{4}-[\d:.T-]+Z": r"[\d:.TZ-]+",
    r"\(root,": r"\([^,]*,",
    r"\.\.\.": r"[\s\S]*",
}


def pattern(shown: str) -> str:
    """A pattern for what the page shows, with what varies left open."""
    parts = re.split("(" + "|".join(VARYING) + ")", shown.strip())
    return "".join(
        next((new for old, new in VARYING.items() if re.fullmatch(old, part)), re.escape(part))
        for part in parts
    )


def shown(page: str, command: str) -> str:
    """The output that a page shows below a command of ours."""
    found = [c for e in examples("console", page=ROOT / "docs" / page) for c in commands(e)]
    return next(c.output for c in found if c.text == f"reana-bridge {command}")


@pytest.mark.parametrize(
    ("page", "command", "before"),
    [
        ("gitlab.md", "connect gitlab:physics/measurement", []),
        ("gitlab.md", "doctor", []),
        ("administration.md", "pause", ["pause", "backend", "local", "--reason"]),
    ],
)
def test_the_page_shows_what_is_printed(world: World, page: str, command: str, before: list[str]) -> None:
    wanted = shown(page, command)
    if before:
        world.command(*before, wanted.partition(": ")[2].partition(" (")[0])
    words = [str(PROJECT) if word.startswith("gitlab:") else word for word in command.split()]
    _, said = world.command(*words)
    assert re.search(f"^{pattern(wanted)}$", said.strip(), re.MULTILINE), said
