"""What was found out about a delivery before anything is stored, as values."""

from dataclasses import dataclass, field

from reana_bridge.forges.base import MergeRequestFacts
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.comparisons import Acceptance
from reana_bridge.model.decisions import Decision
from reana_bridge.model.orders import Order
from reana_bridge.model.projects import Project
from reana_bridge.model.restarts import Restart


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a comment gets: a reaction, a short reply, orders for its commands.

    Attributes:
        number: The merge request's.
        comment: The forge's id of the comment; empty for a button, which gets neither.
        reaction: `eyes` or `confused`; empty for none.
        reply: Markdown; empty for none.
        orders: One a command.
    """

    number: int | None
    comment: str
    reaction: str = ""
    reply: str = ""
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A difference that somebody says is expected.

    Attributes:
        run: The run whose metric, or file, differs.
        analysis: Its analysis.
        acceptance: Which one, up to which value, who and why.
        baseline: The value before, or the file's digest; None where there was none.
    """

    run: str
    analysis: str
    acceptance: Acceptance
    baseline: float | int | str | bool | None = None


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a delivery is about, and what it leads to.

    Attributes:
        event: The event's kind, one word.
        decision: What it leads to.
        project: None where the delivery names none that can be.
        forge_id: The forge's own id of the project; empty where the event does not say.
        renamed_from: The name (`forge:path`) under which the project is known so far; empty for its own.
        ref: The full ref; empty where it has none.
        sha: The commit; empty where it has none.
        actor: Who did it.
        asked_at: When the forge was asked for the head, UTC seconds since the epoch.
        head: The commit that the ref pointed to then; None when it was gone or not asked.
        follows_ref: Whether the event tells where a branch or tag is.
        number: The merge request that it is about; None for none.
        merge_request: That merge request as it was then; None when there was none (any more).
        follows_merge_request: Whether the event tells how the merge request is.
        merged: Whether the merge request's head has become its target's.
        default_branch: The project's.
        target: The full ref of the branch that it is compared with.
        target_sha: That branch's commit then; empty where there is none.
        analyses: By name, cut down to the server's limits.
        trusted: False for code of another repository than the project's own.
        let_by: Who let such code run; empty for nobody.
        approves: Whether that is to be remembered for this very commit.
        again: Whether to run although there is a result already.
        ordered: Whether a person or the clock asked, rather than an event.
        baseline_sha: The commit to compare with; empty for the usual choice.
        answered: What a comment gets; None for no comment.
        command: The command that is obeyed; None for none.
        says: The command's answer, Markdown; empty for none.
        restart: What the ordered run takes up; None to begin anew.
        compares: The commit whose runs are compared anew, with `sha`; empty for none.
        accepts: The difference that the command accepts; None for none.
    """

    event: str
    decision: Decision
    project: Project | None = None
    forge_id: str = ""
    renamed_from: str = ""
    ref: str = ""
    sha: str = ""
    actor: str = ""
    asked_at: float = 0.0
    head: str | None = None
    follows_ref: bool = False
    number: int | None = None
    merge_request: MergeRequestFacts | None = None
    follows_merge_request: bool = False
    merged: bool = False
    default_branch: str = ""
    target: str = ""
    target_sha: str = ""
    analyses: dict[str, Analysis] = field(default_factory=dict[str, Analysis])
    trusted: bool = True
    let_by: str = ""
    approves: bool = False
    again: bool = False
    ordered: bool = False
    baseline_sha: str = ""
    answered: Answered | None = None
    command: Order | None = None
    says: str = ""
    compares: str = ""
    restart: Restart | None = None
    accepts: Accepted | None = None
