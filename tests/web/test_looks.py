"""What can be seen is readable: contrast and text alternatives of pages and notes, in light and in dark."""

import re
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.reports.html import document
from reana_bridge.reports.markdown import section
from tests.reports.rich import SAMPLES as RICH_SAMPLES
from tests.reports.samples import SAMPLES as PLAIN_SAMPLES
from tests.web.test_browser import CHROMIUM, browser, shown  # noqa: F401
from tests.web.world import World

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="install a browser: apt-get install chromium")
NOTES = ("embedded", "accepted", "failed", "first-run", "blocked", "needs-approval")

LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")


def problems(page: Any) -> list[str]:
    """What is hard to read on a page, everything on it unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return page.evaluate(f"(looks => [...looks.pale(), ...looks.nameless()])({LOOKS})")


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p style='color:#777;background:#fff'>grey</p>", ['4.48 of "grey"']),
        ("<p style='color:#767676;background:#fff'>grey</p>", []),
        ("<p style='color:#777;background:#fff;font-size:30px'>grey</p>", []),
        ("<div style='background:#333'><p style='color:#000'>dark</p></div>", ['1.66 of "dark"']),
        ("<p style='color:#000;background:#fff;opacity:.4'>faint</p>", ['2.85 of "faint"']),
        ("<img src='data:,'>", ['<img src="data:,">']),
        ("<img src='data:,' alt='mass'>", []),
        ("<button> </button>", ["<button> </button>"]),
    ],
)
def test_the_measure_finds_what_it_should(browser: Any, html: str, found: list[str]) -> None:  # noqa: F811
    page = browser.new_page()
    page.set_content(html)
    assert problems(page) == found
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages(browser: Any, shown: tuple[str, World], scheme: str) -> None:  # noqa: F811
    url, world = shown
    context = browser.new_context(reduced_motion="reduce", color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.fill("input[name=token]", world.tokens["operator"])
    page.click("button.primary")
    paths = {
        "front": "/",
        "project": "/projects/local/physics/ttbar",
        "run": f"/runs/{world.finished}",
        "failed": f"/runs/{world.failed}",
        "running": f"/runs/{world.running}",
        "pair": f"/compare/{world.main}/{world.finished}",
        "file": f"/runs/{world.finished}/files/results/limits.csv",
        "picture": f"/runs/{world.finished}/files/results/mass_spectrum.png",
    }
    for name, path in paths.items():
        page.goto(url + path)
        assert problems(page) == [], name
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_notes(browser: Any, scheme: str) -> None:  # noqa: F811
    context = browser.new_context(
        reduced_motion="reduce", color_scheme=scheme, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    for name in NOTES:
        html = document(section((PLAIN_SAMPLES | RICH_SAMPLES)[name]), title=name)
        page.set_content(re.sub(r'src="/uploads/[^"]*"', 'src="data:,"', html))
        assert problems(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()
