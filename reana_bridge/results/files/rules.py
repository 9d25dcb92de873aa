"""What the rule on a file says of its comparison."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.bridge_files import ADVICE
from reana_bridge.model.comparisons import FileComparison, FileVerdict, RuleEffect, RuleOutcome
from reana_bridge.model.globs import matches

_KEPT = frozenset({FileVerdict.IDENTICAL, FileVerdict.WITHIN_TOLERANCE, FileVerdict.NEW})


def rule_on(path: str, rules: Sequence[FileRule]) -> FileRule | None:
    """The first of `rules` that `path` matches."""
    return next((rule for rule in rules if matches(path, [rule.path])), None)


def idle(rules: Sequence[FileRule], paths: Collection[str]) -> tuple[str, ...]:
    """The globs of rules that fit none of the artifacts `paths`: nothing is judged by them."""
    globs = dict.fromkeys(rule.path for rule in rules)
    return tuple(glob for glob in globs if not any(matches(path, [glob]) for path in paths))


def judged(comparison: FileComparison, rule: FileRule | None) -> FileComparison:
    """The comparison with what `rule` says of it; as it is without one.

    A file that differs, is missing or cannot be compared breaks its rule: who wants to be told must not
    miss it because the file is damaged. A new one does not. Of pictures a rule warns at most.
    """
    if rule is None:
        return comparison
    broken = comparison.verdict not in _KEPT
    effect = rule.effect
    if comparison.kind in ADVICE and effect is RuleEffect.BLOCK:
        effect = RuleEffect.WARN
    words = comparison.explanation or comparison.verdict.value
    if comparison.verdict is not FileVerdict.DIFFERENT and comparison.explanation:
        words = f"{comparison.verdict.value}: {words}"
    outcome = RuleOutcome(
        rule=in_words(rule), effect=effect, broken=broken, explanation=words, pattern=rule.path
    )
    return replace(comparison, rules=(outcome,))


def in_words(rule: FileRule) -> str:
    """The rule for people: `may differ from the baseline by at most 1e-06 of it`."""
    limits = [f"{rule.absolute:g}"] if rule.absolute else []
    limits += [f"{rule.relative:g} of it"] if rule.relative else []
    exact = not limits and (rule.absolute, rule.relative) != (None, None)
    within = f"may differ from the baseline by at most {' + '.join(limits)}"
    if not limits:
        within = "has to be exactly the baseline's" if exact else "may not differ from the baseline"
    chance = f", p at least {rule.p_value:g}" if rule.p_value is not None else ""
    ignored = f", {', '.join(rule.ignore[:3])} ignored" if rule.ignore else ""
    return f"{within}{chance}{ignored}"
