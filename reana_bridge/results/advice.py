"""Known causes of failed steps, from the last lines of a log, each with what to do about it.

One table of rules, tried from the top; the first that fits a line gives its advice, and of the lines that it
fits the last one counts. A rule fits what programs write, word for word, and the advice names the file,
package or column that the line was about.
"""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

LINES = 200
"""Lines of a log, from its end, that are looked at."""
_LINE = 2_000
_NAME = 120


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What is known of a failure.

    Attributes:
        cause: The rule's name, such as `missing file`.
        advice: One or two sentences that say what happened and what to do.
    """

    cause: str
    advice: str


@dataclass(frozen=True)
class _Rule:
    cause: str
    pattern: re.Pattern[str]
    advice: str


def _rule(cause: str, pattern: str, advice: str) -> _Rule:
    return _Rule(cause, re.compile(pattern), advice)


_QUOTED = r"['\"\u2018`]?"
RULES = (
    _rule(
        "memory",
        r"MemoryError\b|std::bad_alloc|Cannot allocate memory|Out of memory|oom-kill|OOMKilled"
        r"|unable to allocate (?:array|[\d.]+ [KMGT]i?B)",
        "It ran out of memory. Read the data in pieces, or ask for more: `kubernetes_memory_limit` of "
        "the step on REANA, `memory` of the backend's settings on a machine of your own.",
    ),
    _rule(
        "disk full",
        r"No space left on device|\[Errno 28\]",
        "The disk of the workspace is full. Write less, remove intermediate files in the step that "
        "made them, or ask for more room.",
    ),
    _rule(
        "quota",
        r"Disk quota exceeded|\[Errno 122\]|[Qq]uota (?:has been |was )?(?:exceeded|reached)",
        "A quota is used up. Delete old runs and files, or ask the administrator of the system for more.",
    ),
    _rule(
        "missing import",
        r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<name>[\w.]+)'?",
        "The environment of the step has no Python package that provides `{name}`. Add it to the "
        "container image or to the requirements that the environment is made from.",
    ),
    _rule(
        "changed import",
        r"ImportError: cannot import name '(?P<name>\w+)' from "
        r"(?:partially initialized module )?'(?P<module>[\w.]+)'",
        "`{module}` has no `{name}`: most often another version of the package is installed than the "
        "code was written for. Pin the version that it works with.",
    ),
    _rule(
        "shared library",
        r"error while loading shared libraries: (?P<name>\S+?):"
        r"|OSError: (?P<name2>lib\S+?): cannot open shared object",
        "The program needs the system library `{name}`, which the step's environment does not have. "
        "Install it in the container image.",
    ),
    _rule(
        "missing command",
        r"(?:^|[: ])(?P<name>[\w.+/-]+): (?:command )?not found\s*$"
        r"|exec: .(?P<name2>[^\"]+).: executable file not found",
        "The step's environment has no program `{name}`. Install it in the container image, or name "
        "its full path.",
    ),
    _rule(
        "not executable",
        r"(?P<name>[\w./+-]+): Permission denied\s*$"
        r"|PermissionError: \[Errno 13\] Permission denied: '(?P<name2>[^']+)'",
        "`{name}` may not be used like that. A script needs `chmod +x` in git (or run it as `bash "
        "{name}`); a job may write only in its workspace.",
    ),
    _rule(
        "read-only",
        r"Read-only file system(?:: '(?P<name>[^']+)')?",
        "It wrote outside of its workspace{in_name}. Write to a path relative to where the step starts.",
    ),
    _rule(
        "missing column",
        r"KeyError: ['\"](?P<name>[^'\"]+)['\"]",
        "Nothing is called `{name}` there. If it is a column or key of a file, the step that wrote "
        "the file no longer writes it: compare what both commits write.",
    ),
    _rule(
        "missing file",
        r"FileNotFoundError: \[Errno 2\] No such file or directory: ['\"](?P<name>[^'\"]+)['\"]"
        rf"|(?:cannot (?:open|access|stat)|can't open file) {_QUOTED}(?P<name2>[^'\":\u2019]+)"
        r"|(?P<name3>[\w./+-]+): No such file or directory|MissingInputException[^\n]*",
        "There is no file `{name}`. If an earlier step writes it, look whether it does and where; if "
        "it is in the repository, whether it is committed (and named under `inputs` of the workflow).",
    ),
    _rule(
        "no network",
        r"Temporary failure in name resolution|Name or service not known|Could not resolve host"
        r"|Network is unreachable|\[Errno -[23]\]|NewConnectionError|Connection refused",
        "It could not reach the network. Jobs have none unless `network: true` is set for the "
        "analysis and the server allows it; keep what is needed in the repository or the image.",
    ),
    _rule(
        "image pull",
        r"ImagePullBackOff|ErrImagePull|manifest (?:for \S+ )?(?:unknown|not found)"
        r"|pull access denied|repository does not exist or may require"
        r"|toomanyrequests: You have reached",
        "The container image cannot be fetched. Look at its name and tag, whether it is public (or "
        "the account may read it), and whether the registry limits pulls.",
    ),
    _rule(
        "proxy or certificate",
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSL certificate problem",
        "The certificate of a server is not trusted there. Install the authority's certificate in the image.",
    ),
    _rule(
        "credentials",
        r"Unable to obtain (?:a )?Kerberos|No Kerberos credentials|kinit: |401 Unauthorized"
        r"|403 Forbidden",
        "A server asked for credentials. Jobs get none of the bridge's; on REANA add them as secrets "
        "of the account (`reana-client secrets-add`), and for Kerberos `kerberos: true` to the step.",
    ),
    _rule(
        "time",
        r"DUE TO TIME LIMIT|[Tt]ime limit (?:was )?(?:exceeded|reached)|TimeoutExpired"
        r"|DeadlineExceeded",
        "It took longer than it may. Do less for a merge request (fewer events by a parameter), or "
        "raise `timeout` of the analysis.",
    ),
    _rule(
        "segmentation fault",
        r"[Ss]egmentation (?:fault|violation)|\*\*\* Break \*\*\*|SIGSEGV",
        "A library crashed (segmentation fault). Often two packages were built for different versions "
        "of each other: look at what changed in the environment, then run the step under `gdb` or "
        "with `python -X faulthandler`.",
    ),
    _rule(
        "syntax",
        r"^(?:SyntaxError|IndentationError|TabError): (?P<name>.+)",
        "Python cannot read the file: {name}. The line stands above; a newer Python than the step's "
        "may be needed.",
    ),
    _rule(
        "missing attribute",
        r"AttributeError: module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'",
        "`{module}` has no `{name}`: it was removed or renamed in the installed version. Pin the "
        "version that has it, or use what replaced it.",
    ),
    _rule(
        "unset variable",
        r"(?P<name>\w+): unbound variable",
        "The shell variable `{name}` is not set. Parameters are written `${{{name}}}` and declared "
        "under `inputs.parameters`.",
    ),
    _rule(
        "unpickling",
        r"UnpicklingError|unsupported pickle protocol",
        "A pickle cannot be read: it was written by another version, or is Git LFS's pointer. Write "
        "data in an open format (CSV, npz, ROOT, parquet).",
    ),
    _rule(
        "missing tree",
        r"KeyInFileError: not found: '(?P<name>[^']+)'",
        "The ROOT file has no `{name}`. Look at the names and cycles that it has with "
        "`uproot.open(file).keys()`.",
    ),
    _rule(
        "fit",
        r"FailedMinimization|(?:[Mm]inimi[sz]ation|[Ff]it) (?:failed|did not converge)",
        "The fit did not converge. Look at its starting values, bounds and whether a yield has become "
        "zero or negative.",
    ),
)
_SIGNALS = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "segmentation fault",
    signal.SIGXCPU: "time",
    signal.SIGKILL: "memory",
}
_KILLED = (
    "It was killed from outside, which most often means that it used more memory than it may. Read the data "
    "in pieces, or ask for more."
)
_EXITS = {
    126: Advice(
        cause="not executable",
        advice="The command is no program that may be run: look at its `chmod +x` in git.",
    ),
    127: Advice(
        cause="missing command",
        advice="The step's environment has no such program. Install it in the container image.",
    ),
}


def advise(lines: Sequence[str], *, exit_status: int | None = None) -> Advice | None:
    """What is known of a failure.

    Args:
        lines: The last lines of the failing step's log, oldest first.
        exit_status: The failing command's exit status, negative for a signal; None where unknown.

    Returns:
        None where no rule fits.
    """
    shown = [line[-_LINE:].rstrip() for line in lines[-LINES:]]
    for rule in RULES:
        for line in reversed(shown):
            found = rule.pattern.search(line)
            if found:
                return Advice(cause=rule.cause, advice=_filled(rule.advice, found))
    return _by_status(exit_status)


def _filled(advice: str, found: re.Match[str]) -> str:
    """The advice with the parts of the line that the rule named."""
    groups = found.groupdict()
    name = next((text for key, text in groups.items() if key.startswith("name") and text), "")
    said = {"name": _plain(name) or "of that name", "module": _plain(groups.get("module") or "")}
    said["in_name"] = f", to `{said['name']}`" if name else ""
    return advice.format(**said)


def _plain(text: str) -> str:
    """A name from a log, fit to stand between backticks."""
    return text.replace("`", "'").strip()[:_NAME]


def _by_status(status: int | None) -> Advice | None:
    """What the exit status alone says, as shells count: 128 and a signal's number, or minus that number."""
    if status is None:
        return None
    number = -status if status < 0 else status - 128
    cause = _SIGNALS.get(signal.Signals(number)) if number in set(signal.Signals) else None
    if cause == "memory":
        return Advice(cause=cause, advice=_KILLED)
    rule = next((rule for rule in RULES if rule.cause == cause), None)
    return Advice(cause=rule.cause, advice=rule.advice) if rule else _EXITS.get(status)
