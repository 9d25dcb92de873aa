"""A stateful fake GitHub: a real HTTP server over real git repositories, strict as the real one.

with FakeGitHub(tmp_path) as github:
alice = github.user("alice")
project = github.project("atlas/ttbar", members={alice: "write"})
github.push(project, "main", {"reana.yaml": "..."})
app = github.app("reana", hook_url="http://127.0.0.1:8800/webhooks/github", hook_secret="secret")
github.install(app, [project])   # the forge's settings: app_id = app.id, app_key = app.key
github.fail("POST", "/comments$", how="after")   # the next comment is stored, and answered with 502
"""

from reana_bridge.testing.failing import How
from reana_bridge.testing.github.server import FakeGitHub

__all__ = ["FakeGitHub", "How"]
