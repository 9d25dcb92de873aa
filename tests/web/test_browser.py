"""Every page in a real Chromium: wide and on a phone, with and without scripts."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reana_bridge.web.app import make_app
from tests.web.serving import serving
from tests.web.world import HEAD, World, fill, make_bridge

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), "")
playwright = pytest.importorskip("playwright.sync_api", reason="install playwright: uv sync")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="install a browser: apt-get install chromium")
WIDTHS = {"wide": 1280, "phone": 390}
PICTURES = os.environ.get("REANA_BRIDGE_SCREENSHOTS", "")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, World]]:
    bridge = make_bridge(tmp_path_factory.mktemp("shown"), public_url="http://127.0.0.1")
    world = fill(bridge)
    with serving(make_app(bridge)) as url:
        yield url, world
    bridge.close()


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as p:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = p.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(browser: "playwright.Browser", shown: tuple[str, World]) -> dict[str, object]:
    """Cookies of somebody who has signed in by the form, without scripts."""
    url, world = shown
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(url)
    page.click("header >> text=Sign in")
    page.fill("input[name=token]", "rb_wrong")
    page.click("button.primary")
    assert "not valid" in page.inner_text("main")
    page.fill("input[name=token]", world.tokens["operator"])
    page.click("button.primary")
    assert page.inner_text("h1") == "Projects"
    assert world.tokens["operator"] not in str(context.cookies())
    state = context.storage_state()
    context.close()
    return state


def addresses(world: World) -> dict[str, str]:
    return {
        "front": "/",
        "project": "/projects/local/physics/ttbar",
        "finished": f"/runs/{world.finished}",
        "first": f"/runs/{world.main}",
        "failed": f"/runs/{world.failed}",
        "running": f"/runs/{world.running}",
        "queued": f"/runs/{world.queued}",
        "comparison": f"/comparisons/{world.comparison}",
        "log": f"/runs/{world.running}/logs/select",
        "commit": f"/commits/local/physics/ttbar/{HEAD}",
        "absent": "/runs/none",
    }


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page(
    browser: "playwright.Browser",
    shown: tuple[str, World],
    session: dict[str, object],
    width: str,
    scripts: bool,
) -> None:
    url, world = shown
    size = {"width": WIDTHS[width], "height": 900}
    context = browser.new_context(storage_state=session, viewport=size, java_script_enabled=scripts)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for name, path in addresses(world).items():
        page.goto(url + path)
        assert page.locator("h1").count() == 1, name
        wide = page.evaluate("document.documentElement.scrollWidth") if scripts else 0
        assert wide <= WIDTHS[width], f"{name} is {wide} wide"
        broken = (
            "[...document.images].filter(i => i.loading != 'lazy' && i.complete && !i.naturalWidth).length"
        )
        assert not scripts or page.evaluate(broken) == 0
        unlabelled = "[...document.querySelectorAll('img:not([alt])')].length"
        assert not scripts or page.evaluate(unlabelled) == 0
        if PICTURES and scripts:
            page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
            page.wait_for_timeout(150)
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=name != "log")
    context.close()
    assert [line for line in said if "404" not in line] == []


def test_plots_are_drawn(
    browser: "playwright.Browser", shown: tuple[str, World], session: dict[str, object]
) -> None:
    url, world = shown
    context = browser.new_context(storage_state=session)
    page = context.new_page()
    page.goto(f"{url}/runs/{world.finished}")
    for path in ("mass_spectrum.png", "shape.svg"):
        for side in ("artifacts", "baseline"):
            picture = page.locator(f"img[src$='{side}/results/{path}']")
            picture.scroll_into_view_if_needed()
            playwright.expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("i => i.naturalWidth") > 100
    context.close()


def test_a_live_run_refreshes_itself_and_tables_sort(
    browser: "playwright.Browser", shown: tuple[str, World], session: dict[str, object]
) -> None:
    url, world = shown
    context = browser.new_context(storage_state=session)
    page = context.new_page()
    page.goto(f"{url}/runs/{world.running}/logs/select")
    logs = world.bridge.backends["local"].content  # type: ignore[attr-defined]
    logs["job-1", "select"] += b"\na line that came later\n"
    playwright.expect(page.locator("#log")).to_contain_text("a line that came later")
    page.goto(f"{url}/runs/{world.running}")
    logs["job-1", "select"] += b"and one more\n"
    playwright.expect(page.locator("pre.tail")).to_contain_text("and one more")
    page.goto(f"{url}/runs/{world.main}")
    header = page.locator("table.metrics thead th").nth(1)
    header.locator("button").click()
    playwright.expect(header).to_have_attribute("aria-sort", "ascending")
    values = page.locator("table.metrics tbody tr td.number").all_inner_texts()
    numbers = [float(text.split()[0]) for text in values]
    assert numbers == sorted(numbers)
    context.close()


def test_a_hostile_drawing_opened_by_itself_runs_nothing(
    browser: "playwright.Browser", shown: tuple[str, World], session: dict[str, object]
) -> None:
    url, world = shown
    context = browser.new_context(storage_state=session)
    page = context.new_page()
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    for path in ("results/page.html", "results/drawing.svg", "results/script.js"):
        with pytest.raises(playwright.Error, match=r"Download|ERR_ABORTED"):
            page.goto(f"{url}/runs/{world.finished}/artifacts/{path}")
    page.wait_for_timeout(100)
    assert ran == []
    context.close()


def test_a_link_opens_the_run_and_its_pictures(
    browser: "playwright.Browser", shown: tuple[str, World]
) -> None:
    url, world = shown
    with world.bridge.database.read() as session:
        from reana_bridge.store.tables import ProjectRow
        from reana_bridge.store.tokens import link_key

        project = session.get(ProjectRow, "local:physics/ttbar")
        assert project
        key = link_key(world.bridge.server_key, project, world.finished)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/runs/{world.finished}?key={key}")
    assert page.url == f"{url}/runs/{world.finished}"
    page.click("text=The comparison by itself")
    assert page.url == f"{url}/comparisons/{world.comparison}"
    picture = page.locator("img[src$='baseline/results/mass_spectrum.png']")
    picture.scroll_into_view_if_needed()
    playwright.expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("i => i.naturalWidth") > 100
    assert page.goto(f"{url}/runs/{world.main}").status == 404
    context.close()
