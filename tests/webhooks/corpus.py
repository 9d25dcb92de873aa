"""Bodies that forges really sent, published by other projects; read where they lie, never part of this one.

They are looked for in the directory that `REANA_BRIDGE_PAYLOADS` names, else in `shared/payloads` beside the
repository: `gitlab/<origin>/*.json` and `github/<origin>/...`, as `@octokit/webhooks-examples` has them.
"""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "payloads"
PLACE = Path(os.environ.get("REANA_BRIDGE_PAYLOADS") or BESIDE)
MISSING = f"no webhook bodies in {PLACE}: set REANA_BRIDGE_PAYLOADS to a directory with gitlab/ and github/"
needs_bodies = pytest.mark.skipif(not (PLACE / "gitlab").is_dir(), reason=MISSING)

_DEPLOYMENTS = {"HookDeploy": "deployment", "HookRelease": "release"}


def bodies(forge: str) -> dict[str, bytes]:
    """Path below the forge's directory -> body; empty where there are none."""
    place = PLACE / forge
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*.json"))}


def github_kind(path: str) -> str:
    """The value that `X-GitHub-Event` had."""
    origin, name = path.split("/")[:2]
    if origin != "woodpecker":
        return name
    stem = Path(name).stem
    return _DEPLOYMENTS.get(stem) or ("pull_request" if "PullRequest" in stem else "push")
