"""Comparisons of any two runs, pages and archives of files, and the forms for programs."""

import io
import re
import threading
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.reports import Report
from reana_bridge.steps import previewing
from reana_bridge.store.tables import ArtifactRow, ComparisonRow, Run
from reana_bridge.web.app import make_app
from tests.reports import rich
from tests.results.files.hostile import pdf
from tests.web.test_authorisation import bearer
from tests.web.world import World, picture

OWN = b"# What moved\n\n<script>alert(1)</script> the **limit** @everyone\n\n![m](mass_spectrum.png) ![x](https://evil.example/x.png)\n"


@pytest.fixture(scope="module")
def filled(world: World) -> World:
    """The world with a comparison that has everything, what was drawn for it, and the analysis' own text."""
    bridge = world.bridge
    drawn = bridge.blobs.put(io.BytesIO(picture(1.0)), limit=1 << 24)
    own = bridge.blobs.put(io.BytesIO(OWN), limit=1 << 20)
    table = bridge.blobs.put(io.BytesIO(b"region,yield\n" + b"A<b>,12\n" * 900), limit=1 << 20)
    with bridge.database.transaction() as session:
        run = session.get_one(Run, world.finished)
        row = session.get_one(ComparisonRow, world.comparison)
        document = from_data(Comparison, row.document)
        pictures = [replace(one, digest=drawn.digest) for one in rich.FILES[0].parts[0].pictures]
        part = replace(rich.FILES[0].parts[0], pictures=tuple(pictures))
        files = (
            replace(rich.FILES[0], path="results/unknown", parts=(part,)),
            *rich.FILES[1:],
            *document.files,
        )
        metrics = (*rich.METRICS, *document.metrics)
        full = replace(document, files=files, checks=rich.CHECKS, metrics=metrics, contents=rich.CONTENTS)
        row.document = to_data(full)
        session.add(
            ArtifactRow(
                run_id=run.id,
                kind="picture",
                path=f"{drawn.digest}.png",
                digest=drawn.digest,
                size=drawn.size,
            )
        )
        paper, bad = (bridge.blobs.put(io.BytesIO(one), limit=1 << 20) for one in (pdf(), b"root\0no"))
        others = {"results/plot.pdf": paper, "results/bad.root": bad}
        for path, blob in {"results/report.md": own, "results/table.csv": table, **others}.items():
            session.add(
                ArtifactRow(run_id=run.id, kind="output", path=path, digest=blob.digest, size=blob.size)
            )
        left = dict(run.result)
        left["artifacts"] = [
            *left["artifacts"],
            {"path": "results/report.md", "digest": own.digest, "size": own.size},
        ]
        run.result = left
    return world


async def get(client: httpx.AsyncClient, world: World, path: str, who: str = "operator") -> httpx.Response:
    names = {
        "finished": world.finished,
        "main": world.main,
        "comparison": world.comparison,
        "failed": world.failed,
    }
    return await client.get(path.format(**names), headers=bearer(world, who))


SAYS = {
    "/runs/{finished}": ["4.21 +0.12 -0.10", "accepted by alice", "newly failing", "From the analysis",
                         "<strong>limit</strong>", "Download all (ZIP)", "chi2/ndf 44.1/26",
                         "/pictures/", "&lt;script&gt;"],
    "/comparisons/{comparison}": ["/compare/{main}/{finished}", "still failing", 'id="rules"',
                                  "/reana accept"],
    "/compare/{main}/{finished}": ["newly failing", "against"],
    "/compare/{finished}/{main}": ["as asked for", "/compare/{finished}/{main}/pictures/"],
    "/compare/{main}/{failed}": ["left no result"],
    "/runs/{finished}/files/results/table.csv": ["region", "A&lt;b&gt;", "more rows"],
    "/runs/{finished}/files/results/data.json": ["&#34;a&#34;: &#34;&lt;script&gt;&#34;"],
    "/runs/{finished}/files/results/mass_spectrum.png": ["<img class=\"whole\""],
    "/runs/{finished}/files/results/report.md": ["<h3>What moved</h3>",
                                                 "artifacts/results/mass_spectrum.png"],
    "/runs/{finished}/files/results/plot.pdf": ["Page 1", "/runs/{finished}/pictures/"],
    "/runs/{finished}/files/results/bad.root": ["Nothing of it can be shown here: is no ROOT file"],
    "/runs/{finished}/files/results/unknown": ["1 of 14 histograms differs", "mass", "/pictures/"],
    "/runs/{finished}/files/results/page.html": ["&lt;script&gt;alert(1)&lt;/script&gt;"],
}  # fmt: skip


@pytest.mark.parametrize("path", SAYS)
async def test_what_the_pages_say(client: httpx.AsyncClient, filled: World, path: str) -> None:
    answer = await get(client, filled, path)
    assert answer.status_code == 200
    names = {"finished": filled.finished, "main": filled.main}
    for words in SAYS[path]:
        assert words.format(**names) in answer.text
    assert "<script>alert" not in answer.text
    assert "evil.example" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_a_drawn_picture_is_served_by_its_digest(client: httpx.AsyncClient, filled: World) -> None:
    page = (await get(client, filled, "/runs/{finished}/files/results/unknown")).text
    (address,) = set(re.findall(r'src="(/runs/[^"]*/pictures/[^"]*)"', page))
    answer = await get(client, filled, address)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == picture(1.0)
    assert (await get(client, filled, "/runs/{finished}/pictures/" + "e" * 64)).status_code == 404


