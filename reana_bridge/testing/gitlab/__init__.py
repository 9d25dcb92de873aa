"""A stateful fake GitLab: a real HTTP server over real git repositories, strict as the real one.

with FakeGitLab(tmp_path) as gitlab:
alice = gitlab.user("alice")
project = gitlab.project("atlas/ttbar", members={alice: Level.DEVELOPER})
gitlab.push(project, "main", {"reana.yaml": "..."})
token = gitlab.project_token(project).value
gitlab.hook(project, "http://127.0.0.1:8800/webhooks/gitlab", token="secret")
gitlab.fail("POST", "/notes$", how="after")   # the next note is stored, and answered with 502
"""

from reana_bridge.testing.failing import How
from reana_bridge.testing.gitlab.limits import RateLimit
from reana_bridge.testing.gitlab.server import FakeGitLab
from reana_bridge.testing.gitlab.things import Level

__all__ = ["FakeGitLab", "How", "Level", "RateLimit"]
