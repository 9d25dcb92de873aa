"""What a note looks like, outcome by outcome.

After a wanted change: `REANA_BRIDGE_GOLDEN=write pytest tests/reports`, and look at the difference.
"""

import os
from pathlib import Path

import pytest

from reana_bridge.reports.check import output
from reana_bridge.reports.markdown import section
from reana_bridge.reports.note import render
from reana_bridge.reports.terminal import to_text
from tests.reports.rich import SAMPLES as RICH_SAMPLES
from tests.reports.samples import NOTES
from tests.reports.samples import SAMPLES as PLAIN_SAMPLES

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = PLAIN_SAMPLES | RICH_SAMPLES
CHECKS = ("moved", "failed", "limit", "configuration", "needs-approval", "running")
RENDERED = {"md": section, "txt": lambda report: to_text(report, width=80)}


@pytest.mark.parametrize("ending", RENDERED)
@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name, ending):
    check(f"{name}.{ending}", RENDERED[ending](SAMPLES[name]))


@pytest.mark.parametrize("name", NOTES)
def test_golden_note(name):
    check(f"note-{name}.md", render(NOTES[name], limit=60_000))


@pytest.mark.parametrize("name", CHECKS)
def test_golden_check(name):
    shown = output(SAMPLES[name])
    places = [f"- {place.path}:{place.line}: {place.message}" for place in shown.annotations]
    buttons = [f"- [{button.label}] {button.description}" for button in shown.buttons]
    parts = [
        f"# {shown.title}",
        shown.summary.rstrip(),
        shown.text,
        *("\n".join(p) for p in (places, buttons)),
    ]
    check(f"check-{name}.md", "\n\n".join(part for part in parts if part) + "\n")


def check(name, shown):
    file = GOLDEN / name
    if os.environ.get("REANA_BRIDGE_GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert {file.name for file in GOLDEN.iterdir()} == {
        *(f"{name}.{end}" for name in SAMPLES for end in RENDERED),
        *(f"note-{name}.md" for name in NOTES),
        *(f"check-{name}.md" for name in CHECKS),
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_eighty_columns_suffice(name):
    copied = ("https://", "  reana-bridge run", "  /reana approve")  # lines to copy from are never broken
    lines = to_text(SAMPLES[name], width=80).splitlines()
    assert all(len(line) <= 80 for line in lines if not line.startswith(copied))
