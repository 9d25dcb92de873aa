"""A report that has everything: tests, acceptances, checks, files compared part by part, own text."""

from dataclasses import replace

from reana_bridge.model.comparisons import (
    Acceptance,
    CheckComparison,
    FileComparison,
    FilePart,
    FileVerdict,
    History,
    Measure,
    MetricComparison,
    RuleEffect,
    RuleOutcome,
    Test,
    Verdict,
)
from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.model.metrics import Direction, Metric, UncertaintyPart
from reana_bridge.model.readings import CheckState
from reana_bridge.model.reports import OwnText, Report
from reana_bridge.model.results import Artifact
from tests.reports.samples import NOON, SHA, URL, finished

COMPARE = "https://bridge.example.org/comparisons/c-77"
DRAWN = "https://bridge.example.org/runs/r-2f81/pictures"
LIMIT = "upper limit (95 % CL)"
P, F, S = CheckState.PASSED, CheckState.FAILED, CheckState.SKIPPED
ACCEPTED = Acceptance(
    metric="yield.signal",
    value=812.0,
    reason="the new trigger has a higher rate",
    by="alice",
    at=NOON,
    sha=SHA,
)
SAMPLE = tuple(float(n) for n in range(50))


def limit(value: float, up: float, down: float) -> Metric:
    return Metric(
        name=LIMIT, value=value, uncertainty=up, up=up, down=down, unit="fb", direction=Direction.LOWER
    )


def mass(value: float) -> Metric:
    parts = (
        UncertaintyPart(name="statistical", up=0.12, down=0.12),
        UncertaintyPart(name="systematic", up=0.21, down=0.18),
    )
    return Metric(name="fit.mass", value=value, uncertainty=0.24, up=0.24, down=0.22, parts=parts, unit="GeV")


def pulled(before: Metric, after: Metric, verdict: Verdict, sigmas: float, **more) -> MetricComparison:
    difference = float(after.value) - float(before.value)
    test = Test(name="pull", statistic=sigmas, p_value=0.0, limit=3.0, significant=abs(sigmas) > 3)
    return MetricComparison(
        name=after.name,
        baseline=before,
        head=after,
        verdict=verdict,
        difference=difference,
        relative=difference / abs(float(before.value)),
        sigmas=sigmas,
        explanation=f"{abs(sigmas)} sigma",
        test=test,
        **more,
    )


def plain(name: str, before: float, after: float, verdict: Verdict, **more) -> MetricComparison:
    return MetricComparison(
        name=name,
        baseline=Metric(name=name, value=before),
        head=Metric(name=name, value=after),
        verdict=verdict,
        difference=after - before,
        relative=(after - before) / abs(before),
        **more,
    )


METRICS = (
    pulled(
        limit(4.2134, 0.123, 0.101),
        limit(4.98, 0.131, 0.11),
        Verdict.WORSE,
        4.8,
        rules=(
            RuleOutcome(
                rule="may change by at most 5 %",
                effect=RuleEffect.BLOCK,
                broken=True,
                explanation="+18.2 % exceeds 5 %",
            ),
        ),
    ),
    pulled(
        Metric(name="yield.signal", value=700.0, uncertainty=26.5),
        Metric(name="yield.signal", value=812.0, uncertainty=28.5),
        Verdict.CHANGED,
        3.2,
        rules=(
            RuleOutcome(
                rule="may change by at most 10 %",
                effect=RuleEffect.BLOCK,
                broken=True,
                explanation="+16 % exceeds 10 %",
                accepted=ACCEPTED,
            ),
        ),
    ),
    plain(
        "training.loss",
        0.412,
        0.455,
        Verdict.CHANGED,
        explanation="5.1 sigma from 50 runs since 8d01b7e",
        test=Test(name="t", statistic=5.4, p_value=1e-6, limit=3.2, sample=SAMPLE, significant=True),
    ),
    plain(
        "chi2 / ndf",
        1.04,
        1.09,
        Verdict.CHANGED,
        explanation="spread unknown, 4 of 8 runs",
        test=Test(name="t", sample=SAMPLE[:4], explanation="4 of 8 runs"),
    ),
    MetricComparison(
        name="background yield",
        baseline=None,
        head=Metric(name="background yield", value=812.3, uncertainty=29.0),
        verdict=Verdict.NEW,
    ),
    pulled(mass(125.31), mass(125.38), Verdict.CHANGED, 0.3),
    *(plain(f"yield.region_{n:02}", 100.0 + n, 100.0 + n, Verdict.SAME) for n in range(8)),
)


