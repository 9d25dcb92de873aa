"""A stateful fake REANA: a real HTTP server with REANA's traps, which runs serial workflows for real.

with FakeReana(tmp_path) as reana:
token = reana.user("alice@example.org").token
reana.fail("POST", "/start", how="after")      # the next start is done, and answered with 502
reana.pretend(Plan(running_seconds=5.0))       # from now on workflows only change their state
reana.workflow("fit.1").status                 # what the server knows
reana.requests(path="/workspace")              # who asked for what
"""

from reana_bridge.testing.failing import How
from reana_bridge.testing.reana.server import FakeReana
from reana_bridge.testing.reana.things import Plan, Protocol, Status

__all__ = ["FakeReana", "How", "Plan", "Protocol", "Status"]
