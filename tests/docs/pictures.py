"""Takes the pictures in docs/pictures anew, of the demo's own pushes: `python -m tests.docs.pictures`.

Needs chromium. Nothing in a picture is made up: pages are the server's own, the note is the Markdown that a
forge gets, the terminal is what `reana-bridge demo` prints.
"""

import io
import re
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from reana_bridge.cli.common import bridge_of
from reana_bridge.cli.demo import PATH, _runs_of
from reana_bridge.cli.progress import watch
from reana_bridge.cli.run import cache_directory
from reana_bridge.demo import variants
from reana_bridge.demo.repository import Repository
from reana_bridge.demo.server import FORGE, demo_server
from reana_bridge.forges import git_hook
from reana_bridge.model.reports import Report
from reana_bridge.reports import markdown, terminal

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; padding: 20px 28px; width: 900px; color: #1f2328 }
table { border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums }
td, th { border: 1px solid #d1d9e0; padding: 5px 12px } tr:nth-child(2n) { background: #f6f8fa }
code { background: #eff1f3; padding: 2px 5px; border-radius: 5px; font-size: 85% } a { color: #0969da }
pre { background: #f6f8fa; padding: 14px; border-radius: 6px; font-size: 85% }
pre code { padding: 0; background: none }
sub { color: #59636e; vertical-align: baseline; font-size: 85% } p { margin: 10px 0 }
"""
PUSHES = [
    ("main", variants.write_analysis, "A measurement of the signal strength"),
    ("tighter-selection", variants.change_selection, "Select more tightly"),
    ("broken-fit", variants.break_fit, "Rename a column"),
]


def main() -> None:
    """Run the demo's pushes, and take all pictures."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        place = Path(directory)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        environments = cache_directory() / "environments"
        with demo_server(place, requirements=variants.REQUIREMENTS, environments=environments) as server:
            reports = push_all(server, place)
            changed, failed = reports["tighter-selection"], reports["broken-fit"]
            notes(browser, {"note": changed, "note-failed": failed})
            in_a_terminal(browser, changed)
            token = (place / "secrets" / "operator.token").read_text(encoding="ascii").strip()
            pages(browser, server.url, token, changed.run_id)
        browser.close()


def push_all(server: Any, place: Path) -> dict[str, Report]:
    repository = Repository(server.git / f"{PATH}.git", place / "copy")
    url = f"{server.url}/webhooks/{FORGE}"
    git_hook.install(repository.bare, url=url, project=PATH, secret=server.secret)
    found: dict[str, Report] = {}
    with bridge_of(server.config) as bridge:
        for branch, edit, message in PUSHES:
            if branch != "main":
                repository.branch(branch)
            edit(repository.copy)
            sha = repository.commit(message)
            repository.push(branch)
            (found[branch],) = watch(bridge, _runs_of(bridge, sha), Console(file=io.StringIO()))
        for seed in (3, 4, 5, 6):
            sha = another_seed(repository, seed)
            watch(bridge, _runs_of(bridge, sha), Console(file=io.StringIO()))
    return found


def another_seed(repository: Repository, seed: int) -> str:
    """Push other simulated events to main, so that its metrics have a history."""
    subprocess.run(["git", "switch", "--quiet", "main"], cwd=repository.copy, check=True)
    specification = repository.copy / "reana.yaml"
    text = specification.read_text(encoding="utf-8")
    specification.write_text(re.sub(r"seed: \d+", f"seed: {seed}", text), encoding="utf-8")
    sha = repository.commit(f"Simulate with seed {seed}")
    repository.push("main")
    return sha


def notes(browser: Browser, reports: dict[str, Report]) -> None:
    for name, report in reports.items():
        text = markdown.section(replace(report, run_url="https://bridge.example.org/runs/1"))
        html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        picture(browser, name, f"<style>{STYLE}</style>{html}", width=960)


def in_a_terminal(browser: Browser, report: Report) -> None:
    console = Console(record=True, width=110, file=io.StringIO(), force_terminal=True)
    console.print(terminal.render(replace(report, run_url="")), crop=False)
    html = console.export_html(inline_styles=True)
    dark = "<style>body{background:#fff;margin:0;padding:16px 20px;font-size:14px;width:1000px}</style>"
    picture(browser, "terminal", html.replace("</head>", f"{dark}</head>"), width=1040)


def picture(browser: Browser, name: str, html: str, *, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 200}, device_scale_factor=1.5)
    page.set_content(html)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    page.close()


def pages(browser: Browser, url: str, token: str, run_id: str) -> None:
    context = browser.new_context(viewport={"width": 1180, "height": 900})
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.fill("input[name=token]", token)
    page.click("button.primary")
    shots = {"run": (f"runs/{run_id}", 1880), "project": (f"projects/{FORGE}/{PATH}", 1500)}
    for name, (path, height) in shots.items():
        page.set_viewport_size({"width": 1180, "height": height})
        page.goto(f"{url}/{path}")
        page.screenshot(path=PICTURES / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
