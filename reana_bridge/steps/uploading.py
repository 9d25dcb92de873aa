"""Pictures of a note, copied to the forge before the note is written.

Promises: only where the settings allow it (who has the address sees the copy); only PNG and JPEG files, by
their content; each content once a project, at most so many and so large as the settings say. A death between
an upload and its row uploads that one again, at worst. What cannot be copied is linked from here instead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

import structlog
from sqlalchemy import select

from reana_bridge.forges.base import ForgeError, ForgeRefused, RateLimited
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.comparisons import UNMOVED
from reana_bridge.model.projects import Project
from reana_bridge.model.reports import Report
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.showing import drawn_pictures
from reana_bridge.store.tables import ProjectRow, Upload
from reana_bridge.store.upsert import upsert

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_SUFFIXES = (".png", ".jpg", ".jpeg")
_log = structlog.get_logger()
_upload = cast(Any, Upload)


def with_pictures(
    bridge: Bridge, forge: HostedForge, project: Project, reports: Sequence[Report], *, insist: bool
) -> tuple[Report, ...]:
    """The reports with links to the copies of their pictures, those that changed first.

    Args:
        bridge: Settings, database and kept files.
        forge: Where the copies go.
        project: On which project.
        reports: What the note speaks of.
        insist: Whether to try all of it later when the forge fails just now; else the note goes without.

    Raises:
        RateLimited: The forge asks to wait.
        ForgeError: Not now, where `insist`.
    """
    rule = bridge.settings.project(project)
    if rule is None or rule.uploads == "never" or not forge.keeps_pictures:
        return tuple(reports)
    wanted = [picture for report in reports for picture in _pictures(report)]
    wanted.sort(key=lambda picture: picture[0])
    links = _Links(bridge, forge, project, only_public=rule.uploads == "public", insist=insist)
    digests = dict.fromkeys((digest, name) for _, name, digest in wanted)
    by_digest = links.of(digests)
    return tuple(_with_links(report, by_digest) for report in reports)


def _pictures(report: Report) -> Iterator[tuple[int, str, str]]:
    """(rank, name, digest) of the pictures of a report: what changed first, what is identical last."""
    comparison = report.comparison
    artifacts = report.result.artifacts if report.result else ()
    yield from (
        (1, _name(a.path), a.digest) for a in artifacts if _is_named_so(a.path) and _told(report, a.path)
    )
    if comparison is None or comparison.baseline is None:
        yield from ((1, _name(a.path), a.digest) for a in artifacts if _is_named_so(a.path))
        return
    for metric in comparison.metrics:
        yield from ((0, f"series-{picture.shows}.png", picture.digest) for picture in metric.pictures)
    for file in comparison.files:
        if file.verdict in UNMOVED:
            continue
        if _is_named_so(file.path):
            digests = (file.head_digest, file.baseline_digest)
            yield from ((0, _name(file.path), digest) for digest in digests if digest)
        drawn = [picture for part in (file, *file.parts) for picture in part.pictures]
        yield from ((0, f"{_name(file.path)[:70]}-{picture.shows}.png", picture.digest) for picture in drawn)


def _told(report: Report, path: str) -> bool:
    """Whether the analysis' own text names this file."""
    return report.own_text is not None and PurePosixPath(path).name in report.own_text.text


def _with_links(report: Report, links: dict[str, str]) -> Report:
    comparison = report.comparison
    artifacts = report.result.artifacts if report.result else ()
    head = {a.path: links[a.digest] for a in artifacts if a.digest in links}
    if comparison is None or comparison.baseline is None:
        return replace(report, picture_links=head)
    files = comparison.files
    drawn = [picture.digest for picture in drawn_pictures(comparison)]
    return replace(
        report,
        drawn_links={digest: links[digest] for digest in drawn if digest in links},
        picture_links=head | {f.path: links[f.head_digest] for f in files if f.head_digest in links},
        baseline_picture_links={
            f.path: links[f.baseline_digest] for f in files if f.baseline_digest in links
        },
    )


def _is_named_so(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in _SUFFIXES


def _name(path: str) -> str:
    """A name that is safe on every forge."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", PurePosixPath(path).name)
    return plain[-80:].lstrip(".-") or "picture.png"


class _Links:
    """Digest -> link, uploading what is not there yet."""

    def __init__(
        self, bridge: Bridge, forge: HostedForge, project: Project, *, only_public: bool, insist: bool
    ) -> None:
        self._bridge, self._forge, self._project, self._insist = bridge, forge, project, insist
        self._only_public = only_public
        self._limits = bridge.settings.limits

    def of(self, wanted: dict[tuple[str, str], None]) -> dict[str, str]:
        """The links of at most as many contents as the settings allow."""
        first = dict[str, str]()
        for digest, name in wanted:
            first.setdefault(digest, name)
        chosen = dict(list(first.items())[: self._limits.uploads])
        links = self._known(list(chosen))
        missing = {digest: name for digest, name in chosen.items() if digest not in links}
        if not missing or not self._may_copy():
            return links
        for digest, name in missing.items():
            link = self._put(digest, name)
            if link is None:
                break
            if link:
                links[digest] = link
        return links

    def _may_copy(self) -> bool:
        """Whether the project lets who has an address see it: asked of the forge now, as it may change."""
        if not self._only_public:
            return True
        try:
            private = self._forge.facts(self._project).private
        except ForgeRefused as refused:
            _log.warning("upload.refused", project=str(self._project), name="", error=str(refused))
            return False
        except RateLimited:
            raise
        except ForgeError as failed:
            if self._insist:
                raise
            _log.warning("upload.failed", project=str(self._project), name="", error=str(failed))
            return False
        with self._bridge.database.transaction() as session:
            row = session.get(ProjectRow, str(self._project))
            if row is not None:
                row.private = private
        return not private

    def _known(self, digests: list[str]) -> dict[str, str]:
        here = (_upload.project == str(self._project), _upload.digest.in_(digests))
        with self._bridge.database.read() as session:
            found = session.execute(select(_upload.digest, _upload.link).where(*here)).all()
        return {digest: link for digest, link in found}

    def _put(self, digest: str, name: str) -> str | None:
        """The link of a fresh copy; empty where this one cannot be copied, None where none can be now."""
        content = self._content(digest)
        if content is None:
            return ""
        try:
            link = self._forge.upload(self._project, name, content)
        except RateLimited:
            raise
        except ForgeRefused as refused:
            _log.warning("upload.refused", project=str(self._project), name=name, error=str(refused))
            return ""
        except ForgeError as failed:
            if self._insist:
                raise
            _log.warning("upload.failed", project=str(self._project), name=name, error=str(failed))
            return None
        if link is None:
            return None
        self._remember(digest, link)
        return link

    def _remember(self, digest: str, link: str) -> None:
        with self._bridge.database.transaction() as session:
            now = self._bridge.database.now(session)
            row = {"project": str(self._project), "digest": digest, "link": link, "uploaded_at": now}
            upsert(self._bridge.database, session, Upload, row)

    def _content(self, digest: str) -> bytes | None:
        """The picture; None where it is not kept, too large, or no picture."""
        most = self._limits.upload
        try:
            content = self._bridge.blobs.read(digest, limit=most + 1)
        except FileNotFoundError:
            return None
        return content if len(content) <= most and content.startswith(_MAGIC) else None