async def test_what_was_drawn_of_two_runs_is_served_to_who_sees_both(
    client: httpx.AsyncClient, filled: World
) -> None:
    page = (await get(client, filled, "/compare/{finished}/{main}")).text
    found = set(re.findall(r'src="(/compare/[^"]*/pictures/[^"]*)"', page))
    assert "What differs between baseline and head in results/mass_spectrum.png" in page
    assert len(found) > 2
    for address in found:
        assert (await get(client, filled, address)).content.startswith(b"\x89PNG")
        assert (await client.get(address)).status_code == 404
        assert (await get(client, filled, address, "other-writer")).status_code == 404
        elsewhere = address.replace(f"/compare/{filled.finished}/{filled.main}", f"/runs/{filled.main}")
        assert (await get(client, filled, elsewhere)).status_code == 404


async def test_what_was_drawn_of_a_file_is_kept_and_served_to_who_sees_the_run(
    client: httpx.AsyncClient, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [f"/runs/{{finished}}/files/results/{name}" for name in ("plot.pdf", "bad.root")]
    first = [(await get(client, filled, path)).text for path in paths]
    monkeypatch.setattr(previewing, "draw", None)  # nothing is drawn again
    assert [(await get(client, filled, path)).text for path in paths] == first
    (address,) = set(re.findall(r'src="(/runs/[^"]*/pictures/[^"]*)"', first[0]))
    assert (await get(client, filled, address)).content.startswith(b"\x89PNG")
    assert (await get(client, filled, address, "other-writer")).status_code == 404
    other = address.replace(filled.finished, filled.main)
    assert (await get(client, filled, other)).status_code == 404


async def test_only_so_many_files_are_drawn_at_once(
    client: httpx.AsyncClient, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "known_of", lambda *_: None)
    monkeypatch.setattr(previewing, "_PATIENCE", 0)
    monkeypatch.setattr(previewing, "_TURNS", threading.Semaphore(0))
    answer = await get(client, filled, "/runs/{finished}/files/results/plot.pdf")
    assert "reload this page in a moment" in answer.text


async def test_all_files_as_one_archive(client: httpx.AsyncClient, filled: World) -> None:
    answer = await get(client, filled, "/runs/{finished}/artifacts.zip")
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert archive.read("results/report.md") == OWN
    assert len(archive.namelist()) == 15
    again = await get(client, filled, "/runs/{finished}/artifacts.zip")
    assert again.content == answer.content
    limits = filled.bridge.settings.limits
    small = filled.bridge.settings.model_copy(update={"limits": limits.model_copy(update={"download": 100})})
    transport = httpx.ASGITransport(app=make_app(replace(filled.bridge, settings=small)))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as other:
        refused = await get(other, filled, "/runs/{finished}/artifacts.zip")
    assert refused.status_code == 413
    assert "limits.download" in refused.text


async def test_forms_for_programs(client: httpx.AsyncClient, filled: World) -> None:
    text = await get(client, filled, "/api/v1/runs/{finished}/metrics?format=openmetrics")
    assert text.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name for family in text_string_to_metric_families(text.text)}
    assert {"upper_limit_95_CL", "signal_efficiency"} <= families
    for path in ("/api/v1/runs/{finished}/comparison", "/api/v1/compare/{main}/{finished}"):
        suites = ElementTree.fromstring((await get(client, filled, f"{path}?format=junit")).content)
        assert {suite.get("name") for suite in suites} == {"reana/fit checks", "reana/fit rules"}
        shown = await get(client, filled, f"{path}?format=markdown")
        assert "**Checks** 3 of 6 passed" in shown.text
        assert "key=" not in shown.text
        report = from_data(Report, (await get(client, filled, f"{path}?format=report")).json())
        assert report.own_text
        whole = (await get(client, filled, path)).json()
        assert whole["metrics"][0]["baseline"]["up"] == 0.123
        assert whole["metrics"][1]["rules"][0]["accepted_by"] == "alice"
        assert whole["checks"][0]["head"] == "failed"
        assert whole["files"][0]["parts"][0]["figures"] == {"chi2": 44.1, "ndf": 26}
        (shown,) = whole["files"][0]["parts"][0]["pictures"]
        assert (shown["shows"], (await get(client, filled, shown["url"])).content) == (
            "overlay",
            picture(1.0),
        )
        assert whole["contents"]["results/roc.pdf"]["cut"] == "3 more pages"
    crash = ElementTree.fromstring(
        (await get(client, filled, "/api/v1/runs/{failed}/comparison?format=junit")).content
    )
    assert crash.find(".//error") is not None
    assert (await get(client, filled, "/api/v1/runs/{failed}/comparison")).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/compare/{main}/{finished}", "/runs/{finished}/artifacts.zip",
     "/runs/{finished}/files/results/table.csv",
     "/api/v1/compare/{main}/{finished}", "/api/v1/runs/{finished}/metrics?format=openmetrics"],
)  # fmt: skip
@pytest.mark.parametrize("who", ["", "other-writer"])
async def test_nobody_else_sees_them(client: httpx.AsyncClient, filled: World, path: str, who: str) -> None:
    address = path.format(finished=filled.finished, main=filled.main)
    headers = bearer(filled, who) if who else {}
    assert (await client.get(address, headers=headers)).status_code == 404


@pytest.mark.parametrize("order", [("main", "public"), ("public", "main")])
async def test_a_pair_needs_the_right_to_both(
    client: httpx.AsyncClient, filled: World, order: tuple[str, str]
) -> None:
    ids = {"main": filled.main, "public": filled.public}
    path = "/compare/" + "/".join(ids[name] for name in order)
    assert (await client.get(path)).status_code == 404
    assert (await client.get(path, headers=bearer(filled, "other-writer"))).status_code == 404
    seen = await client.get(path, headers=bearer(filled, "physics-reader"))
    assert seen.status_code == 200
    assert "the project differs" in seen.text