def picture(shows: str, title: str, letter: str) -> Picture:
    return Picture(shows=shows, title=title, digest=letter * 64)


FILES = (
    FileComparison(
        path="results/hists.root",
        verdict=FileVerdict.DIFFERENT,
        baseline_digest="h1",
        head_digest="h2",
        kind="histograms",
        explanation="1 of 14 histograms differs",
        parts=(
            FilePart(
                name="mass",
                verdict=FileVerdict.DIFFERENT,
                explanation="chi2/ndf 44.1/26, p = 0.015",
                measures=(Measure(name="chi2", value=44.1), Measure(name="ndf", value=26)),
                pictures=(picture("overlay", "mass: this commit over the baseline, with their ratio", "a"),),
            ),
            FilePart(
                name="pt", verdict=FileVerdict.WITHIN_TOLERANCE, explanation="chi2/ndf 20.0/26, p = 0.79"
            ),
        ),
    ),
    FileComparison(
        path="results/limits.csv",
        verdict=FileVerdict.DIFFERENT,
        baseline_digest="l1",
        head_digest="l2",
        kind="csv",
        explanation="3 of 40 rows differ",
        parts=(FilePart(name="limit", verdict=FileVerdict.DIFFERENT, explanation="3 values, up to 18 %"),),
    ),
    FileComparison(
        path="results/mass.png",
        verdict=FileVerdict.DIFFERENT,
        baseline_digest="m1",
        head_digest="m2",
        kind="image",
        explanation="4.1 % of the pixels differ",
        pictures=(picture("difference", "mass.png: pixels that differ", "b"),),
    ),
    FileComparison(
        path="results/scan.pdf",
        verdict=FileVerdict.DIFFERENT,
        baseline_digest="p1",
        head_digest="p2",
        kind="pdf",
        explanation="1 of 2 pages differs",
        parts=(
            FilePart(
                name="page 2",
                verdict=FileVerdict.DIFFERENT,
                explanation="3.1 % of the pixels differ",
                pictures=(
                    picture("baseline", "scan.pdf, page 2 of the baseline", "c"),
                    picture("head", "scan.pdf, page 2 of the head", "d"),
                    picture("difference", "What differs in scan.pdf, page 2: 3.1 % of the pixels", "e"),
                ),
            ),
        ),
    ),
    *(
        FileComparison(path=f"results/{name}", verdict=FileVerdict.NEW, head_digest=name, kind=kind)
        for name, kind in (("roc.pdf", "pdf"), ("damaged.pdf", "pdf"), ("shapes.root", "histograms"))
    ),
    FileComparison(
        path="results/fit.json",
        verdict=FileVerdict.WITHIN_TOLERANCE,
        baseline_digest="f1",
        head_digest="f2",
        kind="json",
        explanation="largest relative difference 3e-09",
    ),
    *(
        FileComparison(
            path=f"results/y{n}.csv", verdict=FileVerdict.IDENTICAL, baseline_digest="y", head_digest="y"
        )
        for n in range(11)
    ),
)
CONTENTS = {
    "results/roc.pdf": DrawnFile(
        pictures=tuple(picture("head", f"Page {page}", letter) for page, letter in ((1, "f"), (2, "0"))),
        cut="3 more pages",
    ),
    "results/damaged.pdf": DrawnFile(problem="is no PDF that can be read"),
    "results/shapes.root": DrawnFile(pictures=(picture("head", "The histogram pt", "1"),)),
}
LETTERS = "abcdef01"
CHECKS = (
    CheckComparison(
        name="The limit is in the log",
        source="tests/log.feature",
        baseline=P,
        head=F,
        message='the log of "fit" should contain "limit = ", it does not',
    ),
    CheckComparison(
        name="The plot has its checksum",
        source="tests/files.feature",
        baseline=F,
        head=F,
        message="another sha256",
    ),
    CheckComparison(name="The workflow ends within an hour", source="tests/run.feature", baseline=P, head=P),
    CheckComparison(name="The workspace is small", source="tests/run.feature", baseline=P, head=S),
    CheckComparison(name="The ntuple exists", source="tests/files.feature", baseline=F, head=P),
    CheckComparison(name="The workflow finishes", source="tests/run.feature", baseline=P, head=P),
)
OWN = OwnText(
    path="results/report.md",
    text="""\
# What moved

The *limit* follows the **trigger**, see [the study](https://docs.example.org/trigger).

| region | yield |
|---|--:|
| A | 12 |
| B | 7 |

![The mass](mass.png) ![tracker](https://evil.example/pixel.png) <b>no HTML</b>

- ping @everyone, closes #12
- nothing else

/merge
""",
)

