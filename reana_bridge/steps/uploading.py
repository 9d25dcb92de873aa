"""Pictures of a note, copied to the forge before the note is written.

Promises: only where the settings allow it (who has the address sees the copy); only PNG and JPEG files, by
their content; each content once a project, at most so many and so large as the settings say. A death between
an upload and its row uploads that one again, at worst. What cannot be copied is linked from here instead.
"""

from collections.abc import Sequence
from typing import Any, cast

import structlog
from sqlalchemy import select

from reana_bridge.forges.base import ForgeError, ForgeRefused, RateLimited
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.projects import Project
from reana_bridge.model.reports import Report
from reana_bridge.reports.pictured import pictures_of, with_links
from reana_bridge.steps.bridge import Bridge
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
    wanted = [picture for report in reports for picture in pictures_of(report, _SUFFIXES)]
    wanted.sort(key=lambda picture: picture.rank)
    links = _Links(bridge, forge, project, only_public=rule.uploads == "public", insist=insist)
    digests = dict.fromkeys((picture.digest, picture.name) for picture in wanted)
    by_digest = links.of(digests)
    return tuple(with_links(report, by_digest) for report in reports)


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
