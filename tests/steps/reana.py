"""A house whose runs are on a fake REANA."""

import time
from dataclasses import replace
from typing import Any

from reana_bridge.backends.reana import Account, ReanaSettings
from reana_bridge.backends.reana.backend import ReanaBackend
from reana_bridge.model.runs import RunState
from reana_bridge.testing.reana import FakeReana
from tests.steps.house import House

DOCUMENT = """
inputs: {files: [measure.py], parameters: {x: 3}}
workflow:
  type: serial
  specification:
    steps:
      - {name: measure, environment: "python:3.12", commands: ["python3 measure.py ${x}"]}
outputs: {files: [metrics.json]}
"""
MEASURE = "import json, sys\njson.dump({'x': int(sys.argv[1])}, open('metrics.json', 'w'))\n"


class ReanaHouse(House):
    """A house whose one backend is a fake REANA."""

    def use(self, fake: FakeReana, **settings: Any) -> None:
        self.fake = fake
        self.user = fake.user()
        made = ReanaSettings(
            url=fake.url,
            accounts=(Account(name="default", token=self.user.token),),
            scratch=self.place / "scratch",
            tag="0a1b2c3d",
            rate=1000.0,
            poll=(0.01, 0.05),
            **settings,
        )
        self.reana = ReanaBackend("play", settings=made, load=lambda job, root: None)
        self.bridge = replace(self.bridge, backends={"play": self.reana})
        self._use(self.bridge)
        self.commit(files={"reana.yaml": DOCUMENT, "measure.py": MEASURE})

    def until(self, state: RunState, sha: str, rounds: int = 60) -> Any:
        for _ in range(rounds):
            self.once()
            (run,) = self.runs(sha)
            if run.state == state:
                self.work("compare", "report")
                return run
            if not self.fake.workflows():
                self.later(400.0)
            time.sleep(0.01)
        raise AssertionError(f"{run.state}, {run.activity}, {self.raised}, {self.fake.workflows()}")