_BASE = finished()
RICH: Report = replace(
    _BASE,
    comparison=replace(
        _BASE.comparison,
        metrics=METRICS,
        files=FILES,
        checks=CHECKS,
        contents=CONTENTS,
        blocked=True,
        tests=14,
        history=History(run_ids=tuple(f"r-{n}" for n in range(50)), shas=(SHA,) * 50),
    ),
    comparison_url=COMPARE,
    artifact_urls={file.path: f"{URL}/artifacts/{file.path}" for file in FILES},
    file_urls={file.path: f"{URL}/files/{file.path}" for file in FILES},
    baseline_file_urls={
        file.path: f"https://bridge.example.org/runs/r-1c07/files/{file.path}" for file in FILES
    },
    drawn_urls={letter * 64: f"{DRAWN}/{letter * 64}" for letter in LETTERS},
    own_text=OWN,
)
LINK = "/uploads/0123456789abcdef0123456789abcdef"
EMBEDDED: Report = replace(
    RICH,
    picture_links={"results/mass.png": f"{LINK}/mass.png"},
    baseline_picture_links={"results/mass.png": f"{LINK}/mass-before.png"},
    drawn_links={letter * 64: f"{LINK}/{letter}.png" for letter in LETTERS},
)
ACCEPTABLE: Report = replace(
    RICH,
    comparison=replace(
        RICH.comparison, blocked=False, metrics=METRICS[1:], checks=CHECKS[2:3], files=FILES[7:]
    ),
    own_text=None,
)
BLOCKED_BY_CHECKS: Report = replace(
    RICH, comparison=replace(RICH.comparison, metrics=METRICS[5:], files=FILES[7:]), own_text=None
)
_FIRST = finished(baseline=None, no_baseline="main has no result yet")
FIRST: Report = replace(
    _FIRST,
    result=replace(
        _FIRST.result,
        artifacts=tuple(Artifact(path=path, digest=path, size=1) for path in ("results/mass.png", *CONTENTS)),
    ),
    comparison=replace(_FIRST.comparison, contents=CONTENTS),
    artifact_urls=RICH.artifact_urls,
    file_urls=RICH.file_urls,
    drawn_urls=RICH.drawn_urls,
)
SAMPLES = {
    "first-plots": FIRST,
    "first-plots-embedded": replace(
        FIRST, picture_links=EMBEDDED.picture_links, drawn_links=EMBEDDED.drawn_links
    ),
    "rich": RICH,
    "embedded": EMBEDDED,
    "accepted": ACCEPTABLE,
    "checks": BLOCKED_BY_CHECKS,
}
