"""Where `reana-bridge compare` gets a report and its pictures from: folders, runs, a server."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from reana_bridge.cli.common import Failure, bridge_of
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.reports import Report
from reana_bridge.reports.pictured import Pictured

_SECONDS = 30.0
_LARGEST = 256 << 20  # bytes of a server's answer


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A report, and what gives the bytes of a picture in it; None for one that is not at hand."""

    report: Report
    content: Callable[[Pictured], bytes | None]


@contextmanager
def folders(before: Path, after: Path, analysis: Analysis, *, draws: bool) -> Generator[Compared]:
    """From two folders; where nothing `draws`, only what is there already has pictures.

    Raises:
        Failure: One of them cannot be read.
    """
    from reana_bridge.settings import LimitSettings
    from reana_bridge.steps.comparing.folders import folder_report

    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as drawings:
        tops = {"head": after, "baseline": before, "drawn": Path(drawings)}
        try:
            report = folder_report(
                before.absolute(),
                after.absolute(),
                analysis=analysis,
                limits=LimitSettings.model_validate({}),
                now=time.time(),
                drawings=Path(drawings) if draws else None,
            )
        except OSError as error:
            raise Failure(f"{error.filename}: {error.strerror}") from None
        yield Compared(
            report=report,
            content=lambda picture: _read(tops[picture.side] / (picture.path or picture.digest)),
        )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # it went away meanwhile, or was never drawn
        return None


@contextmanager
def of_runs(config: Path | None, before: str, after: str) -> Generator[Compared]:
    """From the database of the settings.

    Raises:
        Failure: It has no two such runs.
    """
    from reana_bridge.steps.comparing.pair import pair_report
    from reana_bridge.steps.showing import with_own_text
    from reana_bridge.store.tables import Run

    with bridge_of(config) as bridge:
        with bridge.database.read() as session:
            found = {name: session.get(Run, name) for name in (before, after)}
        runs = [run for run in found.values() if run is not None]
        absent = [name for name, run in found.items() if run is None]
        if absent:
            raise Failure(f"{absent[0]} is neither a folder nor the id of a run that is known here")
        report = with_own_text(bridge, pair_report(bridge, runs[0], runs[-1]))

        def content(picture: Pictured) -> bytes | None:
            try:
                return _read(bridge.blobs.path(picture.digest))
            except FileNotFoundError:  # let go of
                return None

        yield Compared(report=report, content=content)


@contextmanager
def of_server(server: str, token_file: Path | None, before: str, after: str) -> Generator[Compared]:
    """From a server's API.

    Raises:
        Failure: It does not answer, or not with a report.
    """
    import httpx

    from reana_bridge.model.codec import CodecError, from_data

    if not server.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise Failure(f"--server {server}: a token is sent only over https")
    runs = {"baseline": quote(before, safe=""), "head": quote(after, safe="")}
    pair = f"compare/{runs['baseline']}/{runs['head']}"
    with httpx.Client(
        base_url=server.rstrip("/") + "/", headers=_bearer(token_file), timeout=_SECONDS
    ) as client:
        try:
            answer = client.get(f"api/v1/{pair}", params={"format": "report"})
            if answer.status_code == 404:
                raise Failure(f"{server} has no two such runs, or they are not for this token", status=2)
            answer.raise_for_status()
            if len(answer.content) > _LARGEST:
                raise Failure(f"the answer of {server} is larger than {_LARGEST} bytes")
            report = from_data(Report, json.loads(answer.content))
        except httpx.HTTPError as error:
            raise Failure(f"{server}: {error}") from None
        except (ValueError, CodecError) as error:
            raise Failure(
                f"{server} did not answer with a report, is it another version? ({error})"
            ) from None

        def content(picture: Pictured) -> bytes | None:
            drawn = f"{pair}/pictures/{quote(picture.digest, safe='')}"
            own = f"api/v1/runs/{runs.get(picture.side)}/artifacts/{quote(picture.path)}"
            try:
                got = client.get(own if picture.path else drawn)
            except httpx.HTTPError as error:
                raise Failure(f"{server}: {error}") from None
            return got.content if got.is_success else None

        yield Compared(report=report, content=content)


def _bearer(token_file: Path | None) -> dict[str, str]:
    try:
        token = token_file.read_text("utf-8") if token_file else os.environ.get("REANA_BRIDGE_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"--token-file {token_file}: {error}") from None
    return {"authorization": f"Bearer {token.strip()}"} if token.strip() else {}
