"""What a project file asks, cut down to what the server's settings allow."""

from collections.abc import Collection
from dataclasses import replace

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.problems import Problem, Severity
from reana_bridge.model.suggestions import did_you_mean, one_of, shown

FILE = ".reana-bridge.yaml"


def within_server_limits(
    analysis: Analysis,
    *,
    allowed_backends: Collection[str],
    default_backend: str,
    max_timeout: float | None,
    network_allowed: bool,
    max_priority: int,
    file: str = FILE,
) -> tuple[Analysis, tuple[Problem, ...]]:
    """`analysis` as it may run on this server, and what had to be changed or refused.

    Args:
        analysis: As the project file has it.
        allowed_backends: Names of the backends that the project may use, beside the default one.
        default_backend: Used where the analysis names none.
        max_timeout: Seconds; None for no limit.
        network_allowed: Whether jobs of the project may have the network.
        max_priority: The highest priority that the project may use.
        file: Where the analysis stands, for messages.

    Returns:
        The analysis with backend, timeout, network and priority within the limits; a problem of severity
        `error` when its backend is not allowed (it cannot run), warnings for what was cut.
    """
    problems: list[Problem] = []

    def problem(key: str, message: str, hint: str, severity: Severity = "warning") -> None:
        name = f"analyses.{analysis.name}.{key}"
        problems.append(Problem(message=message, file=file, key=name, hint=hint, severity=severity))

    backend = analysis.backend or default_backend
    allowed = sorted({*allowed_backends, default_backend})
    if backend not in allowed:
        hint = did_you_mean(backend, allowed) or one_of(allowed)
        problem("backend", f"`{shown(backend)}` is no backend that this project may use", hint, "error")
    timeout = analysis.timeout
    if timeout is not None and max_timeout is not None and timeout > max_timeout:
        hint = "ask the server's administrator for more"
        problem("timeout", f"{timeout:g} s is cut to this server's {max_timeout:g} s", hint)
        timeout = max_timeout
    network = analysis.network
    if network and not network_allowed:
        hint = "keep what it needs in the repository, or ask the server's administrator"
        problem("network", "this server gives the project's jobs no network", hint)
        network = False
    priority = min(analysis.priority, max_priority)
    if priority != analysis.priority:
        hint = "ask the server's administrator for more"
        problem("priority", f"{analysis.priority} is cut to this server's {max_priority}", hint)
    limited = replace(analysis, backend=backend, timeout=timeout, network=network, priority=priority)
    return limited, tuple(problems)
