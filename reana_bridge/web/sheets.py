"""What the pages of a run and of a comparison show, gathered in one read."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from sqlalchemy.orm import Session

from reana_bridge.model.reports import Report
from reana_bridge.model.results import StepRecord, StepState
from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.reports.file_rows import FileRow, PartRow, PictureRow
from reana_bridge.reports.own_text import own_html
from reana_bridge.reports.rows import StepRow, Tone
from reana_bridge.reports.view import ReportView, view
from reana_bridge.steps.pausing import pauses_on
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.steps.restarting import can_restart
from reana_bridge.steps.showing import with_own_text
from reana_bridge.store.tables import ArtifactRow, Decision, Run, Want
from reana_bridge.web import files, logs, queries
from reana_bridge.web.access import Opened
from reana_bridge.web.charts import Chart
from reana_bridge.web.histories import trends
from reana_bridge.web.site import Site

FILES_SHOWN = 500
PLOTS_SHOWN = 50
TRENDS_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """A step with its log: the end of it while it runs or where it failed, else a link only."""

    row: StepRow
    record: StepRecord
    tail: str = ""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One picture of several that stand beside each other: what it shows, where it is."""

    says: str
    url: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Pictures of one file, or of one part of it: the baseline's, this commit's, what differs, an overlay.

    Attributes:
        path: The file, or the metric.
        part: Of the file; empty for the whole.
        word: What became of it.
        explanation: How far apart.
        sides: Beside each other.
        more: Further pages or histograms of a file that stands alone, folded.
        cut: What of it was not drawn; empty for nothing.
    """

    path: str
    part: str
    word: str
    explanation: str
    sides: tuple[Side, ...]
    more: tuple[Side, ...] = ()
    cut: str = ""


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """An artifact: what became of it against the baseline, its size, its page."""

    path: str
    word: str
    tone: str
    size: int | None
    url: str
    kind: str = ""
    explanation: str = ""
    parts: tuple[PartRow, ...] = ()
    undrawn: str = ""


@dataclass(frozen=True, kw_only=True)
class RunSheet:
    """What the pages of a run show.

    Attributes:
        opened: The run, and who looks at it.
        view: Its report as words.
        steps: With the tails of their logs.
        plots: Pictures side by side.
        files: The kept files.
        more_files: How many are not listed.
        decision: Why it runs; None for one of unknown origin.
        wants: Who wants it, or wanted it.
        baseline: The run that it is compared with; None for none.
        pauses: Why work that concerns it is stopped, while it lives.
        restart_at: The failed step that it can be run again from; empty where it cannot.
        trends: The lines of what changed on the default branch, for who may see more than this run.
        own_html: What the analysis itself wrote, as safe HTML; empty for nothing.
    """

    opened: Opened
    view: ReportView
    steps: list[StepLine]
    plots: list[Plot]
    files: list[KeptFile]
    more_files: int
    decision: Decision | None
    wants: list[Want]
    baseline: Run | None
    pauses: tuple[str, ...]
    restart_at: str
    trends: list[Chart]
    own_html: str = ""

    @property
    def specification(self) -> str:
        """The file that says what the run does."""
        run = self.opened.run
        return analysis_of(run).file if run.settings else "reana.yaml"

    @property
    def steps_first(self) -> bool:
        """Whether the steps say more than the result: before there is one, and where there is none."""
        return self.opened.run.state != RunState.FINISHED

    @property
    def files_line(self) -> str:
        """How many of the files are what against the baseline; empty without one."""
        words = Counter(file.word for file in self.files if file.word)
        return ", ".join(f"{count} {word}" for count, word in words.most_common())

    @property
    def is_live(self) -> bool:
        """Whether the run goes on."""
        return self.opened.run.state in LIVE


def sheet_of(
    site: Site, session: Session, opened: Opened, report: Report, *, baseline: Run | None = None
) -> RunSheet:
    """Everything that a page shows of `report`, which is of the opened run.

    Args:
        site: Whose page it is.
        session: To read from.
        opened: The run, and who looks at it.
        report: Of that run, against whatever it is compared with.
        baseline: The run that it is compared with where it is not its own baseline, and may be seen by the
            caller; its files are then shown as its own.
    """
    run = opened.run
    report = with_own_text(site.bridge, report)
    shown = view(replace(report, file_urls={}, baseline_file_urls={}, drawn_urls={}))
    rows = queries.artifacts_of(session, run.id)
    kept = {row.path for row in rows}
    before = f"/runs/{baseline.id}/artifacts" if baseline else f"/runs/{run.id}/baseline"
    drawn = f"/compare/{baseline.id}/{run.id}/pictures" if baseline else f"/runs/{run.id}/pictures"
    places = _Places(run=run, kept=kept, before=before, drawn=drawn)
    plots = _plots(shown, places)
    pictured = {plot.path for plot in plots}
    listed = [
        file
        for file in _files((*shown.plots, *shown.files), run, rows)
        if file.path not in pictured or file.url
    ]
    records = {number: record for number, record in enumerate(report.steps, 1)}
    return RunSheet(
        opened=opened,
        view=shown,
        steps=[_step(site, session, run, row, records[row.number]) for row in shown.steps],
        plots=plots,
        files=listed[:FILES_SHOWN],
        more_files=max(0, len(listed) - FILES_SHOWN),
        decision=queries.decision_of(session, run.delivery_id),
        wants=queries.wants_of(session, run.id),
        baseline=baseline or _own_baseline(session, opened),
        pauses=pauses_on(session, run.project, run.backend) if run.state in LIVE else (),
        restart_at=_restart_at(site, run, shown),
        trends=_trends(session, opened, shown),
        own_html=own_html(report.own_text, lambda path: artifact_path(run.id, path, kept))
        if report.own_text
        else "",
    )


def artifact_path(run_id: str, path: str, kept: set[str]) -> str:
    """The path of a kept file's content; empty where it is not among the `kept`."""
    return f"/runs/{run_id}/artifacts/{quote(path)}" if path in kept else ""


