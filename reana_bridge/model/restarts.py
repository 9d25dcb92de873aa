"""Restarts: a run that takes up the workspace of an earlier one, instead of beginning anew."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Restart:
    """What is taken up, and where.

    Attributes:
        run: The run whose workspace it is; the restarted run itself for an earlier attempt of it.
        attempt: Which attempt of that run.
        job: That attempt's identity on the backend.
        step: The first step that runs, those before it are kept; empty to run all of them in that workspace.
    """

    run: str
    attempt: int
    job: str
    step: str = ""

    def sentence(self, run: str) -> str:
        """What a reader of the report of `run` should know, as Markdown."""
        whose = f"attempt {self.attempt}"
        if self.run != run:
            whose += f" of run `{self.run}`"
        if self.step:
            return f"restarted from `{self.step}`: what the steps before it left is that of {whose}"
        return f"restarted in the workspace of {whose}"