def _trends(session: Session, opened: Opened, shown: ReportView) -> list[Chart]:
    if not opened.sees_project:
        return []
    names = [row.name for row in shown.attention[:TRENDS_SHOWN]]
    return trends(session, opened.project, opened.run.analysis, names) if names else []


def _restart_at(site: Site, run: Run, shown: ReportView) -> str:
    step = shown.failure.step if shown.failure else ""
    return step if step and can_restart(site.bridge, run) else ""


def _own_baseline(session: Session, opened: Opened) -> Run | None:
    id = opened.comparison.baseline_run_id if opened.comparison else None
    return session.get(Run, id) if id else None


def _step(site: Site, session: Session, run: Run, row: StepRow, record: StepRecord) -> StepLine:
    wanted = record.state in (StepState.RUNNING, StepState.FAILED) and bool(record.log)
    tail = logs.tail(site, session, run, record.log) if wanted else ""
    return StepLine(row=row, record=record, tail=tail)


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Where the pictures of a sheet are.

    Attributes:
        run: The run that the sheet is of.
        kept: The paths of its kept files.
        before: The path below which the baseline's pictures are.
        drawn: The path below which those are that were drawn.
    """

    run: Run
    kept: set[str]
    before: str
    drawn: str

    def side(self, picture: PictureRow | None, says: str) -> Iterator[Side]:
        """What was drawn, where something was."""
        if picture:
            yield Side(says=says, url=f"{self.drawn}/{quote(picture.digest)}", title=picture.title)


def _plots(shown: ReportView, places: _Places) -> list[Plot]:
    plots = [plot for row in shown.plots for plot in (_plot(row, shown, places), *_pages(row, shown, places))]
    for name, picture in shown.series:
        side = tuple(places.side(picture, "both, by step"))
        plots.append(Plot(path=name, part="", word="different", explanation="", sides=side))
    for row in (*shown.files, *shown.plots):
        for part, figures, picture in row.overlays:
            side = tuple(places.side(picture, "both, and their ratio"))
            plots.append(Plot(path=row.path, part=part, word=row.word, explanation=figures, sides=side))
        plots.append(_content(row, shown, places))
    return [plot for plot in plots if plot.sides][:PLOTS_SHOWN]


def _plot(row: FileRow, shown: ReportView, places: _Places) -> Plot:
    """The pictures of a whole file: its own, else what was drawn of it."""
    was, now = row.drawn("baseline"), row.drawn("head")
    label, is_picture = shown.baseline_label, files.is_picture(row.path)
    sides = [*places.side(was, label)]
    if not was and is_picture and row.word not in ("", "new"):
        title = f"{row.path} of the baseline, {shown.against}"
        sides.append(Side(says=label, url=f"{places.before}/{quote(row.path)}", title=title))
    sides += places.side(now, "this commit")
    if not now and is_picture and row.path in places.kept:
        url = artifact_path(places.run.id, row.path, places.kept)
        sides.append(Side(says="this commit", url=url, title=f"{row.path} of this commit"))
    sides += places.side(row.drawn("difference"), "difference")
    return Plot(path=row.path, part="", word=row.word, explanation=row.explanation, sides=tuple(sides))


def _pages(row: FileRow, shown: ReportView, places: _Places) -> Iterator[Plot]:
    """The parts of a file whose two sides were drawn beside each other."""
    labels = {"baseline": shown.baseline_label, "head": "this commit", "difference": "difference"}
    for page in row.pages:
        sides = (each for one in page.pictures for each in places.side(one, labels.get(one.shows, one.shows)))
        yield Plot(
            path=row.path,
            part=page.name,
            word=page.word,
            explanation=page.explanation,
            sides=tuple(sides),
        )


def _content(row: FileRow, shown: ReportView, places: _Places) -> Plot:
    """What is in a file that stands alone: its first page or histogram, the others folded."""
    label = shown.baseline_label if row.word == "missing" else "this commit"
    sides = [each for picture in row.contents for each in places.side(picture, label)]
    return Plot(
        path=row.path,
        part="",
        word=row.word,
        explanation=row.explanation,
        sides=tuple(sides[:1]),
        more=tuple(replace(side, says=side.title.removeprefix(f"{row.path}, ")) for side in sides[1:]),
        cut=row.cut,
    )


def _files(rows: tuple[FileRow, ...], run: Run, kept: list[ArtifactRow]) -> list[KeptFile]:
    sizes = {row.path: row.size for row in kept}
    known = {row.path for row in rows}
    unknown = [FileRow(path=row.path, word="", tone=Tone.NEUTRAL) for row in kept if row.path not in known]
    known_first = sorted(
        (*rows, *unknown), key=lambda row: (not row.moved, row.word in ("identical", ""), row.path)
    )
    return [
        KeptFile(
            path=row.path,
            word=row.word,
            tone=str(row.tone),
            size=sizes.get(row.path),
            url=f"/runs/{run.id}/files/{quote(row.path)}" if row.path in sizes else "",
            kind=row.kind,
            explanation=row.explanation,
            parts=row.moved_parts,
            undrawn=row.undrawn,
        )
        for row in known_first
    ]
